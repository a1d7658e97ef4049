#include "provision/image/image_source.hpp"

#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "provision/process/curl_config.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

class FileSource final : public ImageSource {
  public:
    explicit FileSource(FileDescriptor file) : file_(std::move(file)) {}
    [[nodiscard]] int fd() const override { return file_.get(); }
    [[nodiscard]] Result<void> finish() override { return {}; }
    void stop() override {}

  private:
    FileDescriptor file_;
};

/// The server answered with a client error (4xx), so that a retry cannot help. Except 408, 425 and 429: retry these.
bool is_refusal(std::string_view output) {
    constexpr std::string_view text = "returned error: 4";
    const auto at = output.find(text);
    if (at == std::string_view::npos) return false;
    const auto rest = output.substr(at + text.size(), 2);
    return rest != "08" && rest != "25" && rest != "29";
}

/// What no retry makes better, by curl's exit code.
bool is_hopeless(const CommandEnd& end) {
    constexpr std::array<int, 7> codes{
        1,   // unsupported scheme
        3,   // malformed URL
        47,  // too many redirects
        60,  // the server's certificate is not trusted
        63,  // larger than allowed
        67,  // login denied
        78,  // no such file
    };
    return std::find(codes.begin(), codes.end(), exit_code(end)) != codes.end();
}

class UrlSource final : public ImageSource {
  public:
    explicit UrlSource(std::unique_ptr<RunningCommand> curl) : curl_(std::move(curl)), pipe_(curl_->take_pipe()) {}
    [[nodiscard]] int fd() const override { return pipe_.get(); }
    [[nodiscard]] Result<void> finish() override {
        (void)curl_->wait_for(10s);
        const auto result = curl_->stop();
        if (succeeded(result)) return {};
        const bool is_final = is_refusal(result.output) || is_hopeless(result.end);
        return fail(Error("cannot download " + name + ": " + describe(result), is_final));
    }
    void stop() override { (void)curl_->stop(); }

  private:
    std::unique_ptr<RunningCommand> curl_;
    FileDescriptor pipe_;
};

Command curl(std::string_view config, std::initializer_list<const char*> options) {
    Command command;
    command.argv = {"curl",
                    "-q",
                    "-sSfL",
                    "--max-redirs",
                    "10",
                    "--proto",
                    "=http,https,ftp,ftps,file",
                    "--proto-redir",
                    "=http,https",
                    "--connect-timeout",
                    "30"};
    command.argv.insert(command.argv.end(), options.begin(), options.end());
    command.argv.insert(command.argv.end(), {"-K", "-"});
    command.input = config;
    return command;
}

/// Content-Length of the last answer, which follows all redirects.
std::optional<std::uint64_t> content_length(std::string_view headers) {
    std::optional<std::uint64_t> length;
    while (!headers.empty()) {
        const auto end = headers.find('\n');
        const auto line = headers.substr(0, end);
        constexpr std::string_view name = "content-length:";
        if (line.starts_with("HTTP/")) length.reset();
        std::string start(line.substr(0, name.size()));
        for (auto& c : start) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        if (start == name) {
            auto value = line.substr(name.size());
            value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
            std::uint64_t number = 0;
            if (std::from_chars(value.data(), value.data() + value.size(), number).ec == std::errc()) length = number;
        }
        if (end == std::string_view::npos) break;
        headers.remove_prefix(end + 1);
    }
    return length;
}

std::string last_part(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace

Result<std::unique_ptr<ImageSource>> open_image_file(const std::filesystem::path& file) {
    FileDescriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!opened) return fail("cannot open the image " + file.string() + ": " + std::system_category().message(errno));
    struct stat info {};
    ::fstat(opened.get(), &info);
    if (!S_ISREG(info.st_mode)) return fail("the image " + file.string() + " is not a file");
    ::posix_fadvise(opened.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    auto source = std::make_unique<FileSource>(std::move(opened));
    source->name = file.string();
    source->file_name = file.filename().string();
    source->size = static_cast<std::uint64_t>(info.st_size);
    return source;
}

Result<std::unique_ptr<ImageSource>> open_image_url(const SecretString& url, CommandRunner& commands) {
    const auto shown = redacted_url(url.reveal());
    const auto config = curl_config(url.reveal());
    if (!config) return fail(config.error());

    auto head = curl(*config, {"-I", "--max-time", "60"});
    head.capture_output = true;
    head.timeout = 70s;
    // If the server does not support HEAD, only the progress display loses its size.
    const auto headers = commands.run(head);

    auto running = commands.start(curl(*config, {"--speed-limit", "1", "--speed-time", "60"}), Piped::output);
    if (!running) return fail("cannot download " + shown + ": curl " + describe(running.error()));
    auto source = std::make_unique<UrlSource>(std::move(*running));
    source->name = shown;
    source->may_differ = true;
    source->file_name = last_part(shown.substr(0, shown.find('?')));
    if (succeeded(headers)) source->size = content_length(headers.output);
    return source;
}

Result<std::string> download_text(const std::string& url, std::size_t limit, CommandRunner& commands) {
    const auto config = curl_config(url);
    if (!config) return fail(config.error());
    const auto size = std::to_string(limit);
    auto get = curl(*config, {"--max-time", "60", "--max-filesize", size.c_str()});
    get.capture_output = true;
    get.errors_apart = true;
    get.output_limit = limit + 1;
    get.timeout = 70s;
    auto result = commands.run(get);
    if (!succeeded(result)) {
        return fail("cannot download " + redacted_url(url) + ": " + describe(CommandResult{result.end, result.errors}));
    }
    if (result.output.size() > limit) {
        return fail("cannot download " + redacted_url(url) + ": it has more than " + size + " bytes");
    }
    return std::move(result.output);
}

Result<std::filesystem::path> attachment_path(const std::string& name, const std::filesystem::path& folder) {
    const std::filesystem::path relative(name);
    bool leaves = name.empty() || relative.is_absolute() || name.find('\0') != std::string::npos;
    for (const auto& part : relative) leaves = leaves || part == "..";
    if (leaves) return fail("found the attachment " + trebuchet::quoted(name) + ", expected a path below attachments/");
    return folder / "provision" / relative;
}

}  // namespace trebuchet
