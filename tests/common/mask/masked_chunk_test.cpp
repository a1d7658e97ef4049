#include "common/mask/masked_chunk.hpp"

#include "common/mask/mask_set.hpp"
#include "common/mask/masked_json.hpp"
#include "common/mask/masker.hpp"
#include "common/secret/secret_string.hpp"
#include "tests/fakes/masked.hpp"

#include <string>
#include <string_view>
#include <type_traits>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

// Only a masker, a literal and a store make a chunk that is not empty.
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
static_assert(Appendable<LiteralText>);
static_assert(!Appendable<std::string>);
static_assert(!Appendable<std::string_view>);
static_assert(!Appendable<const char*>);
static_assert(!Appendable<const std::string&>);

// No text that is known only at run time counts as words of ours.
static_assert(!std::is_constructible_v<LiteralText, std::string>);
static_assert(!std::is_constructible_v<LiteralText, const std::string&>);
static_assert(!std::is_constructible_v<LiteralText, std::string_view>);
static_assert(!std::is_constructible_v<LiteralText, const char*>);
static_assert(!std::is_constructible_v<LiteralText, char*>);
template <typename Text>
concept IsLiteral = requires(Text text) {
    MaskedChunk::literal(text);
};
static_assert(IsLiteral<LiteralText>);
static_assert(!IsLiteral<std::string>);
static_assert(!IsLiteral<std::string_view>);
static_assert(!IsLiteral<const char*>);

// Only the program's MaskedStore has the key to what is read back.
static_assert(!std::is_default_constructible_v<StoredBytesKey>);
template <typename Text>
concept ReadableWithoutKey = requires(Text text) {
    MaskedChunk::from_store(text, {});
};
static_assert(!ReadableWithoutKey<std::string>);

// A set without values is no side door: it has no mask().
template <typename Set>
concept Masks = requires(Set set) {
    set->mask("text");
};
static_assert(Masks<std::shared_ptr<const MaskSet>>);
static_assert(!Masks<NoMasks>);

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
    auto chunk = masked("one ");
    chunk.append(masked("two"));
    EXPECT_EQ(chunk.bytes(), "one two");
}

TEST(MaskedChunk, IsMadeOfWordsOfOursAndCounts) {
    auto note = MaskedChunk::literal("[");
    note.append_count(12).append(" bytes left out]\n");
    EXPECT_EQ(note.bytes(), "[12 bytes left out]\n");
}

TEST(MaskedJson, IsADocumentUnderItsKey) {
    const MaskedJson json(no_masks(), {{"ip", "10.0.0.1"}});
    EXPECT_EQ(json.document("device_info").bytes(), "{\n  \"device_info\": {\n    \"ip\": \"10.0.0.1\"\n  }\n}\n");
}

TEST(MaskedChunk, ReturnsItsFrontInPieces) {
    auto chunk = masked("one two");
    EXPECT_EQ(chunk.take_front(4).bytes(), "one ");
    EXPECT_EQ(chunk.bytes(), "two");
    EXPECT_EQ(chunk.take_front(10).bytes(), "two");
    EXPECT_TRUE(chunk.empty());
}

}  // namespace
}  // namespace trebuchet
