#include "common/log/log.hpp"

#include "common/file/safe_file.hpp"
#include "common/log/log_file.hpp"
#include "common/log/log_line.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr std::size_t longest_message = std::size_t{16} * 1024;
constexpr std::size_t longest_file = std::size_t{5} * 1024 * 1024;
constexpr int older_files = 5;

struct Level {
    const char* name;
    char priority;  ///< syslog priority, for the journal
    spdlog::level::level_enum spdlog;
};

constexpr std::array<Level, 5> levels{{{"DEBUG", '7', spdlog::level::debug},
                                       {"INFO", '6', spdlog::level::info},
                                       {"WARNING", '4', spdlog::level::warn},
                                       {"ERROR", '3', spdlog::level::err},
                                       {"CRITICAL", '2', spdlog::level::critical}}};

const Level& level_of(LogLevel level) {
    return levels.at(static_cast<std::size_t>(level));
}

const Level& level_of(spdlog::level::level_enum level) {
    for (const auto& candidate : levels) {
        if (candidate.spdlog == level) return candidate;
    }
    return levels.back();
}

std::string time_stamped_line(const spdlog::details::log_msg& message) {
    const auto seconds = spdlog::log_clock::to_time_t(message.time);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    std::array<char, 32> stamp{};
    std::strftime(stamp.data(), stamp.size(), "[%Y-%m-%d %H:%M:%S] ", &parts);
    std::string level = level_of(message.level).name;
    level.resize(8, ' ');
    return stamp.data() + level + ": " + std::string(message.payload.data(), message.payload.size()) + "\n";
}

std::string journal_line(const spdlog::details::log_msg& message) {
    return std::string("<") + level_of(message.level).priority + ">" +
           std::string(message.payload.data(), message.payload.size()) + "\n";
}

LogFields fields_now();

std::string line_in(LogFormat format, const spdlog::details::log_msg& message) {
    if (format == LogFormat::text) return time_stamped_line(message);
    const std::string_view text(message.payload.data(), message.payload.size());
    return json_line(iso8601(std::chrono::time_point_cast<std::chrono::system_clock::duration>(message.time)),
                     level_of(message.level).name, text, fields_now());
}

/// The journal's socket. Does not block: if the journal is busy or away, the caller uses the console.
class Journal {
  public:
    explicit Journal(std::string socket) : socket_(std::move(socket)) {}

    bool send(const spdlog::details::log_msg& message) {
        if (!fd_) open();
        const auto text = journal_datagram(level_of(message.level).priority,
                                           {message.payload.data(), message.payload.size()}, fields_now());
        return fd_ && ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
    }

  private:
    void open() {
        FileDescriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_un where{};
        where.sun_family = AF_UNIX;
        if (socket_.size() >= sizeof(where.sun_path)) return;
        std::copy(socket_.begin(), socket_.end(), std::begin(where.sun_path));
        if (fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0) {
            fd_ = std::move(fd);
        }
    }

    std::string socket_;
    FileDescriptor fd_;
};

class ConsoleSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit ConsoleSink(const LogOptions& options)
        : fd_(options.console),
          format_(options.format),
          to_journal_(is_journal(fd_, std::getenv("JOURNAL_STREAM"))),
          journal_(options.journal) {}

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        if (to_journal_ && journal_.send(message)) return;
        // A failure here cannot be reported anywhere.
        static_cast<void>(write_all(fd_, to_journal_ ? journal_line(message) : line_in(format_, message)));
    }
    void flush_() override {}

  private:
    int fd_;
    LogFormat format_;
    bool to_journal_;
    Journal journal_;
};

class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    FileSink(LogFile file, LogFormat format, int console)
        : file_(std::move(file)), format_(format), console_(console) {}

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        const auto done = file_.write(line_in(format_, message));
        if (!done && !failed_) {
            static_cast<void>(write_all(console_, "Log lines are lost: " + done.error().message() + "\n"));
        }
        failed_ = !done;
    }
    void flush_() override {}

  private:
    LogFile file_;
    LogFormat format_;
    int console_;
    bool failed_ = false;
};

