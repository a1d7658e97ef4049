#include "common/log/log_line.hpp"

#include "common/base/text.hpp"

#include <sys/stat.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

std::string two_hex_digits(unsigned byte) {
    constexpr std::string_view digits = "0123456789abcdef";
    return {digits[byte >> 4U & 0xFU], digits[byte & 0xFU]};
}

}  // namespace

std::string one_line(const MaskedChunk& text, std::size_t limit) {
    const auto all = text.bytes();
    auto cut = all.substr(0, limit);
    if (cut.size() < all.size()) cut.remove_suffix(incomplete_utf8_tail(cut));
    const auto shown = to_valid_utf8(cut);
    std::string out;
    out.reserve(shown.size());
    for (std::size_t i = 0; i < shown.size(); ++i) {
        const auto byte = static_cast<unsigned char>(shown[i]);
        const auto second = i + 1 < shown.size() ? static_cast<unsigned char>(shown[i + 1]) : 0U;
        const auto line_separator = std::string_view(shown).substr(i, 3);
        if (byte == '\n') {
            out += "\\n";
        } else if (byte == '\t') {
            out += "\\t";
        } else if (byte < 0x20 || byte == 0x7F) {
            out += "\\x" + two_hex_digits(byte);
        } else if (byte == 0xC2 && second < 0xA0) {
            out += "\\u00" + two_hex_digits(second);
            ++i;
        } else if (line_separator == "\xE2\x80\xA8" || line_separator == "\xE2\x80\xA9") {
            out += line_separator == "\xE2\x80\xA8" ? "\\u2028" : "\\u2029";
            i += 2;
        } else {
            out += shown[i];
        }
    }
    if (cut.size() < all.size()) out += "… (" + std::to_string(all.size() - cut.size()) + " more bytes)";
    return out;
}

std::string journal_datagram(char priority, std::string_view text, const LogFields& fields) {
    auto datagram = "MESSAGE=" + std::string(text) + "\nPRIORITY=" + priority + "\n";
    for (const auto& [name, value] : fields) datagram += name + "=" + value + "\n";
    return datagram;
}

std::string json_line(const std::string& time, std::string_view level, std::string_view text, const LogFields& fields) {
    nlohmann::ordered_json json{{"time", time}, {"level", level}, {"message", text}};
    for (const auto& [name, value] : fields) {
        auto key = name;
        for (char& c : key) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        json[key] = value;
    }
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

bool is_journal(int fd, const char* journal_stream) {
    if (journal_stream == nullptr) return false;
    struct stat info {};
    if (::fstat(fd, &info) != 0) return false;
    return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) == journal_stream;
}

}  // namespace trebuchet
