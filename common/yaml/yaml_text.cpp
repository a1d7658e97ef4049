#include "common/yaml/yaml_text.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <limits>
#include <string>
#include <system_error>

namespace trebuchet {
namespace {

constexpr std::string_view digits = "0123456789";
constexpr std::string_view grouped_digits = "0123456789_";

template <std::size_t Size>
bool is_one_of(std::string_view text, const std::array<std::string_view, Size>& words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 9> true_words{"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
constexpr std::array<std::string_view, 9> false_words{"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};

/// Matches the pieces of a regular expression at the front of a text, one after another, and removes them.
class Pieces {
  public:
    explicit Pieces(std::string_view text) : rest_(text) {}

    bool one_of(std::string_view set) {
        if (rest_.empty() || set.find(rest_.front()) == std::string_view::npos) return false;
        rest_.remove_prefix(1);
        return true;
    }
    /// Takes characters of `set`; returns how many.
    std::size_t run_of(std::string_view set, std::size_t most = std::string_view::npos) {
        const auto length = std::min({rest_.find_first_not_of(set), rest_.size(), most});
        rest_.remove_prefix(length);
        return length;
    }
    /// Takes digits of `set` and underscores, with at least one digit.
    bool grouped_run_of(std::string_view set) {
        std::size_t count = 0;
        while (true) {
            const auto taken = run_of(set);
            if (taken == 0 && run_of("_") == 0) return count > 0;
            count += taken;
        }
    }
    bool word(std::string_view word) {
        if (rest_.substr(0, word.size()) != word) return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    bool exactly(std::size_t count, std::string_view set) { return run_of(set, count) == count; }
    /// Takes one or two digits.
    bool short_number() { return run_of(digits, 2) > 0; }
    [[nodiscard]] bool done() const { return rest_.empty(); }

  private:
    std::string_view rest_;
};

/// (:[0-5]?[0-9])+
bool take_base_60_tail(Pieces& pieces) {
    bool any = false;
    while (pieces.one_of(":")) {
        if (pieces.one_of("012345")) {
            pieces.one_of(digits);
        } else if (!pieces.one_of("6789")) {
            return false;
        }
        any = true;
    }
    return any;
}

bool is_integer(std::string_view text) {
    Pieces pieces(text);
    pieces.one_of("+-");
    if (pieces.word("0b")) return pieces.grouped_run_of("01") && pieces.done();
    if (pieces.word("0x")) return pieces.grouped_run_of("0123456789abcdefABCDEF") && pieces.done();
    if (pieces.one_of("0")) {
        pieces.run_of("01234567_");
        return pieces.done();
    }
    if (!pieces.one_of("123456789")) return false;
    pieces.run_of(grouped_digits);
    return pieces.done() || (take_base_60_tail(pieces) && pieces.done());
}

bool is_floating(std::string_view text) {
    if (is_one_of(text, std::array<std::string_view, 3>{".nan", ".NaN", ".NAN"})) return true;
    Pieces all(text);
    auto pieces = all;
    const auto take_exponent = [&pieces] {
        if (pieces.one_of("eE")) return pieces.one_of("+-") && pieces.run_of(digits) > 0;
        return true;
    };
    if (pieces.one_of(".") && pieces.one_of(digits)) {
        pieces.run_of(grouped_digits);
        return take_exponent() && pieces.done();
    }
    pieces = all;
    pieces.one_of("+-");
    if (pieces.word(".inf") || pieces.word(".Inf") || pieces.word(".INF")) return pieces.done();
    if (!pieces.one_of(digits)) return false;
    pieces.run_of(grouped_digits);
    const bool base_60 = take_base_60_tail(pieces);
    if (!pieces.one_of(".")) return false;
    pieces.run_of(grouped_digits);
    return (base_60 || take_exponent()) && pieces.done();
}

bool is_timestamp(std::string_view text) {
    Pieces date(text);
    if (date.exactly(4, digits) && date.one_of("-") && date.exactly(2, digits) && date.one_of("-") &&
        date.exactly(2, digits) && date.done()) {
        return true;
    }
    Pieces full(text);
    if (!(full.exactly(4, digits) && full.one_of("-") && full.short_number() && full.one_of("-") &&
          full.short_number())) {
        return false;
    }
    if (!full.one_of("Tt") && full.run_of(" \t") == 0) return false;
    if (!(full.short_number() && full.one_of(":") && full.exactly(2, digits) && full.one_of(":") &&
          full.exactly(2, digits))) {
        return false;
    }
    if (full.one_of(".")) full.run_of(digits);
    if (full.done()) return true;
    full.run_of(" \t");
    if (full.one_of("Z")) return full.done();
    if (!full.one_of("+-") || !full.short_number()) return false;
    return full.done() || (full.one_of(":") && full.exactly(2, digits) && full.done());
}

unsigned digit_value(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    return static_cast<unsigned>(std::tolower(static_cast<unsigned char>(c)) - 'a') + 10;
}

std::string without_underscores(std::string_view text) {
    std::string out(text);
    out.erase(std::remove(out.begin(), out.end(), '_'), out.end());
    return out;
}

/// Appends one digit; clears `fits` on an overflow.
void push_digit(YamlInteger& number, unsigned base, unsigned digit) {
    number.rounded = number.rounded * base + digit;
    if (__builtin_mul_overflow(number.magnitude, std::uint64_t{base}, &number.magnitude) ||
        __builtin_add_overflow(number.magnitude, std::uint64_t{digit}, &number.magnitude)) {
        number.fits = false;
    }
}

YamlInteger in_base(std::string_view text, unsigned base) {
    YamlInteger number;
    for (const char c : text) push_digit(number, base, digit_value(c));
    return number;
}

YamlInteger in_base_60(std::string_view text) {
    auto colon = text.find(':');
    auto number = in_base(text.substr(0, colon), 10);
    while (colon != std::string_view::npos) {
        text.remove_prefix(colon + 1);
        colon = text.find(':');
        push_digit(number, 60, static_cast<unsigned>(in_base(text.substr(0, colon), 10).magnitude));
    }
    return number;
}

double parse_double(std::string_view text) {
    double value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc::result_out_of_range) return value;
    return text.find('-') == std::string_view::npos ? std::numeric_limits<double>::infinity() : 0.0;
}

YamlPosition position_of(std::string_view text, std::size_t offset) {
    const auto before = text.substr(0, offset);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const auto line_start = before.rfind('\n');
    const auto column = line_start == std::string_view::npos ? offset : offset - line_start - 1;
    return {static_cast<int>(lines) + 1, static_cast<int>(column) + 1};
}

YamlProblem forbidden(std::string_view text, std::size_t offset, const char* what) {
    std::array<char, 48> found{};
    std::snprintf(found.data(), found.size(), "found the byte 0x%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(text[offset])));
    return {position_of(text, offset), std::string(found.data()) + what};
}

}  // namespace

YamlType plain_scalar_type(std::string_view text) {
    if (is_one_of(text, std::array<std::string_view, 5>{"", "~", "null", "Null", "NULL"})) return YamlType::null;
    if (is_one_of(text, true_words) || is_one_of(text, false_words)) return YamlType::boolean;
    if (is_integer(text)) return YamlType::integer;
    if (is_floating(text)) return YamlType::floating;
    if (is_timestamp(text)) return YamlType::timestamp;
    return YamlType::string;
}

bool plain_boolean(std::string_view text) {
    return is_one_of(text, true_words);
}

YamlInteger plain_integer(std::string_view text) {
    const auto clean = without_underscores(text);
    std::string_view rest = clean;
    const bool negative = rest.front() == '-';
    if (negative || rest.front() == '+') rest.remove_prefix(1);
    YamlInteger number;
    if (rest.substr(0, 2) == "0b") {
        number = in_base(rest.substr(2), 2);
    } else if (rest.substr(0, 2) == "0x") {
        number = in_base(rest.substr(2), 16);
    } else if (rest.front() == '0') {
        number = in_base(rest, 8);
    } else {
        number = in_base_60(rest);
    }
    number.negative = negative;
    if (negative) number.rounded = -number.rounded;
    return number;
}

std::optional<std::int64_t> signed_value(const YamlInteger& number) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!number.fits || number.magnitude > most + (number.negative ? 1 : 0)) return std::nullopt;
    // Negate as unsigned, because -2⁶³ has no positive counterpart.
    return static_cast<std::int64_t>(number.negative ? 0 - number.magnitude : number.magnitude);
}

double plain_floating(std::string_view text) {
    auto clean = without_underscores(text);
    const bool negative = clean.front() == '-';
    if (negative || clean.front() == '+') clean.erase(0, 1);
    double value = 0;
    if (is_one_of(clean, std::array<std::string_view, 3>{".inf", ".Inf", ".INF"})) {
        value = std::numeric_limits<double>::infinity();
    } else if (is_one_of(clean, std::array<std::string_view, 3>{".nan", ".NaN", ".NAN"})) {
        value = std::numeric_limits<double>::quiet_NaN();
    } else {
        std::size_t begin = 0;
        for (auto colon = clean.find(':'); colon != std::string::npos; colon = clean.find(':', begin)) {
            value = (value + parse_double(clean.substr(begin, colon - begin))) * 60;
            begin = colon + 1;
        }
        value += parse_double(clean.substr(begin));
    }
    return negative ? -value : value;
}

std::optional<YamlProblem> find_forbidden_character(std::string_view text) {
    const auto valid = to_valid_utf8(text);
    if (valid != text) {
        const auto first = std::mismatch(text.begin(), text.end(), valid.begin(), valid.end()).first;
        const auto same = static_cast<std::size_t>(first - text.begin());
        // The replacement character may start with the same bytes as the wrong ones.
        return forbidden(text, same - incomplete_utf8_tail(text.substr(0, same)), ", expected UTF-8");
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool c0 = (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
        const auto second = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
        const bool c1 = byte == 0xC2 && second < 0xA0 && second != 0x85;
        if (c0 || c1) return forbidden(text, i, ", a control character: write it as an escape in double quotes");
        if (text.substr(i, 3) == "\xEF\xBF\xBE" || text.substr(i, 3) == "\xEF\xBF\xBF") {
            return forbidden(text, i, ", the start of a character that Unicode excludes");
        }
    }
    return std::nullopt;
}

}  // namespace trebuchet
