#include "provision/http/rest_call.hpp"

#include "provision/process/curl_config.hpp"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_answer = std::size_t{32} * 1024 * 1024;
/// For the line with the status behind it.
constexpr std::size_t max_status = 16;
/// curl refuses a line of its configuration from 100 KB on.
constexpr std::size_t longest_value = 40'000;

/// Half of what curl takes as a line, because escapes may double it.
constexpr std::size_t longest_line = 50'000;

/// A file's name as curl's `form` wants it, in which "," and ";" would begin something else.
std::string form_quoted(const std::string& name) {
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

void add_option(WipedString& config, std::string_view name, std::string_view value) {
    config += name;
    config += " = \"";
    for (const char c : value) {
        if (c == '"' || c == '\\') config += '\\';
        if (c == '\n') {
            config += "\\n";
        } else {
            config += c;
        }
    }
    config += "\"\n";
}

/// A body that is longer than a line may be goes in pieces, which `json` puts together again. A piece that begins with
/// "@" would be taken for the name of a file to send; within JSON an "@" is always part of a text, where an escape
/// means the same.
void add_body(WipedString& config, std::string_view body) {
    if (body.size() <= longest_value) return add_option(config, "data-raw", body);
    for (std::size_t begin = 0; begin < body.size(); begin += longest_value) {
        const auto piece = body.substr(begin, longest_value);
        if (!piece.starts_with('@')) {
            add_option(config, "json", piece);
            continue;
        }
        WipedString escaped("\\u0040");
        escaped += piece.substr(1);
        add_option(config, "json", escaped);
    }
}

Result<WipedString> config_of(const RestCall& call) {
    auto config = curl_config(call.url);
    if (!config) return config;
    if (!call.bearer.empty()) {
        WipedString header("Authorization: Bearer ");
        header += call.bearer;
        add_option(*config, "header", header);
    }
    if (!call.user.empty()) add_option(*config, "user", call.user);
    if (call.any_login) *config += "anyauth\n";
    if (!call.upload.empty()) add_option(*config, "form", call.upload_field + "=@" + form_quoted(call.upload));
    if (call.json && !call.json_field.empty()) {
        WipedString field(call.json_field);
        field += "=";
        field += *call.json;
        if (field.size() > longest_line) return fail("the request is too long to be sent with a file");
        add_option(*config, "form-string", field);
    } else if (call.json) {
        add_option(*config, "header", "Content-Type: application/json");
        add_body(*config, *call.json);
    }
    return config;
}

}  // namespace

tl::expected<RestAnswer, RestFailure> call_rest(const RestCall& call, CommandRunner& commands) {
    const auto config = config_of(call);
    if (!config) return tl::unexpected(RestFailure{config.error().message(), 0});
    Command curl;
    curl.argv = {"curl",
                 "-q",
                 "-sS",
                 "-X",
                 call.method,
                 "--connect-timeout",
                 "10",
                 "--max-time",
                 std::to_string(call.timeout.count()),
                 "--max-filesize",
                 std::to_string(max_answer)};
    const char* authority = std::getenv("REQUESTS_CA_BUNDLE");
    if (authority != nullptr && *authority != '\0') {
        std::error_code ignored;
        const bool is_folder = std::filesystem::is_directory(authority, ignored);
        curl.argv.insert(curl.argv.end(), {is_folder ? "--capath" : "--cacert", authority});
    }
    curl.argv.insert(curl.argv.end(), {"-w", "\\n%{http_code}", "-K", "-"});
    curl.input = *config;
    curl.timeout = call.timeout + 5s;
    curl.capture_output = true;
    curl.errors_apart = true;  // an answer may hold a token, and errors are logged
    curl.output_limit = max_answer + max_status;
    auto result = commands.run(curl);
    if (const auto* stopped = std::get_if<CommandInterrupted>(&result.end)) {
        return tl::unexpected(RestFailure{describe(result.end), stopped->signal});
    }
    if (!succeeded(result)) {
        wipe(result.output.data(), result.output.size());
        const CommandResult said{result.end, std::move(result.errors)};
        return tl::unexpected(RestFailure{redacted_url(call.url) + ": " + describe(said), 0});
    }

    RestAnswer answer;
    const auto line = result.output.rfind('\n');
    const auto* begin = result.output.data() + (line == std::string::npos ? 0 : line + 1);
    const auto* end = result.output.data() + result.output.size();
    if (std::from_chars(begin, end, answer.status).ptr != end || answer.status == 0) {
        return tl::unexpected(RestFailure{redacted_url(call.url) + ": the answer is too long", 0});
    }
    result.output.resize(line == std::string::npos ? 0 : line);
    answer.body = std::move(result.output);
    return answer;
}

}  // namespace trebuchet
