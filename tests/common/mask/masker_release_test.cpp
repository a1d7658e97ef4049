#include "common/base/text.hpp"
#include "common/mask/credential_patterns.hpp"
#include "common/mask/mask_counts.hpp"
#include "common/mask/mask_text.hpp"
#include "common/mask/masker.hpp"
#include "common/mask/secret_forms.hpp"
#include "tests/common/mask/mask_oracle.hpp"
#include "tests/common/mask/masked_text.hpp"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using test::mask_of;
using test::MaskOracle;
using test::set_of;

std::string text(const MaskedChunk& chunk) {
    return std::string(chunk.bytes());
}

std::string written_and_released(Masker& masker, std::string_view bytes) {
    auto out = text(masker.write(bytes));
    return out += text(masker.release());
}

TEST(MaskerRelease, ShowsAtMostThreeBytesOrAQuarterOfAPossibleValue) {
    const auto shown = [](const std::string& value, std::string_view written) {
        Masker masker(set_of({value}));
        return written_and_released(masker, written);
    };
    EXPECT_EQ(shown("password1234", "login: passwo"), "login: pas");
    EXPECT_EQ(shown("password1234", "login: pa"), "login: pa");
    EXPECT_EQ(shown("password", "login: passwo"), "login: pa");
    EXPECT_EQ(shown("passwor", "login: passwo"), "login: p");
    EXPECT_EQ(shown("pas", "login: pa"), "login: ");
    EXPECT_EQ(shown("password1234", "nothing of it\n"), "nothing of it\n");
}

TEST(MaskerRelease, MasksTheRestOfAValueThatArrives) {
    const auto set = set_of({"password1234"});
    Masker masker(set);
    EXPECT_EQ(text(masker.write("passw")), "");
    EXPECT_EQ(text(masker.release()), "pas");
    EXPECT_EQ(text(masker.write("ord123")), "");
    EXPECT_EQ(text(masker.write("4.")), mask_of(*set, "password1234") + ".");
    EXPECT_EQ(text(masker.finish()), "");
}

TEST(MaskerRelease, DoesNotChangeTextIfNoValueArrives) {
    Masker masker(set_of({"password1234"}));
    EXPECT_EQ(text(masker.write("passw")), "");
    EXPECT_EQ(text(masker.release()), "pas");
    EXPECT_EQ(text(masker.write("d: pass")), "swd: ");
    EXPECT_EQ(text(masker.release()), "pas");
    EXPECT_EQ(text(masker.finish()), "s");
}

TEST(MaskerRelease, ShowsNoMoreWhenItIsRepeated) {
    const auto set = set_of({"password1234"});
    Masker masker(set);
    std::string out;
    for (const char c : std::string("password1234")) {
        out += text(masker.write({&c, 1}));
        out += text(masker.release());
        out += text(masker.release());
    }
    EXPECT_EQ(out, "pas" + mask_of(*set, "password1234"));
}

TEST(MaskerRelease, RespectsEveryPossibleValue) {
    Masker masker(set_of({"ab-password1234", "password"}));
    EXPECT_EQ(text(masker.write("ab-pa")), "");
    EXPECT_EQ(text(masker.release()), "ab-");
    EXPECT_EQ(text(masker.write("x")), "pax");
    Masker nested(set_of({"xxxxxxxxxxxxb", "xxxx"}));
    EXPECT_EQ(text(nested.write("xxx")), "");
    EXPECT_EQ(text(nested.release()), "x");
}

TEST(MaskerRelease, ShowsTheBeginningOfAFormAndMasksItsRest) {
    const auto set = set_of({"it's a password"});
    Masker masker(set);
    EXPECT_EQ(text(masker.write("it&#39;s a pa")), "");
    EXPECT_EQ(text(masker.release()), "it&");
    EXPECT_EQ(text(masker.write("ssword!")), mask_of(*set, "it's a password") + "!");
}

TEST(MaskerRelease, CountsNoGapAsAByteOfAValue) {
    const auto set = set_of({"password1234"});
    Masker masker(set);
    EXPECT_EQ(text(masker.write("p\x1b[1ma\nss\nwo")), "");
    EXPECT_EQ(text(masker.release()), "p\x1b[1ma\ns");
    EXPECT_EQ(text(masker.write("rd1\n234\n")), mask_of(*set, "password1234") + "\n");
}

