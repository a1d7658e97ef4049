#include "provision/job/job_url.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace trebuchet {
namespace {

constexpr std::string_view allowed_marks = "-._~:/?#[]@!&*+,=%";

bool is_allowed(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 128 && (std::isalnum(byte) != 0 || allowed_marks.find(c) != std::string_view::npos);
}

/// "user@host:80" of "http://user@host:80/path"; "" without a known scheme.
std::string_view authority_of(std::string_view url) {
    constexpr std::array<std::string_view, 4> schemes{"http://", "https://", "ftp://", "ftps://"};
    const auto scheme = std::find_if(schemes.begin(), schemes.end(), [&](auto s) { return url.starts_with(s); });
    if (scheme == schemes.end()) return {};
    const auto rest = url.substr(scheme->size());
    return rest.substr(0, rest.find_first_of("/?#"));
}

}  // namespace

Result<void> check_argument_url(std::string_view url, std::string_view field) {
    const std::string name(field);
    const auto authority = authority_of(url);
    if (authority.empty() || authority.front() == ':') {
        return fail(name + ": expected a URL that begins with http://, https://, ftp:// or ftps:// and names a host");
    }
    if (authority.find('@') != std::string_view::npos) {
        return fail(name +
                    ": found a user or password in the URL, which every user of the agent's host could see: expected a "
                    "URL without");
    }
    if (const auto at = std::find_if_not(url.begin(), url.end(), is_allowed); at != url.end()) {
        return fail(name + ": found a character at position " + std::to_string(at - url.begin() + 1) +
                    " that a URL must hold as %XX");
    }
    return {};
}

Result<void> check_public_url(std::string_view url, std::string_view field) {
    auto host = authority_of(url);
    if (const auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
    if (!host.starts_with('[')) host = host.substr(0, host.find(':'));
    const bool is_printable = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c != 0x7f; });
    const bool is_full = host == "localhost" || host.starts_with('[') || host.find('.') != std::string_view::npos;
    if (is_printable && is_full) return {};
    return fail(std::string(field) +
                ": url format is not correct: expected http://, https://, ftp:// or ftps:// and a host with a dot");
}

}  // namespace trebuchet
