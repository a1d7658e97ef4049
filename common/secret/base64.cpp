#include "common/secret/base64.hpp"

#include <algorithm>
#include <cstdint>

namespace trebuchet {
namespace {

constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

WipedString encoded(std::string_view bytes, std::string_view alphabet) {
    WipedString text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto group = bytes.substr(i, 3);
        std::uint32_t bits = 0;
        for (const char byte : group) bits = (bits << 8U) | static_cast<unsigned char>(byte);
        bits <<= 8U * (3 - group.size());
        for (std::size_t digit = 0; digit <= group.size(); ++digit) {
            text += alphabet[(bits >> (18U - 6U * digit)) & 0x3FU];
        }
    }
    return text;
}

}  // namespace

WipedString base64_encoded(std::string_view bytes) {
    auto text = encoded(bytes, digits);
    while (text.size() % 4 != 0) text += '=';
    return text;
}

WipedString base64url_encoded(std::string_view bytes) {
    return encoded(bytes, url_digits);
}

std::optional<SecretString> base64_decoded(std::string_view text) {
    WipedString clean;
    clean.reserve(text.size());
    std::copy_if(text.begin(), text.end(), std::back_inserter(clean), [](char c) { return c != '\n' && c != '\r'; });
    const auto padding = std::min<std::size_t>(clean.size() - std::min(clean.find('='), clean.size()), 3);
    if (padding > 2 || (padding > 0 && clean.size() % 4 != 0)) return std::nullopt;
    if (clean.find_first_not_of('=', clean.size() - padding) != WipedString::npos) return std::nullopt;
    clean.resize(clean.size() - padding);
    if (clean.size() % 4 == 1) return std::nullopt;
    WipedString bytes;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : clean) {
        const auto digit = digits.find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes += static_cast<char>((bits >> count) & 0xFFU);
    }
    return SecretString(bytes);
}

std::optional<SecretString> base64url_decoded(std::string_view text) {
    if (text.find_first_of("+/") != std::string_view::npos) return std::nullopt;
    WipedString plain(text);
    std::replace(plain.begin(), plain.end(), '-', '+');
    std::replace(plain.begin(), plain.end(), '_', '/');
    return base64_decoded(plain);
}

}  // namespace trebuchet
