#include "provision/image/checksum.hpp"

#include "common/base/text.hpp"

#include <cctype>
#include <optional>
#include <utility>

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

/// Takes "sha256:", "SHA-512=" and the like off the front.
std::optional<DigestKind> take_kind(std::string_view& text) {
    std::string begin(text.substr(0, 8));
    for (auto& c : begin) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (const auto& [name, kind] : {std::pair{std::string_view("sha256"), DigestKind::sha256},
                                     {std::string_view("sha-256"), DigestKind::sha256},
                                     {std::string_view("sha512"), DigestKind::sha512},
                                     {std::string_view("sha-512"), DigestKind::sha512}}) {
        const auto size = name.size();
        if (!begin.starts_with(name) || begin.size() == size || (begin[size] != ':' && begin[size] != '=')) continue;
        text = trimmed(text.substr(size + 1));
        return kind;
    }
    return std::nullopt;
}

std::optional<Checksum> from_hex(std::string_view text) {
    const auto named = take_kind(text);
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

std::string_view last_part(std::string_view path) {
    return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

/// "SHA256 (NAME) = HEX", as BSD and `sha256sum --tag` write it.
std::optional<Checksum> from_tagged_line(std::string_view line, std::string_view file_name) {
    const auto open = line.find(" (");
    const auto close = line.rfind(") = ");
    if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
    if (last_part(line.substr(open + 2, close - open - 2)) != file_name) return std::nullopt;
    return from_hex(std::string(line.substr(0, open)) + ":" + std::string(trimmed(line.substr(close + 4))));
}

/// "HEX  NAME" or "HEX *NAME"
std::optional<Checksum> from_line(std::string_view line, std::string_view file_name) {
    if (auto tagged = from_tagged_line(line, file_name)) return tagged;
    const auto end = line.find_first_of(" \t");
    if (end == std::string_view::npos) return std::nullopt;
    auto name = trimmed(line.substr(end));
    if (name.starts_with('*')) name.remove_prefix(1);
    if (last_part(name) != file_name) return std::nullopt;
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
