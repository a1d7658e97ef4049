#include "provision/serial/serial_capture.hpp"

#include "common/base/system_text.hpp"
#include "common/base/text.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Bytes to write after the order to stop, so that a console that keeps printing cannot delay the end of a stage.
constexpr std::size_t max_drained = std::size_t{1024} * 1024;
/// How often expect() checks for a stop signal.
constexpr milliseconds poll_interval{100};

/// A connection that the other side has closed must not end us by SIGPIPE.
ssize_t write_some(int fd, std::string_view bytes) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return sent < 0 && errno == ENOTSOCK ? ::write(fd, bytes.data(), bytes.size()) : sent;
}

}  // namespace

/// Shared between SerialCapture and the thread. A name lookup cannot be interrupted, so a thread in a lookup is
/// detached; afterwards it uses only this object.
class SerialCapture::Worker {
  public:
    Worker(SerialConsole console, std::filesystem::path file, const ConnectorLog& log, SerialOptions options)
        : console_(std::move(console)),
          file_(std::move(file)),
          log_(&log),
          options_(options),
          stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
          retry_now_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (!stop_ || !retry_now_) throw std::system_error(errno, std::system_category(), "eventfd");
    }

    void run() {
        do {
            const auto done = capture();
            if (!done && !stopped_) warn_once(done.error().message());
            eventfd_t told = 0;
            if (wait(retry_now_.get(), options_.reconnect_after).other) ::eventfd_read(retry_now_.get(), &told);
        } while (!stopped_);
    }

    /// True if the thread ends at once, so that it can be joined.
    bool stop() {
        const std::scoped_lock lock(mutex_);
        stopped_ = true;
        ::eventfd_write(stop_.get(), 1);
        return !resolving_;
    }

    bool connect_now(milliseconds timeout) {
        const auto deadline = steady_clock::now() + timeout;
        std::unique_lock lock(mutex_);
        while (!connected_ && steady_clock::now() < deadline) {
            ::eventfd_write(retry_now_.get(), 1);
            changed_.wait_until(lock, std::min(deadline, steady_clock::now() + poll_interval));
        }
        return connected_;
    }

    Result<std::string> expect(const SerialPattern& pattern, milliseconds timeout, Interrupt& interrupt) {
        const auto deadline = steady_clock::now() + timeout;
        std::unique_lock lock(mutex_);
        while (true) {
            if (auto found = window_.take(pattern)) return std::move(*found);
            const auto now = steady_clock::now();
            const auto wanted =
                "the serial console at " + name_of(console_) + " did not print " + trebuchet::quoted(pattern.text());
            if (now >= deadline) {
                const auto line = window_.last_line();
                return fail(
                    wanted + " in time; " +
                    (line.empty() ? "it printed nothing" : "its last line was " + trebuchet::quoted(line, 200)));
            }
            changed_.wait_until(lock, std::min(deadline, now + poll_interval));
            if (interrupt.wait_for(milliseconds::zero()) != 0) return fail(wanted + " before a stop signal arrived");
        }
    }

    Result<void> send(std::string_view bytes, milliseconds timeout, Interrupt& interrupt) {
        const auto deadline = steady_clock::now() + timeout;
        std::unique_lock lock(mutex_);
        while (!bytes.empty()) {
            const auto written = fd_ < 0 ? -1 : write_some(fd_, bytes);
            if (written > 0) {
                bytes.remove_prefix(static_cast<std::size_t>(written));
                continue;
            }
            const auto now = steady_clock::now();
            if (now >= deadline) {
                return fail("cannot send to the serial console at " + name_of(console_) +
                            (fd_ < 0 ? ": there is no connection" : ": the device takes nothing"));
            }
            changed_.wait_until(lock, std::min(deadline, now + poll_interval));
            if (interrupt.wait_for(milliseconds::zero()) != 0) return fail("stopped by a signal");
        }
        return {};
    }

    void clear() {
        const std::scoped_lock lock(mutex_);
        window_ = {};
    }

  private:
    struct Ready {
        bool stop = false;
        bool other = false;
    };

    /// Waits until stop() is called or `other` is readable.
    [[nodiscard]] Ready wait(int other, milliseconds time) const {
        std::array<pollfd, 2> ready{pollfd{stop_.get(), POLLIN, 0}, pollfd{other, POLLIN, 0}};
        int count = 0;
        do {
            count = ::poll(ready.data(), ready.size(), static_cast<int>(time.count()));
        } while (count < 0 && errno == EINTR);
        return {ready[0].revents != 0, ready[1].revents != 0};
    }

    /// Connects and copies until the connection ends. Success means that stop() was called.
    [[nodiscard]] Result<void> capture() {
        const auto console = open();
        if (!console) return fail(console.error());
        if (!*console) return {};
        const FileDescriptor file(
            ::open(file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
        if (!file) return fail("cannot write " + file_.string() + ": " + system_text(errno));
        log_->info("Connected to the serial console at " + name_of(console_));
        last_warning_.clear();
        set_connection(console->get());
        auto done = copy(*console, file);
        set_connection(-1);
        return done;
    }

    [[nodiscard]] Result<FileDescriptor> open() {
        if (const auto* socket = std::get_if<UnixConsole>(&console_)) return connect_to(*socket);
        if (const auto* tty = std::get_if<TtyConsole>(&console_)) return open_console(*tty);
        set(resolving_, true);
        const auto addresses = look_up(std::get<TcpConsole>(console_));
        set(resolving_, false);
        if (stopped_) return FileDescriptor();
        if (!addresses) return fail(addresses.error());
        return connect_to(*addresses, stop_.get());
    }

    void set(bool& flag, bool value) {
        {
            const std::scoped_lock lock(mutex_);
            flag = value;
        }
        changed_.notify_all();
    }

    /// -1: none.
    void set_connection(int fd) {
        {
            const std::scoped_lock lock(mutex_);
            fd_ = fd;
            connected_ = fd >= 0;
        }
        changed_.notify_all();
    }

    [[nodiscard]] Result<void> copy(const FileDescriptor& console, const FileDescriptor& file) {
        std::array<char, 16384> buffer{};
        std::size_t drained = 0;
        bool stopping = false;
        while (true) {
            const auto count = ::read(console.get(), buffer.data(), buffer.size());
            if (count == 0) return fail("the connection was closed");
            if (count < 0 && errno == EINTR) continue;
            if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return fail(system_text(errno));
            if (count < 0) {
                if (stopping) return {};
                stopping = wait(console.get(), milliseconds(-1)).stop;
                continue;
            }
            const std::string_view text(buffer.data(), static_cast<std::size_t>(count));
            if (auto done = take(text, file); !done) return done;
            stopping = stopping || stopped_;
            if (stopping && (drained += text.size()) > max_drained) return {};
        }
    }

    [[nodiscard]] Result<void> take(std::string_view text, const FileDescriptor& file) {
        {
            const std::scoped_lock lock(mutex_);
            window_.add(text);
        }
        changed_.notify_all();
        if (options_.time_stamps == nullptr) return write_all(file.get(), text);
        return write_all(file.get(), stamper_.stamp(text, options_.time_stamps->wall_time()));
    }

    /// Logs a warning once, not at every retry.
    void warn_once(const std::string& trouble) {
        if (trouble == last_warning_) return;
        last_warning_ = trouble;
        log_->warning("Serial console at " + name_of(console_) + ": " + trouble +
                      "; continuing without it and reconnecting in " +
                      std::to_string(std::chrono::ceil<std::chrono::seconds>(options_.reconnect_after).count()) + " s");
    }

    const SerialConsole console_;
    const std::filesystem::path file_;
    const ConnectorLog* log_;
    const SerialOptions options_;
    const FileDescriptor stop_;
    const FileDescriptor retry_now_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::atomic<bool> stopped_ = false;
    bool resolving_ = false;  ///< guarded by mutex_, as are the next three
    bool connected_ = false;
    int fd_ = -1;  ///< of the connection, for send()
    SerialWindow window_;
    LineStamper stamper_;
    std::string last_warning_;
};

SerialCapture::SerialCapture(SerialConsole console, std::filesystem::path file, const ConnectorLog& log,
                             SerialOptions options) {
    try {
        worker_ = std::make_shared<Worker>(std::move(console), std::move(file), log, options);
        thread_ = std::thread([worker = worker_] { worker->run(); });
    } catch (const std::system_error& error) {
        log.warning(std::string("Cannot capture the serial console: ") + error.what());
    }
}

SerialCapture::~SerialCapture() {
    if (!thread_.joinable()) return;
    if (worker_->stop()) {
        thread_.join();
    } else {
        thread_.detach();
    }
}

bool SerialCapture::connect_now(milliseconds timeout) {
    return worker_ != nullptr && worker_->connect_now(timeout);
}

Result<std::string> SerialCapture::expect(const SerialPattern& pattern, milliseconds timeout, Interrupt& interrupt) {
    if (worker_ == nullptr) return fail("the serial console is not captured");
    return worker_->expect(pattern, timeout, interrupt);
}

Result<void> SerialCapture::send(std::string_view bytes, milliseconds timeout, Interrupt& interrupt) {
    if (worker_ == nullptr) return fail("the serial console is not captured");
    return worker_->send(bytes, timeout, interrupt);
}

void SerialCapture::clear() {
    if (worker_ != nullptr) worker_->clear();
}

}  // namespace trebuchet
