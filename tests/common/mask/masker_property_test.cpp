#include "common/base/text.hpp"
#include "common/mask/masker.hpp"
#include "tests/common/mask/mask_oracle.hpp"

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using test::MaskOracle;

/// One reproducible case: everything follows from its seed.
class Draw {
  public:
    explicit Draw(std::uint64_t seed) : engine_(seed) {}
    std::size_t between(std::size_t least, std::size_t most) { return least + engine_() % (most - least + 1); }
    std::string text(std::size_t length, std::string_view alphabet) {
        std::string text;
        for (std::size_t i = 0; i < length; ++i) text += alphabet[between(0, alphabet.size() - 1)];
        return text;
    }

  private:
    std::mt19937_64 engine_;
};

struct Shape {
    std::vector<std::string> alphabets;
    std::size_t most_values;
    std::size_t longest_value;
    std::size_t longest_text;
    std::size_t longest_write;
};

std::string text_of(const std::vector<std::string>& values, std::string_view alphabet, std::size_t longest,
                    Draw& draw) {
    std::string text;
    while (text.size() < longest && draw.between(0, 9) != 0) {
        const auto& value = values[draw.between(0, values.size() - 1)];
        text += draw.between(0, 1) == 0 ? value : value.substr(0, draw.between(0, value.size()));
        text += draw.text(draw.between(0, 3), alphabet);
    }
    return text;
}

void check_one_text(const MaskSet& set, Masker& masker, const MaskOracle& oracle, std::string_view text,
                    std::size_t longest_write, Draw& draw) {
    std::string out;
    for (std::size_t done = 0; done < text.size();) {
        const auto size = std::min(draw.between(0, longest_write), text.size() - done);
        out += masker.write(text.substr(done, size)).bytes();
        done += size;
        const auto so_far = text.substr(0, done);
        ASSERT_EQ(masker.held(), oracle.held(so_far)) << "after " << quoted(so_far, 500);
        ASSERT_EQ(out, oracle.certain(so_far)) << "after " << quoted(so_far, 500);
    }
    out += masker.finish().bytes();
    ASSERT_EQ(out, oracle.masked(text));
    ASSERT_EQ(set.mask(text).bytes(), out);
    ASSERT_EQ(masker.held(), 0U);
}

/// Ten texts against one set of values.
void check_ten_texts(std::uint64_t seed, const Shape& shape) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    const auto& alphabet = shape.alphabets[draw.between(0, shape.alphabets.size() - 1)];
    std::vector<std::string> values;
    const auto count = draw.between(1, shape.most_values);
    for (std::size_t i = 0; i < count; ++i) values.push_back(draw.text(draw.between(0, shape.longest_value), alphabet));
    const auto min_length = draw.between(1, 3);
    const auto set = MaskSet::build(test::named(values), {.min_length = min_length, .views = false});
    ASSERT_TRUE(set.has_value()) << set.error().message();
    const MaskOracle oracle(**set, values, min_length);
    std::string shown;
    for (const auto& value : values) shown += quoted(value, 200) + ' ';
    SCOPED_TRACE(shown + "minimum " + std::to_string(min_length));
    Masker masker(*set);
    for (int i = 0; i < 10 && !testing::Test::HasFatalFailure(); ++i) {
        const auto text = text_of(values, alphabet, shape.longest_text, draw);
        check_one_text(**set, masker, oracle, text, shape.longest_write, draw);
    }
}

TEST(MaskerProperty, AgreesWithTheOracleForShortOverlappingValues) {
    const Shape shape{
        {"ab", "aab", "abc", std::string("a\0\xFF", 3), "a \"\n", "aab\n", "abc\n ", "abc\r\n\x1B[m"}, 6, 7, 40, 6};
    for (std::uint64_t seed = 1; seed <= 800 && !HasFatalFailure(); ++seed) check_ten_texts(seed, shape);
}

TEST(MaskerProperty, AgreesWithTheOracleForValuesLongerThanAnAnchor) {
    const Shape shape{
        {"a", "aaaaaaaaaaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "abc", "aaaaaaaaaaaaaab\n"},
        12,
        100,
        400,
        150};
    for (std::uint64_t seed = 1; seed <= 25 && !HasFatalFailure(); ++seed) check_ten_texts(seed, shape);
}

TEST(MaskerProperty, AgreesWithTheOracleForRepetitiveValuesInTinyWrites) {
    const Shape shape{{"aaaaaaab", "aaaaaaaaaaaaaaaaaaaaab", "ab"}, 4, 40, 150, 2};
    for (std::uint64_t seed = 1; seed <= 40 && !HasFatalFailure(); ++seed) check_ten_texts(seed, shape);
}

TEST(MaskerProperty, AgreesWithTheOracleForValuesOfManyHundredBytes) {
    const Shape shape{{"a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "abc"},
                      2,
                      700,
                      1500,
                      1000};
    for (std::uint64_t seed = 1; seed <= 4 && !HasFatalFailure(); ++seed) check_ten_texts(seed, shape);
}

}  // namespace
}  // namespace trebuchet
