#include "common/repository_file/encrypted_entry.hpp"

#include "common/secret/base64.hpp"

#include <algorithm>
#include <cctype>

namespace trebuchet {
namespace {

constexpr std::size_t longest_user = 128;

std::string without_white_space(std::string_view text) {
    std::string dense;
    dense.reserve(text.size());
    for (const char c : text) {
        if (std::string_view(" \t\r\n").find(c) == std::string_view::npos) dense += c;
    }
    return dense;
}

bool is_placeholder(std::string_view text) {
    return text.size() >= 2 && text.front() == '<' && text.back() == '>';
}

constexpr const char* expected_value = ", expected what `trebuchet-agent secret encrypt` prints";

}  // namespace

bool is_encrypted_user(std::string_view text) {
    return !text.empty() && text.size() <= longest_user && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '@';
    });
}

Result<EncryptedEntry> parse_encrypted_entry(std::string_view text) {
    const auto dense = without_white_space(text);
    if (dense.empty()) return fail(std::string("found an empty text") + expected_value);
    if (is_placeholder(dense)) return fail(std::string("found a placeholder that was left in") + expected_value);
    EncryptedEntry entry;
    const auto comma = dense.find(',');
    if (comma != std::string::npos) {
        entry.user = dense.substr(0, comma);
        if (!is_encrypted_user(entry.user)) {
            return fail(std::string("found a text that is not encrypted") + expected_value);
        }
    }
    entry.base64 = comma == std::string::npos ? dense : dense.substr(comma + 1);
    const auto bytes = base64_decoded(entry.base64);
    if (!bytes) return fail(std::string("found a text that is not encrypted: it is not base64") + expected_value);
    if (bytes->empty() || bytes->size() % encrypted_block != 0) {
        return fail("found base64 of " + std::to_string(bytes->size()) + " bytes: it is not encrypted, or a part is " +
                    "missing; expected blocks of " + std::to_string(encrypted_block) + " bytes");
    }
    if (bytes->size() > encrypted_block * most_encrypted_blocks) {
        return fail("found " + std::to_string(bytes->size() / encrypted_block) + " blocks, expected at most " +
                    std::to_string(most_encrypted_blocks));
    }
    return entry;
}

}  // namespace trebuchet