TEST(MaskerRelease, StaysInForceWhenTheSetChanges) {
    const auto first = set_of({"password1234"});
    Masker masker(first);
    EXPECT_EQ(written_and_released(masker, "passw"), "pas");
    std::vector<NamedSecret> more;
    more.push_back({"B", SecretString("sword4567")});
    const auto second = first->with(std::move(more)).value();
    EXPECT_EQ(text(masker.change_set(second)), "");
    EXPECT_EQ(text(masker.release()), "");
    EXPECT_EQ(text(masker.write("ord4567.")), mask_of(*second, "sword4567") + ".")
        << "its first letter is shown; the value that seemed to be the first is the second";
}

TEST(MaskerRelease, ShowsNothingOfAWellKnownCredential) {
    MaskOptions options;
    options.credentials = CredentialPatterns::build({}, std::make_shared<const MaskText>(MaskHash::sha256)).value();
    Masker masker(MaskSet::build(test::named({"password1234"}), options).value());
    EXPECT_EQ(written_and_released(masker, "ghp_0123456789"), "ghp_");
    EXPECT_EQ(test::with_masks_as_m(text(masker.write("abcdefghijABCDEFGHIJ012345 "))), "M ");
}

class Draw {
  public:
    explicit Draw(std::uint64_t seed) : engine_(seed) {}
    std::size_t between(std::size_t least, std::size_t most) { return least + engine_() % (most - least + 1); }
    bool one_in(std::size_t count) { return between(1, count) == 1; }
    std::string text(std::size_t size, std::string_view alphabet) {
        std::string text;
        for (std::size_t i = 0; i < size; ++i) text += alphabet[between(0, alphabet.size() - 1)];
        return text;
    }

  private:
    std::mt19937_64 engine_;
};

void check_one_text(Masker& masker, const MaskOracle& oracle, const std::string& text, Draw& draw) {
    std::string out;
    const auto longest_write = draw.between(1, 8);
    for (std::size_t done = 0; done < text.size();) {
        const auto size = std::min(draw.between(1, longest_write), text.size() - done);
        out += masker.write(std::string_view(text).substr(done, size)).bytes();
        for (auto count = draw.between(0, 2); count > 0; --count) out += masker.release().bytes();
        done += size;
    }
    out += masker.finish().bytes();
    ASSERT_EQ(oracle.complaint_about_released(text, out), "") << quoted(out, 500);
}

/// Twenty texts against one set of values.
void check_one_set(std::uint64_t seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    static const std::vector<std::string> alphabets{"ab", "aab", "abc\n", "ab\r\n\x1B[m", "a'\"\\ &", "aaaaaaaaab"};
    const auto& alphabet = alphabets[draw.between(0, alphabets.size() - 1)];
    std::vector<std::string> values;
    std::vector<std::string> forms;
    std::string described;
    for (auto count = draw.between(1, 4); count > 0; --count) {
        values.push_back(draw.text(draw.between(3, 18), alphabet));
        described += quoted(values.back(), 100) + ' ';
        forms.push_back(values.back());
        for (const auto& form : derived_forms(values.back(), 3)) forms.emplace_back(form.bytes.reveal());
    }
    SCOPED_TRACE(described);
    const std::shared_ptr<const MaskSet> set = MaskSet::build(test::named(values), {.views = false}).value();
    const MaskOracle oracle(*set, values, 3);
    Masker masker(set);
    for (int i = 0; i < 20 && !testing::Test::HasFatalFailure(); ++i) {
        std::string text;
        while (text.size() < 60 && !draw.one_in(6)) {
            const auto& form =
                draw.one_in(2) ? forms[draw.between(0, forms.size() - 1)] : values[draw.between(0, values.size() - 1)];
            text += draw.one_in(2) ? form : form.substr(0, draw.between(0, form.size()));
            if (draw.one_in(4)) text.insert(draw.between(0, text.size()), draw.one_in(2) ? "\n " : "\x1B[1m");
            text += draw.text(draw.between(0, 3), alphabet);
        }
        SCOPED_TRACE(quoted(text, 500));
        check_one_text(masker, oracle, text, draw);
    }
}

TEST(MaskerReleaseProperty, ShowsNoMoreThanAllowedAndDoesNotChangeTheRest) {
    for (std::uint64_t seed = 1; seed <= 250 && !HasFatalFailure(); ++seed) check_one_set(seed);
}

}  // namespace
}  // namespace trebuchet
