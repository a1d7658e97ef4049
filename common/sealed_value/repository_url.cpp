#include "common/sealed_value/repository_url.hpp"

#include <algorithm>
#include <cctype>

namespace trebuchet {
namespace {

constexpr std::size_t longest_url = 1024;
constexpr const char* expected = "expected the URL of a git repository, such as https://git.example.org/team/app";

constexpr const char* no_credentials =
    "found a user, token or password in the URL, expected none: a credential helper of git can give these";

std::string without_last_slashes(std::string_view path) {
    while (path.ends_with('/')) path.remove_suffix(1);
    return std::string(path);
}

std::string lower(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
}

bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7F; });
}

/// `authority`: user:password@host:port. The port of ssh says nothing about that of https.
Result<std::string> https_url(std::string_view authority, std::string_view path, bool keeps_port) {
    const auto at = authority.rfind('@');
    auto host = at == std::string_view::npos ? authority : authority.substr(at + 1);
    if (!keeps_port && !host.ends_with(']')) host = host.substr(0, host.rfind(':'));
    if (host.empty() || host.front() == '-') return fail(expected);
    while (path.starts_with('/')) path.remove_prefix(1);
    return without_last_slashes("https://" + lower(host) + "/" + std::string(path));
}

}  // namespace

Result<std::string> repository_url(std::string_view text) {
    if (text.empty() || text.size() > longest_url || !is_plain(text) || text.front() == '-') return fail(expected);
    if (text.starts_with('/')) return "file://" + without_last_slashes(text);
    const auto scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos) {
        const auto colon = text.find(':');
        if (colon == std::string_view::npos || text.find('/') < colon) return fail(expected);
        return https_url(text.substr(0, colon), text.substr(colon + 1), true);
    }
    const auto scheme = lower(text.substr(0, scheme_end));
    const auto rest = text.substr(scheme_end + 3);
    if (scheme == "file" && rest.starts_with('/')) return "file://" + without_last_slashes(rest);
    const bool is_web = scheme == "https" || scheme == "http";
    if (!is_web && scheme != "ssh" && scheme != "git+ssh") return fail(expected);
    const auto slash = std::min(rest.find('/'), rest.size());
    const auto user = rest.substr(0, slash).substr(0, rest.substr(0, slash).rfind('@') + 1);
    // Who logs in by ssh is no secret.
    if (is_web ? !user.empty() : user.find(':') != std::string_view::npos) return fail(no_credentials);
    return https_url(rest.substr(0, slash), rest.substr(slash), is_web);
}

}  // namespace trebuchet
