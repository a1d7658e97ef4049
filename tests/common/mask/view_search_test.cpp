#include "common/mask/view_search.hpp"

#include "common/mask/views/byte_masks.hpp"
#include "common/mask/views/skeleton.hpp"
#include "tests/common/mask/masked_text.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using test::set_of;

/// In one write: cut ones may show up to three bytes of an encoded value, see ViewSearch.
std::string masked(const std::vector<std::string>& values, const std::string& text) {
    return test::with_masks_as_m(test::fed_in_pieces(set_of(values), {text}));
}

const std::vector<std::string> token{"Zk3vQ9rT7mXw2LpB"};

/// What real tools wrote of "token: Zk3vQ9rT7mXw2LpB end".
TEST(ViewSearch, MasksWhatToolsWrote) {
    EXPECT_EQ(masked(token,
                     "00000000: 746f 6b65 6e3a 205a 6b33 7651 3972 5437  token: Zk3vQ9rT7\n"
                     "00000010: 6d58 7732 4c70 4220 656e 640a            mXw2LpB end.\n"),
              "00000000: 746f 6b65 6e3a M\n");
    EXPECT_EQ(masked(token,
                     "0000000   t   o   k   e   n   :       Z   k   3   v   Q   9   r   T   7\n"
                     "0000020   m   X   w   2   L   p   B       e   n   d  \\n\n0000034\n"),
              "0000000   t   o   k   e   n   :     M       e   n   d  \\n\n0000034\n");
    EXPECT_EQ(masked(token, "0000000 6f74 656b 3a6e 5a20 336b 5176 7239 3754\n0000010 586d 3277 704c 2042 6e65 0a64\n"),
              "0000000 6f74 656b 3a6e M\n");
    EXPECT_EQ(masked(token,
                     "[116, 111, 107, 101, 110, 58, 32, 90, 107, 51, 118, 81, 57, 114, 84, 55, 109, 88, 119, 50, "
                     "76, 112, 66, 32, 101, 110, 100]\n"),
              "[116, 111, 107, 101, 110, 58, 32, M, 32, 101, 110, 100]\n");
}

TEST(ViewSearch, MasksBase64OfBase64AndOfJson) {
    EXPECT_EQ(masked(token, "ZEc5clpXNDZJRnByTTNaUk9YSlVOMjFZZHpKTWNFSWdaVzVrQ2c9PQo="),
              "ZEc5clpXNDZJRnMSWdaVzVrQ2c9PQo=");
    EXPECT_EQ(masked({"s3cret \"value\""}, "eyJwYXNzd29yZCI6ICJzM2NyZXQgXCJ2YWx1ZVwiIn0K\n"),
              "eyJwYXNzd29yZCI6ICJMIn0K\n");
}

TEST(ViewSearch, MasksBase64WithAPrefixInEachLine) {
    const std::vector<std::string> set{"Zk3vQ9rT7mXw2LpB-and-more"};
    EXPECT_EQ(masked(set, "app | dG9rZW46IFprM3ZROXJUN20=\n"), "app | dG9rZW46IFprM3ZROXJUN20=\n");
    EXPECT_EQ(masked(set, "12:01 app | dG9rZW46IFprM3ZROXJU\n12:02 app | N21YdzJMcEItYW5kLW1vcmUK\n"),
              "12:01 app | dG9rZW46IFMUK\n");
}

TEST(ViewSearch, LeavesOrdinaryTextAlone) {
    for (const std::string text :
         {"2026-11-20 12:00:01 [INFO] 07:08:09 10.0.0.1:8080 usb 1-2: 3 of 4\n",
          "sha256:298aa370bb1376cf33ef47703910dd731c14b0f4a814efae6df0c0aa4236e782  mesh.iso\n",
          "GET /v1/job?id=32c3a846-fc1e-4a78-a059-c02d41c41955&user=bob%40example.org\n"}) {
        EXPECT_EQ(masked(token, text), text);
    }
}

TEST(ViewSearch, ShowsAPromptAtOnce) {
    Masker masker(set_of(token));
    EXPECT_EQ(masker.write("Password for lab: ").bytes(), "Password for lab: ");
    EXPECT_EQ(masker.write("50% [Y/n] ").bytes(), "50% [Y/n] ");
    EXPECT_EQ(masker.held(), 0U);
}

TEST(ViewSearch, HoldsABoundedNumberOfBytes) {
    const auto set = set_of(token);
    Masker masker(set);
    std::size_t most = 0;
    static_cast<void>(masker.write("Zk3v\\\"Q9"));
    for (int i = 0; i < 400; ++i) {
        static_cast<void>(masker.write(std::string(1000, ' ')));
        most = std::max(most, masker.held());
    }
    EXPECT_LE(most, 64 * set->longest() + 65536 + 4 * 65536);
    static_cast<void>(masker.finish());
    static_cast<void>(masker.write("00000000: 5a6b 3376 5139 7254 376d 5877 324c 7042  "));
    most = 0;
    for (int i = 0; i < 400; ++i) {
        static_cast<void>(masker.write(std::string(1000, 'x')));
        most = std::max(most, masker.held());
    }
    EXPECT_LE(most, 8000U);
}

TEST(ByteMasks, AreTheSameWithAndWithoutSimd) {
    std::mt19937 engine(3);
    for (std::size_t size = 0; size < 300; ++size) {
        std::string text;
        for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(engine());
        std::vector<ByteMasks> fast;
        std::vector<ByteMasks> portable;
        compute_masks(text, fast);
        compute_masks_portably(text, portable);
        ASSERT_EQ(fast.size(), portable.size());
        for (std::size_t i = 0; i < fast.size(); ++i) {
            EXPECT_EQ(fast[i].run, portable[i].run);
            EXPECT_EQ(fast[i].solid, portable[i].solid);
            EXPECT_EQ(fast[i].escape, portable[i].escape);
            EXPECT_EQ(fast[i].first, portable[i].first);
            EXPECT_EQ(fast[i].between, portable[i].between);
            EXPECT_EQ(fast[i].octal, portable[i].octal);
        }
    }
}

TEST(Skeleton, IsTheSameHoweverATextIsEscaped) {
    const auto skeleton = [](std::string_view text) { return std::string(std::string_view(skeleton_of(text))); };
    for (const auto* text :
         {"it's \"so\" <x>", R"(it\'s \"so\" \u003cx\x3e)", "it&#39;s%20&quot;so&quot;%20%3Cx&gt;",
          R"(it'\''s \\\"so\\\" \\u003cx\\u003e)", "it's so =\n=\n<x>", "it%27s%20%26quot%3bso%22 &amp;lt;x>"}) {
        EXPECT_EQ(skeleton(text).substr(0, 4), "itss") << text;
        EXPECT_EQ(skeleton(text).substr(skeleton(text).size() - 3), "<x>") << text;
    }
}

}  // namespace
}  // namespace trebuchet
