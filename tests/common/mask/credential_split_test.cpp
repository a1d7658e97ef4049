#include "tests/common/mask/credential_samples.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using test::hide_credentials;

/// One reproducible case: everything follows from its seed.
class Draw {
  public:
    explicit Draw(std::uint64_t seed) : engine_(seed) {}
    std::size_t between(std::size_t least, std::size_t most) { return least + engine_() % (most - least + 1); }
    template <typename T>
    const T& one_of(const std::vector<T>& list) {
        return list[between(0, list.size() - 1)];
    }

  private:
    std::mt19937_64 engine_;
};

std::string in_pieces(CredentialStream& stream, std::string_view text, std::size_t longest, Draw& draw) {
    std::string out;
    while (!text.empty()) {
        const auto size = std::min(draw.between(0, longest), text.size());
        stream.write(text.substr(0, size), out);
        text.remove_prefix(size);
    }
    stream.finish(out);
    return out;
}

std::vector<std::string> all_texts() {
    auto texts = test::harmless_samples();
    for (const auto& sample : test::credential_samples()) texts.push_back(sample.text());
    return texts;
}

std::vector<std::pair<std::string, std::string>> logs() {
    std::vector<std::pair<std::string, std::string>> logs;
    for (const auto& entry : std::filesystem::directory_iterator(TREBUCHET_LOG_SAMPLES)) {
        std::ifstream file(entry.path(), std::ios::binary);
        logs.emplace_back(entry.path().filename(), std::string(std::istreambuf_iterator<char>(file), {}));
    }
    return logs;
}

TEST(CredentialSplit, IsIndependentOfWhereATextIsSplit) {
    CredentialStream stream(test::credential_patterns());
    for (const auto& text : all_texts()) {
        const auto whole = hide_credentials(text);
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            std::string out;
            stream.write(std::string_view(text).substr(0, cut), out);
            ASSERT_TRUE(whole.starts_with(out)) << text << "\ncut at " << cut;
            stream.write(std::string_view(text).substr(cut), out);
            stream.finish(out);
            ASSERT_EQ(out, whole) << text << "\ncut at " << cut;
        }
    }
}

TEST(CredentialSplit, IsTheSameByteByByte) {
    CredentialStream stream(test::credential_patterns());
    for (const auto& text : all_texts()) {
        std::string out;
        for (const char c : text) stream.write({&c, 1}, out);
        stream.finish(out);
        ASSERT_EQ(out, hide_credentials(text)) << text;
    }
}

/// Several samples behind each other on lines of their own, each masked as it would be alone.
TEST(CredentialSplit, MasksEachOfManyLikeASingleOne) {
    std::vector<test::CredentialSample> samples;
    for (auto& sample : test::credential_samples()) {
        const bool ends = sample.kind != CredentialKind::private_key || sample.text().find("END") != std::string::npos;
        if (ends) samples.push_back(std::move(sample));
    }
    CredentialStream stream(test::credential_patterns());
    for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Draw draw(seed);
        std::string text;
        std::string expected;
        for (auto count = draw.between(1, 6); count > 0; --count) {
            const auto& sample = draw.one_of(samples);
            text += sample.text() + "\n";
            expected += sample.masked(*test::plain_masks()) + "\n";
        }
        ASSERT_EQ(in_pieces(stream, text, draw.one_of<std::size_t>({1, 5, 40, 400}), draw), expected) << text;
    }
}

/// Samples, parts of them and single characters in any order, cut anywhere.
TEST(CredentialSplit, IsIndependentOfRandomSplits) {
    auto pieces = all_texts();
    for (const std::string piece : {"\n",
                                    " ",
                                    ":",
                                    "@",
                                    "/",
                                    "\"",
                                    "=",
                                    "\\n",
                                    "%20",
                                    "**ab12cd**",
                                    "**",
                                    "-----END ",
                                    "-----BEGIN ",
                                    "PRIVATE KEY-----",
                                    "://",
                                    "eyJ",
                                    "Authorization: Bearer ",
                                    "token ",
                                    "secret_key=",
                                    "\r\n",
                                    "a",
                                    "A1b2C3d4"}) {
        for (int i = 0; i < 6; ++i) pieces.push_back(piece);
    }
    CredentialStream stream(test::credential_patterns());
    CredentialStream whole(test::credential_patterns());
    for (std::uint64_t seed = 1; seed <= 20000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Draw draw(seed);
        std::string text;
        for (auto count = draw.between(1, 8); count > 0; --count) {
            const auto& piece = draw.one_of(pieces);
            const auto from = draw.between(0, 2) == 0 ? draw.between(0, piece.size()) : 0;
            text += piece.substr(from, draw.between(0, 2) == 0 ? draw.between(0, piece.size()) : piece.npos);
        }
        std::string expected;
        whole.write_last(text, expected);
        ASSERT_EQ(in_pieces(stream, text, draw.one_of<std::size_t>({1, 5, 40, 400}), draw), expected) << text;
    }
}

