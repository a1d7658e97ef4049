#include "common/mask/masked_chunk.hpp"

#include "common/mask/mask_set.hpp"
#include "common/mask/masker.hpp"
#include "common/secret/secret_string.hpp"

#include <string>
#include <string_view>
#include <type_traits>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

// Only a masker makes a chunk that is not empty.
static_assert(!std::is_constructible_v<MaskedChunk, std::string>);
static_assert(!std::is_constructible_v<MaskedChunk, std::string&&>);
static_assert(!std::is_constructible_v<MaskedChunk, std::string_view>);
static_assert(!std::is_constructible_v<MaskedChunk, const char*>);
static_assert(!std::is_constructible_v<MaskedChunk, const char*, std::size_t>);
static_assert(!std::is_constructible_v<MaskedChunk, const SecretString&>);
static_assert(!std::is_convertible_v<std::string, MaskedChunk>);
static_assert(!std::is_assignable_v<MaskedChunk&, std::string>);
static_assert(!std::is_assignable_v<MaskedChunk&, const char*>);
static_assert(!std::is_aggregate_v<MaskedChunk>);
static_assert(std::is_default_constructible_v<MaskedChunk> && std::is_copy_constructible_v<MaskedChunk>);

template <typename Text>
concept Appendable = requires(MaskedChunk chunk, Text text) {
    chunk.append(text);
};
static_assert(Appendable<MaskedChunk>);
static_assert(!Appendable<std::string>);
static_assert(!Appendable<std::string_view>);
static_assert(!Appendable<const char*>);

template <typename Chunk>
concept Writable = requires(Chunk chunk) {
    chunk.bytes()[0] = 'x';
};
static_assert(!Writable<MaskedChunk>);

TEST(MaskedChunk, IsEmptyByDefault) {
    EXPECT_TRUE(MaskedChunk().empty());
    EXPECT_EQ(MaskedChunk().bytes(), "");
}

TEST(MaskedChunk, AppendsTheNextChunk) {
    auto chunk = MaskSet::none()->mask("one ");
    chunk.append(MaskSet::none()->mask("two"));
    EXPECT_EQ(chunk.bytes(), "one two");
}

TEST(MaskedChunk, ReturnsItsFrontInPieces) {
    auto chunk = MaskSet::none()->mask("one two");
    EXPECT_EQ(chunk.take_front(4).bytes(), "one ");
    EXPECT_EQ(chunk.bytes(), "two");
    EXPECT_EQ(chunk.take_front(10).bytes(), "two");
    EXPECT_TRUE(chunk.empty());
}

}  // namespace
}  // namespace trebuchet
