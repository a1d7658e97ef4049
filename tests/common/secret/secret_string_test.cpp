#include "common/secret/secret_string.hpp"

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

template <typename T>
concept Streamable = requires(std::ostream& stream, const T& value) {
    stream << value;
};
template <typename T>
concept Comparable = requires(const T& left, const T& right) {
    left == right;
};
template <typename T>
concept Addable = requires(const T& value) {
    std::string() + value;
};

static_assert(Streamable<std::string> && Comparable<std::string> && Addable<std::string>);
static_assert(!Streamable<SecretString> && !Comparable<SecretString> && !Addable<SecretString>);
static_assert(!std::is_copy_constructible_v<SecretString> && !std::is_copy_assignable_v<SecretString>);
static_assert(!std::is_convertible_v<SecretString, std::string>);
static_assert(!std::is_convertible_v<SecretString, std::string_view>);
static_assert(!std::is_convertible_v<std::string, SecretString>);
static_assert(!std::is_constructible_v<std::string, SecretString>);
static_assert(std::is_nothrow_move_constructible_v<SecretString> && std::is_nothrow_move_assignable_v<SecretString>);
static_assert(!std::is_convertible_v<WipedString, std::string>);

TEST(SecretString, IsEmptyByDefault) {
    const SecretString secret;
    EXPECT_TRUE(secret.empty());
    EXPECT_EQ(secret.size(), 0U);
    EXPECT_EQ(secret.reveal(), "");
}

TEST(SecretString, RevealsItsBytes) {
    const SecretString secret(std::string_view("a\0b", 3));
    EXPECT_EQ(secret.reveal(), std::string_view("a\0b", 3));
    EXPECT_EQ(secret.size(), 3U);
}

TEST(SecretString, LeavesNothingBehindWhenMoved) {
    SecretString first("secret");
    const auto* bytes = first.reveal().data();
    SecretString second(std::move(first));
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
    EXPECT_EQ(second.reveal().data(), bytes) << "the bytes themselves did not move";
    first = std::move(second);
    EXPECT_EQ(first.reveal(), "secret");
    EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
}

TEST(SecretString, ClonesOnRequest) {
    SecretString first("secret");
    const auto second = first.clone();
    EXPECT_NE(first.reveal().data(), second.reveal().data());
    first = SecretString();
    EXPECT_EQ(second.reveal(), "secret");
}

/// What is freed stays mapped, in a pool.
bool is_wiped(const char* memory, std::size_t size) {
    return std::all_of(memory, memory + size, [](char byte) { return byte == 0; });
}

TEST(SecretString, IsWipedByItsDestructor) {
    const char* memory = nullptr;
    {
        const SecretString secret("secret");
        memory = secret.reveal().data();
    }
    EXPECT_TRUE(is_wiped(memory, 6));
}

TEST(SecretString, IsWipedWhenItIsReplaced) {
    SecretString secret("secret");
    const auto* const memory = secret.reveal().data();
    secret = SecretString("a longer one than before");
    EXPECT_TRUE(is_wiped(memory, 6));
}

TEST(WipedString, IsWipedWhenItGrows) {
    WipedString text(100, 's');
    const auto* const memory = text.data();
    text.append(10000, 't');
    EXPECT_TRUE(is_wiped(memory, 100));  // NOLINT(clang-analyzer-cplusplus.InnerPointer)
}

TEST(WipingAllocator, WipesWhatAVectorFrees) {
    const char* memory = nullptr;
    {
        const std::vector<char, WipingAllocator<char>> bytes(100, 's');
        memory = bytes.data();
    }
    EXPECT_TRUE(is_wiped(memory, 100));
}

TEST(Wipe, OverwritesWithZeros) {
    std::array<char, 6> bytes{'s', 'e', 'c', 'r', 'e', 't'};
    wipe(bytes.data(), 3);
    EXPECT_EQ(std::string_view(bytes.data(), bytes.size()), std::string_view("\0\0\0ret", 6));
    wipe(nullptr, 0);
}

}  // namespace
}  // namespace trebuchet