/// Beginnings of values, and runs of characters around the bounds of each kind.
TEST(CredentialSplit, IsIndependentOfSplitsAtMaximumLengths) {
    const std::vector<std::string> heads{"-----BEGIN PRIVATE KEY-----\n",
                                         "https://u:",
                                         "Authorization: Bearer ",
                                         "eyJ",
                                         " ghp_",
                                         " glpat-",
                                         "secret_key=",
                                         "session_token=",
                                         "LS0tLS1CRUdJTi",
                                         "@",
                                         ".",
                                         "\n",
                                         "\n\n\n\n\n\n\n\n",
                                         "-----END ",
                                         "**ab12cd**",
                                         " "};
    const std::vector<std::string> fillings{"a", "a1B2", "BQUklWQVRFIEtFWS0t", "eyJaaaaaaaaaaaaa.", "p\\u0026", "a\\/"};
    const std::vector<std::size_t> sizes{1,    15,   16,   17,   40,    41,    64,    65,
                                         1023, 1024, 1025, 8192, 16384, 32768, 61439, 61440};
    CredentialStream stream(test::credential_patterns());
    CredentialStream whole(test::credential_patterns());
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Draw draw(seed);
        std::string text;
        for (auto count = draw.between(1, 6); count > 0; --count) {
            text += draw.one_of(heads);
            const auto& filling = draw.one_of(fillings);
            const auto end = text.size() + draw.one_of(sizes) + draw.between(0, 2);
            while (text.size() < end) text += filling;
        }
        std::string expected;
        whole.write_last(text, expected);
        ASSERT_TRUE(in_pieces(stream, text, draw.one_of<std::size_t>({100, 3000, 100000}), draw) == expected);
    }
}

TEST(CredentialSplit, FindsNothingInOrdinaryLogs) {
    const auto all = logs();
    EXPECT_GE(all.size(), 11U);
    for (const auto& [name, text] : all) {
        int found = 0;
        CredentialStream stream(test::credential_patterns(), [&](CredentialKind /*kind*/) { ++found; });
        std::string out;
        stream.write_last(text, out);
        EXPECT_EQ(out, text) << name;
        EXPECT_EQ(found, 0) << name;
    }
}

TEST(CredentialSplit, HoldsNoCompleteOrdinaryLine) {
    for (const auto& [name, text] : logs()) {
        CredentialStream stream(test::credential_patterns());
        std::string out;
        for (std::size_t begin = 0; begin < text.size();) {
            const auto end = text.find('\n', begin) + 1;
            const auto line = std::string_view(text).substr(begin, end - begin);
            if (line.find("PRIVATE KEY-----") != line.npos) break;
            stream.write(line, out);
            ASSERT_EQ(stream.held(), 0U) << name << ": " << line;
            begin = end;
        }
    }
}

TEST(CredentialSplit, FindsACredentialAnywhereInALog) {
    const auto samples = test::credential_samples();
    CredentialStream stream(test::credential_patterns());
    for (const auto& [name, text] : logs()) {
        if (text.find("PRIVATE KEY-----") != text.npos) continue;
        Draw draw(text.size());
        for (int i = 0; i < 20; ++i) {
            const auto place = text.find('\n', draw.between(0, text.size() - 2)) + 1;
            const auto& sample = draw.one_of(samples);
            if (sample.kind == CredentialKind::private_key) continue;
            const auto expected =
                text.substr(0, place) + sample.masked(*test::plain_masks()) + "\n" + text.substr(place);
            const auto plain = text.substr(0, place) + sample.text() + "\n" + text.substr(place);
            ASSERT_EQ(in_pieces(stream, plain, 5000, draw), expected) << name;
        }
    }
}

}  // namespace
}  // namespace trebuchet
