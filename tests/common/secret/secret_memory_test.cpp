#include "common/secret/secret_memory.hpp"

#include "common/secret/secret_string.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

/// The VmFlags of the mapping that holds `memory`, as in " rd wr mr mw me lo ac dd "; "" if there is no such mapping.
std::string flags_of(const void* memory) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    std::ifstream smaps("/proc/self/smaps");
    bool is_inside = false;
    for (std::string line; std::getline(smaps, line);) {
        std::uintptr_t start = 0;
        std::uintptr_t end = 0;
        char dash = 0;
        std::istringstream head(line);
        if (head >> std::hex >> start >> dash >> end && dash == '-') {
            is_inside = start <= address && address < end;
        } else if (is_inside && line.starts_with("VmFlags:")) {
            return line.substr(8) + " ";
        }
    }
    return "";
}

bool is_wiped(const char* memory, std::size_t size) {
    return std::all_of(memory, memory + size, [](char byte) { return byte == 0; });
}

TEST(SecretMemory, IsNotInCoreDumps) {
    for (const std::size_t size : {20U, 100U, 4000U, 5000U, 1'000'000U}) {
        const SecretString secret(std::string(size, 's'));
        EXPECT_THAT(flags_of(secret.reveal().data()), HasSubstr(" dd ")) << size;
    }
}

TEST(SecretMemory, IsLockedUnlessThereIsAProblem) {
    for (const std::size_t size : {20U, 100U, 4000U, 5000U, 1'000'000U}) {
        const SecretString secret(std::string(size, 's'));
        if (secret_memory_problem().empty()) {
            EXPECT_THAT(flags_of(secret.reveal().data()), HasSubstr(" lo ")) << size;
        }
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

TEST(SecretMemory, GivesBigBlocksBackToTheKernel) {
    constexpr std::size_t size = 10'000'000;
    auto* const memory = static_cast<char*>(allocate_secret(size));
    EXPECT_NE(flags_of(memory + size / 2), "");
    free_secret(memory, size);
    EXPECT_EQ(flags_of(memory + size / 2), "");
}

TEST(SecretMemory, ServesManyThreads) {
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([number] {
            for (std::size_t round = 0; round < 2000; ++round) {
                const WipedString text(round * 7 % 6000, static_cast<char>('a' + number));
                const WipedString copy(text);
                ASSERT_EQ(copy.find_first_not_of(static_cast<char>('a' + number)), WipedString::npos);
            }
        });
    }
    for (auto& thread : threads) thread.join();
}

TEST(SecretMemory, WorksOnAndSaysSoWhereItCannotBeLocked) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const rlimit none{0, 0};
        ::setrlimit(RLIMIT_MEMLOCK, &none);
        if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(1);  // root may lock what it likes
        const WipedString text(1'000'000, 's');
        const auto problem = secret_memory_problem();
        const bool is_written = ::write(pipe[1], problem.data(), problem.size()) > 0;
        ::_exit(is_written && text.back() == 's' ? 0 : 1);
    }
    ::close(pipe[1]);
    std::array<char, 1000> problem{};
    EXPECT_GT(::read(pipe[0], problem.data(), problem.size() - 1), 0);
    ::close(pipe[0]);
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_THAT(problem.data(), HasSubstr("could not be locked"));
    EXPECT_THAT(problem.data(), HasSubstr("LimitMEMLOCK="));
}

}  // namespace
}  // namespace trebuchet
