#include "common/base/text.hpp"
#include "common/mask/masker.hpp"
#include "common/mask/secret_forms.hpp"
#include "tests/common/mask/mask_oracle.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using test::MaskOracle;

constexpr int cases_per_set = 250;
constexpr int sets_per_block = 100;

class Draw {
  public:
    explicit Draw(std::uint64_t seed) : engine_(seed) {}
    std::size_t between(std::size_t least, std::size_t most) { return least + engine_() % (most - least + 1); }
    bool one_in(std::size_t count) { return between(1, count) == 1; }
    std::string text(std::size_t size, const std::vector<std::string>& letters) {
        std::string text;
        while (text.size() < size) text += letters[between(0, letters.size() - 1)];
        return text;
    }
    template <typename T>
    const T& of(const std::vector<T>& some) {
        return some[between(0, some.size() - 1)];
    }

  private:
    std::mt19937_64 engine_;
};

std::vector<std::string> single(std::string_view letters) {
    std::vector<std::string> all;
    for (const char c : letters) all.emplace_back(1, c);
    return all;
}

/// Values of very different shapes, short enough for thousands of cases.
std::string value_of(Draw& draw) {
    static const auto alphanumeric = single("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    static const auto punctuation = single("aB3 '\"`$\\!#&<>%;~{}()[]*?/=+,.|^@:-_");
    static const std::vector<std::string> unicode{"ä", "é", "→", "😀", "n", "7", "\xFF"};
    static const auto few = single("ab");
    switch (draw.between(0, 6)) {
        case 0:
            return draw.text(draw.between(8, 20), alphanumeric);
        case 1:
            return draw.text(draw.between(4, 14), punctuation);
        case 2:
            return draw.text(draw.between(4, 14), unicode);
        case 3:
            return draw.text(draw.between(5, 12), alphanumeric) + "\n" + draw.text(draw.between(1, 12), punctuation) +
                   (draw.one_in(2) ? "\n" : "\r\n") + draw.text(draw.between(0, 8), alphanumeric);
        case 4:
            return R"({"k": ")" + draw.text(draw.between(4, 10), alphanumeric) + R"(", "n": ["a\u00e9\/b c"]})";
        case 5:
            return draw.text(draw.between(3, 5), punctuation);
        default:
            return draw.text(draw.between(3, 9), few);
    }
}

/// One of the forms of a value, with gaps and in a case of letters that it may have.
std::string some_form(const std::vector<DerivedForm>& forms, const std::string& value, Draw& draw) {
    static const std::vector<std::string> gaps{
        "\n",     "\r\n", "\x1b[0m", "\r",     "\x1b[1;31m",         "\x1b]0;t\a",
        "\n\n\n", "\x1b", "\n  ",    "\r\n\t", std::string(65, '\n')};
    std::string form = value;
    if (!forms.empty() && !draw.one_in(4)) {
        const auto& derived = draw.of(forms);
        form = derived.bytes.reveal();
        if (derived.any_case) {
            for (auto& c : form) c = c >= 'a' && c <= 'z' && draw.one_in(3) ? static_cast<char>(c - 'a' + 'A') : c;
        }
    }
    if (draw.one_in(3)) {
        for (auto count = draw.between(1, 3); count > 0; --count) {
            form.insert(draw.between(0, form.size()), draw.of(gaps));
        }
    }
    if (draw.one_in(6)) form.erase(draw.between(0, form.size() - 1), 1);
    return form;
}

void check_one(const MaskSet& set, Masker& masker, const MaskOracle& oracle, const std::string& text, Draw& draw) {
    SCOPED_TRACE(quoted(text, 1000));
    std::string out;
    const auto longest_write = draw.one_in(3) ? 1 : draw.between(1, 40);
    const auto looked_at = draw.between(0, text.size());
    for (std::size_t done = 0; done < text.size();) {
        auto size = std::min(draw.between(1, longest_write), text.size() - done);
        if (done < looked_at) size = std::min(size, looked_at - done);
        out += masker.write(std::string_view(text).substr(done, size)).bytes();
        done += size;
        if (done != looked_at || !draw.one_in(4)) continue;
        ASSERT_EQ(masker.held(), oracle.held(text.substr(0, done))) << "after " << done << " bytes";
        ASSERT_EQ(out, oracle.certain(text.substr(0, done))) << "after " << done << " bytes";
    }
    out += masker.finish().bytes();
    ASSERT_EQ(out, oracle.masked(text));
    if (draw.one_in(4)) {
        ASSERT_EQ(set.mask(text).bytes(), out);
    }
}

void check_one_set(std::uint64_t seed) {
    Draw draw(seed);
    std::vector<std::string> values;
    for (auto count = draw.between(1, 2); count > 0; --count) values.push_back(value_of(draw));
    const auto set = MaskSet::build(test::named(values), {.views = false});
    ASSERT_TRUE(set.has_value()) << set.error().message();
    const MaskOracle oracle(**set, values, MaskOptions{}.min_length);
    std::vector<std::vector<DerivedForm>> forms;
    std::string shown;
    for (const auto& value : values) {
        forms.push_back(derived_forms(value, MaskOptions{}.min_length));
        shown += quoted(value, 300) + " ";
    }
    SCOPED_TRACE(shown);
    static const auto filler = single("a b\n0%\\&");
    Masker masker(*set);
    for (int i = 0; i < cases_per_set && !testing::Test::HasFatalFailure(); ++i) {
        std::string text;
        for (auto count = draw.between(1, 2); count > 0; --count) {
            const auto which = draw.between(0, values.size() - 1);
            text += draw.text(draw.between(0, 4), filler) + some_form(forms[which], values[which], draw);
        }
        text += draw.text(draw.between(0, 3), filler);
        check_one(**set, masker, oracle, text, draw);
    }
}

/// A block is 25,000 cases.
class FormsProperty : public testing::TestWithParam<int> {};

TEST_P(FormsProperty, EveryFormIsMaskedLikeByTheOracle) {
    for (int i = 0; i < sets_per_block && !HasFatalFailure(); ++i) {
        const auto seed = static_cast<std::uint64_t>(GetParam()) * sets_per_block + static_cast<std::uint64_t>(i);
        SCOPED_TRACE("seed " + std::to_string(seed));
        check_one_set(seed);
    }
}

INSTANTIATE_TEST_SUITE_P(Blocks, FormsProperty, testing::Range(TREBUCHET_MASK_FIRST_BLOCK, TREBUCHET_MASK_BLOCKS));

}  // namespace
}  // namespace trebuchet
