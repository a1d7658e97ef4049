#include "common/base/text.hpp"
#include "common/mask/form_coverage.hpp"
#include "common/mask/mask_set.hpp"
#include "common/mask/secret_forms.hpp"
#include "tests/common/mask/mask_oracle.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace {

using trebuchet::MaskSet;

constexpr std::size_t longest_value = 300;
constexpr std::size_t mask_size = 10;

void expect(bool holds, const char* what, std::string_view value, std::string_view text) {
    if (holds) return;
    std::cerr << what << "\nvalue " << trebuchet::quoted(value, 2000) << "\ntext " << trebuchet::quoted(text, 2000)
              << '\n';
    std::abort();
}

std::string upper(std::string text) {
    for (auto& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return text;
}

std::string base64_of(std::string_view bytes) {
    static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size() * 8; i += 6) {
        unsigned digit = 0;
        for (std::size_t bit = i; bit < i + 6; ++bit) {
            const unsigned byte = bit / 8 < bytes.size() ? static_cast<unsigned char>(bytes[bit / 8]) : 0U;
            digit = digit << 1U | (byte >> (7 - bit % 8) & 1U);
        }
        out += digits[digit];
    }
    return out;
}

/// Whatever bytes surround the value, no base64 character remains that depends only on the value.
void check_base64(const MaskSet& set, std::string_view value) {
    if (value.size() < 5 || !set.too_short().empty()) return;
    for (std::size_t before = 0; before < 3; ++before) {
        const auto text = base64_of(std::string(before, '\xA5').append(value).append("\x5A\xA5"));
        const auto front = (8 * before + 5) / 6;
        const auto end = 8 * (before + value.size()) / 6;
        const auto masked = std::string(set.mask(text).bytes());
        const auto rest = text.substr(end);
        expect(masked.size() <= front + mask_size + rest.size() && masked.starts_with(text.substr(0, front) + "**"),
               "base64 is not masked", value, text);
    }
}

}  // namespace

/// Each form of a value, and its base64 within other bytes, is masked completely. The first byte is the minimum length
/// minus one (2 bits); the rest is the value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t min_length = 1 + (data[0] & 3U);
    const std::string value(reinterpret_cast<const char*>(data) + 1, std::min(size - 1, longest_value));
    const auto set = MaskSet::build(trebuchet::test::named({value}), {min_length, {}});
    expect(set.has_value(), "the set cannot be built", value, "");
    const auto forms = trebuchet::derived_forms(value, min_length);
    static_cast<void>(trebuchet::coverage_of(value, min_length));
    if (trebuchet::core_of(value).empty() || value.size() < min_length) {
        expect((*set)->mask(value).bytes() == value, "masks what is no secret", value, value);
        return 0;
    }
    for (const auto& form : forms) {
        const std::string text(form.bytes.reveal());
        expect(text.size() >= min_length && text != value, "is no form of its own", value, text);
        expect((*set)->mask(text).size() == mask_size, "a form is not masked as one", value, text);
        if (form.any_case) {
            expect((*set)->mask(upper(text)).size() == mask_size, "is not masked in upper case", value, text);
        }
    }
    check_base64(**set, trebuchet::core_of(value));
    return 0;
}
