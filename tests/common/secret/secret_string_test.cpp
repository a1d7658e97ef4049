#include "common/secret/secret_string.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <ostream>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

namespace {

/// The memory to look at when it is freed, and whether it held anything but zeros then.
struct Watched {
    const void* memory = nullptr;
    std::size_t size = 0;
    bool was_freed = false;
    bool was_wiped = false;
};
Watched watched;

void look_and_free(void* memory) noexcept {
    if (memory != nullptr && memory == watched.memory) {
        const auto* bytes = static_cast<const unsigned char*>(memory);
        watched.was_freed = true;
        watched.was_wiped = std::all_of(bytes, bytes + watched.size, [](unsigned char byte) { return byte == 0; });
        watched.memory = nullptr;
    }
    std::free(memory);
}

void* take(std::size_t size) {
    void* memory = std::malloc(std::max<std::size_t>(size, 1));
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

void watch(const void* memory, std::size_t size) {
    watched = {memory, size, false, false};
}

}  // namespace

void* operator new(std::size_t size) {
    return take(size);
}
void* operator new[](std::size_t size) {
    return take(size);
}
void operator delete(void* memory) noexcept {
    look_and_free(memory);
}
void operator delete[](void* memory) noexcept {
    look_and_free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    look_and_free(memory);
}
void operator delete[](void* memory, std::size_t /*size*/) noexcept {
    look_and_free(memory);
}

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

TEST(SecretString, LeavesNothingWhereItWasMovedFrom) {
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

TEST(SecretString, IsWipedWhenItGoes) {
    {
        const SecretString secret("secret");
        watch(secret.reveal().data(), secret.size());
    }
    EXPECT_TRUE(watched.was_freed && watched.was_wiped);
}

TEST(SecretString, IsWipedWhenItIsReplaced) {
    SecretString secret("secret");
    watch(secret.reveal().data(), secret.size());
    secret = SecretString("a longer one than before");
    EXPECT_TRUE(watched.was_freed && watched.was_wiped);
}

TEST(WipedString, IsWipedWhenItGrows) {
    WipedString text(100, 's');
    watch(text.data(), 100);
    text.append(10000, 't');
    EXPECT_TRUE(watched.was_freed && watched.was_wiped);
}

TEST(WipingAllocator, WipesWhatAVectorFrees) {
    {
        const std::vector<char, WipingAllocator<char>> bytes(100, 's');
        watch(bytes.data(), bytes.size());
    }
    EXPECT_TRUE(watched.was_freed && watched.was_wiped);
}

TEST(Wipe, OverwritesWithZeros) {
    std::array<char, 6> bytes{'s', 'e', 'c', 'r', 'e', 't'};
    wipe(bytes.data(), 3);
    EXPECT_EQ(std::string_view(bytes.data(), bytes.size()), std::string_view("\0\0\0ret", 6));
    wipe(nullptr, 0);
}

}  // namespace
}  // namespace trebuchet
