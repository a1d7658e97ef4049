#include "common/secret/large_blocks.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace trebuchet {
namespace {

/// Counts the secret's pieces in the heap's memory at `memory`, which has been freed: read past the compiler.
bool holds(const volatile char* memory, std::size_t size, char byte) {
    for (std::size_t i = 0; i < size; ++i) {
        if (memory[i] == byte) return true;
    }
    return false;
}

TEST(WipingNew, WipesFreedMemory) {
    // Of a size that the allocator keeps mapped when it is freed.
    auto text = std::make_unique<std::string>(3000, 's');
    const volatile char* const memory = text->data();
    ASSERT_TRUE(holds(memory, 3000, 's'));
    text.reset();
    EXPECT_FALSE(holds(memory, 3000, 's'));
}

TEST(WipingNew, HonoursAlignment) {
    struct alignas(256) Wide {
        char bytes[256];
    };
    for (int i = 0; i < 10; ++i) {
        const auto wide = std::make_unique<Wide>();
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(wide.get()) % 256, 0U);
    }
}

TEST(WipingNew, ThrowsBadAlloc) {
    volatile std::size_t too_much = std::size_t{1} << 60U;
    EXPECT_THROW(std::make_unique<char[]>(too_much), std::bad_alloc);
    EXPECT_EQ(std::unique_ptr<char[]>(new (std::nothrow) char[too_much]), nullptr);
}

TEST(WipingNew, WipesWhatOpensslFrees) {
    auto* const memory = static_cast<char*>(OPENSSL_malloc(3000));
    std::fill_n(memory, 3000, 's');
    OPENSSL_free(memory);
    EXPECT_FALSE(holds(memory, 3000, 's'));
    auto* small = static_cast<char*>(OPENSSL_malloc(3000));
    std::fill_n(small, 3000, 's');
    auto* const large = static_cast<char*>(OPENSSL_realloc(small, 9000));
    EXPECT_EQ(std::count(large, large + 3000, 's'), 3000);
    OPENSSL_free(large);
    EXPECT_FALSE(holds(large, 3000, 's'));
}

TEST(WipingNew, WipesWhatCLibrariesFree) {
    void* memory = nullptr;
    ASSERT_EQ(::posix_memalign(&memory, 64, 3000), 0);
    auto* const bytes = static_cast<volatile char*>(memory);
    std::fill_n(bytes, 3000, 's');
    void* volatile freed = memory;  // hides from compilers that freed memory is looked at
    std::free(freed);
    EXPECT_FALSE(holds(bytes, 3000, 's'));  // NOLINT(clang-analyzer-unix.Malloc)
}

int large_blocks = 0;

TEST(WipingNew, ReportsLargeBlocksToThreadsThatAsk) {
    large_blocks = 0;
    const std::vector<char> before(large_block);
    large_block_note() = [](std::size_t /*size*/) noexcept { ++large_blocks; };
    const std::vector<char> small(large_block - 1);
    EXPECT_EQ(large_blocks, 0);
    const std::vector<char> large(large_block);
    EXPECT_EQ(large_blocks, 1);
    large_block_note() = nullptr;
}

}  // namespace
}  // namespace trebuchet
