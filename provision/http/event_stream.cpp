#include "provision/http/event_stream.hpp"

#include "provision/process/curl_config.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include <poll.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest = std::size_t{256} * 1024;
constexpr std::size_t longest_id = 256;
constexpr int look_ms = 200;

void append(std::string& text, std::string_view more) {
    text += more.substr(0, longest - std::min(longest, text.size()));
}

/// Nothing that could end the header or the line of curl's configuration.
bool is_plain(std::string_view id) {
    for (const char c : id) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
    }
    return id.size() <= longest_id;
}

/// Reads until the end of the pipe. The signal that told us to stop, else 0. curl keeps the limit itself; `limit` is
/// for one that does not.
int read_all(const FileDescriptor& pipe, std::chrono::seconds limit, EventParser& parser, Interrupt& interrupt) {
    std::array<char, 16384> buffer{};
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
        if (const int signal = interrupt.wait_for(0ms); signal != 0) return signal;
        pollfd ready{pipe.get(), POLLIN, 0};
        if (::poll(&ready, 1, look_ms) <= 0) continue;
        const auto count = ::read(pipe.get(), buffer.data(), buffer.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count <= 0) return 0;
        parser.feed({buffer.data(), static_cast<std::size_t>(count)});
    }
    return 0;
}

/// curl ends with 28 also where it cannot connect; then the time to connect at the end of `report` is 0.
bool is_silence(const CommandEnd& end, std::string_view report) {
    constexpr int curl_timed_out = 28;
    const auto* exited = std::get_if<CommandExited>(&end);
    if (exited == nullptr || exited->code != curl_timed_out) return false;
    const auto time = report.substr(std::min(report.find(' '), report.size()));
    return time.empty() || time.find_first_of("123456789") != std::string_view::npos;
}

}  // namespace

void EventParser::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        if (after_return_ && bytes.front() == '\n') bytes.remove_prefix(1);
        after_return_ = false;
        const auto end = bytes.find_first_of("\r\n");
        append(line_, bytes.substr(0, end));
        if (end == std::string_view::npos) return;
        after_return_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        end_line();
    }
}

void EventParser::end_line() {
    const auto line = std::exchange(line_, {});
    if (line.empty()) {
        const auto event = std::exchange(event_, {});
        if (std::exchange(has_data_, false)) take_(event);
        return;
    }
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    auto value = colon == std::string::npos ? std::string() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.erase(0, 1);
    if (name == "data") {
        if (std::exchange(has_data_, true)) append(event_.data, "\n");
        append(event_.data, value);
    } else if (name == "id" && is_plain(value)) {
        event_.id = value;
    }
}

tl::expected<int, RestFailure> follow_stream(const StreamCall& call, const EventParser::Take& take,
                                             CommandRunner& commands, Interrupt& interrupt) {
    auto config = curl_config(call.url);
    if (!config) return tl::unexpected(RestFailure{config.error().message(), 0});
    if (!call.last_event_id.empty() && is_plain(call.last_event_id)) {
        *config += "header = \"Last-Event-ID: ";
        for (const char c : call.last_event_id) {
            if (c == '"' || c == '\\') *config += '\\';
            *config += c;
        }
        *config += "\"\n";
    }
    Command curl;
    curl.argv = {"curl",
                 "-q",
                 "-sSN",
                 "--connect-timeout",
                 "30",
                 "--speed-limit",
                 "1",
                 "--speed-time",
                 std::to_string(call.silence.count()),
                 "--max-time",
                 std::to_string(call.limit.count()),
                 "-H",
                 "Accept: text/event-stream",
                 "-w",
                 "\\n%{http_code} %{time_connect}",
                 "-K",
                 "-"};
    curl.input = *config;
    auto running = commands.start(curl, Piped::output);
    if (!running) {
        const auto* stopped = std::get_if<CommandInterrupted>(&running.error());
        return tl::unexpected(
            RestFailure{"curl: " + describe(running.error()), stopped == nullptr ? 0 : stopped->signal});
    }
    EventParser parser(take);
    const auto pipe = (*running)->take_pipe();
    if (const int signal = read_all(pipe, call.limit + 30s, parser, interrupt); signal != 0) {
        return tl::unexpected(RestFailure{"stopped by a signal", signal});
    }
    (void)(*running)->wait_for(5s);
    const auto result = (*running)->stop();
    const auto& rest = parser.rest();
    if (!succeeded(result)) {
        return tl::unexpected(
            RestFailure{redacted_url(call.url) + ": " + describe(result), 0, is_silence(result.end, rest)});
    }
    int status = 0;
    std::from_chars(rest.data(), rest.data() + rest.size(), status);
    return status;
}

}  // namespace trebuchet
