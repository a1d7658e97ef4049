#include "provision/image/checksum.hpp"

#include "common/base/text.hpp"

#include <cctype>
#include <optional>

namespace trebuchet {
namespace {

constexpr std::size_t sha256_digits = 64;
constexpr std::size_t sha512_digits = 128;
constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::optional<Checksum> from_hex(std::string_view text) {
    std::optional<DigestKind> named;
    if (text.starts_with("sha256:")) named = DigestKind::sha256;
    if (text.starts_with("sha512:")) named = DigestKind::sha512;
    if (named) text.remove_prefix(7);
    Checksum checksum;
    if (text.size() == sha512_digits) {
        checksum.kind = DigestKind::sha512;
    } else if (text.size() != sha256_digits) {
        return std::nullopt;
    }
    if (named && *named != checksum.kind) return std::nullopt;
    for (const char c : text) {
        if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
        checksum.hex += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return checksum;
}

/// "HEX  NAME" or "HEX *NAME"
std::optional<Checksum> from_line(std::string_view line, std::string_view file_name) {
    const auto end = line.find_first_of(" \t");
    if (end == std::string_view::npos) return std::nullopt;
    auto name = trimmed(line.substr(end));
    if (name.starts_with('*')) name.remove_prefix(1);
    if (const auto slash = name.rfind('/'); slash != std::string_view::npos) name.remove_prefix(slash + 1);
    if (name != file_name) return std::nullopt;
    return from_hex(line.substr(0, end));
}

}  // namespace

Result<Checksum> parse_checksum(std::string_view text, std::string_view file_name) {
    text = trimmed(text);
    if (auto checksum = from_hex(text)) return std::move(*checksum);
    auto rest = text;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        if (auto checksum = from_line(trimmed(rest.substr(0, end)), file_name)) return std::move(*checksum);
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    return fail("found the checksum " + trebuchet::quoted(text) +
                ", expected 64 (SHA-256) or 128 (SHA-512) hex digits, or sha256sum's line for " +
                trebuchet::quoted(file_name));
}

}  // namespace trebuchet
