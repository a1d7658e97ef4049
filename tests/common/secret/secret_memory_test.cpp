#include "common/secret/secret_memory.hpp"

#include "common/secret/secret_string.hpp"
#include "tests/common/secret/memory_flags.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

bool is_wiped(const char* memory, std::size_t size) {
    return std::all_of(memory, memory + size, [](char byte) { return byte == 0; });
}

TEST(SecretMemory, IsNotInCoreDumps) {
    for (const std::size_t size : {20U, 100U, 4000U, 5000U, 1'000'000U}) {
        const SecretString secret(std::string(size, 's'));
        EXPECT_THAT(flags_of(secret.reveal().data()), HasSubstr(" dd ")) << size;
    }
}

TEST(SecretMemory, IsWipedWhenFreed) {
    for (const std::size_t size : {1U, 20U, 100U, 4000U}) {
        auto* const memory = static_cast<char*>(allocate_secret(size));
        std::fill_n(memory, size, 's');
        free_secret(memory, size);
        EXPECT_TRUE(is_wiped(memory, size)) << "still mapped, in a pool: " << size;
    }
}

TEST(SecretMemory, ReturnsLargeBlocksToTheKernel) {
    constexpr std::size_t size = 10'000'000;
    auto* const memory = static_cast<char*>(allocate_secret(size));
    EXPECT_NE(flags_of(memory + size / 2), "");
    free_secret(memory, size);
    EXPECT_EQ(flags_of(memory + size / 2), "");
}

TEST(SecretMemory, ServesManyThreads) {
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([number] {
            for (std::size_t round = 0; round < 2000; ++round) {
                const WipedString text(round * 7 % 6000, static_cast<char>('a' + number));
                WipedString copy(text);
                copy += static_cast<char>('a' + number);
                ASSERT_EQ(copy.find_first_not_of(static_cast<char>('a' + number)), WipedString::npos);
            }
        });
    }
    for (auto& thread : threads) thread.join();
}

TEST(SecretMemory, AlignsBlocksOfEverySize) {
    for (const std::size_t alignment : {8U, 16U, 32U, 64U}) {
        std::vector<std::pair<void*, std::size_t>> blocks;
        for (std::size_t size = 1; size < 3000; size += 7) {
            for (int i = 0; i < 3; ++i) {
                blocks.emplace_back(allocate_secret(size, alignment), size);
                ASSERT_EQ(reinterpret_cast<std::uintptr_t>(blocks.back().first) % alignment, 0U)
                    << size << " " << alignment;
            }
        }
        for (const auto& [block, size] : blocks) free_secret(block, size, alignment);
    }
}

}  // namespace
}  // namespace trebuchet