std::shared_ptr<spdlog::logger> make_logger(std::vector<spdlog::sink_ptr> sinks, LogLevel level) {
    auto logger = std::make_shared<spdlog::logger>("trebuchet", sinks.begin(), sinks.end());
    logger->set_level(level_of(level).spdlog);
    return logger;
}

struct Log {
    std::mutex mutex;
    std::shared_ptr<spdlog::logger> logger = make_logger({std::make_shared<ConsoleSink>(LogOptions{})}, LogLevel::info);
    std::shared_ptr<const MaskSet> masks = MaskSet::none();
    const Clock* clock = nullptr;
    LogFields fields;
    LogLevel observed = LogLevel::critical;
    std::function<void(const MaskedChunk&)> observer;
};

/// Never destroyed, because destructors of other statics may log.
Log& the_log() {
    static auto* const log = new Log;
    return *log;
}

LogFields fields_now() {
    const std::lock_guard lock(the_log().mutex);
    return the_log().fields;
}

}  // namespace

std::optional<LogLevel> log_level(std::string_view name) {
    for (std::size_t i = 0; i < levels.size(); ++i) {
        if (name == levels.at(i).name) return static_cast<LogLevel>(i);
    }
    return std::nullopt;
}

Result<void> set_up_log(const LogOptions& options) {
    static const SystemClock clock;
    return set_up_log(options, clock);
}

Result<void> set_up_log(const LogOptions& options, const Clock& clock) {
    std::vector<spdlog::sink_ptr> sinks;
    if (!options.quiet) sinks.push_back(std::make_shared<ConsoleSink>(options));
    if (!options.folder.empty()) {
        if (auto made = make_folder(options.folder); !made) return fail(made.error());
        auto file = LogFile::open(options.folder / "testflinger-agent.log", longest_file, older_files);
        if (!file) return fail(file.error());
        sinks.push_back(std::make_shared<FileSink>(std::move(*file), options.format, options.console));
    }
    auto logger = make_logger(std::move(sinks), options.level);
    const std::lock_guard lock(the_log().mutex);
    the_log().logger = std::move(logger);
    the_log().clock = &clock;
    return {};
}

void set_log_field(const std::string& name, std::string value) {
    const std::lock_guard lock(the_log().mutex);
    if (value.empty()) {
        the_log().fields.erase(name);
    } else {
        the_log().fields[name] = std::move(value);
    }
}

void observe_log(LogLevel level, std::function<void(const MaskedChunk&)> observer) {
    const std::lock_guard lock(the_log().mutex);
    the_log().observed = level;
    the_log().observer = std::move(observer);
}

void set_log_masks(std::shared_ptr<const MaskSet> masks) {
    const std::lock_guard lock(the_log().mutex);
    the_log().masks = masks ? std::move(masks) : MaskSet::none();
}

MaskedChunk mask_for_log(std::string_view text) {
    std::shared_ptr<const MaskSet> masks;
    {
        const std::lock_guard lock(the_log().mutex);
        masks = the_log().masks;
    }
    return masks->mask(text);
}

void log_message(LogLevel level, std::string_view text) {
    std::shared_ptr<spdlog::logger> logger;
    std::shared_ptr<const MaskSet> masks;
    std::function<void(const MaskedChunk&)> observer;
    auto time = std::chrono::system_clock::now();
    {
        auto& log = the_log();
        const std::lock_guard lock(log.mutex);
        logger = log.logger;
        masks = log.masks;
        if (log.clock != nullptr) time = log.clock->wall_time();
        if (level >= log.observed) observer = log.observer;
    }
    if (observer) observer(masks->mask(text));
    if (!logger->should_log(level_of(level).spdlog)) return;
    logger->log(time, spdlog::source_loc{}, level_of(level).spdlog, one_line(masks->mask(text), longest_message));
}

}  // namespace trebuchet
