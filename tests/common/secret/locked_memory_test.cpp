#include "common/secret/secret_memory.hpp"
#include "common/secret/secret_string.hpp"
#include "tests/common/secret/memory_flags.hpp"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

TEST(LockedMemory, IsLockedUnlessThereIsAProblem) {
    for (const std::size_t size : {20U, 100U, 4000U, 5000U, 1'000'000U}) {
        const SecretString secret(std::string(size, 's'));
        if (secret_memory_problem().empty()) {
            EXPECT_THAT(flags_of(secret.reveal().data()), HasSubstr(" lo ")) << size;
        }
    }
}

TEST(LockedMemory, WorksAndReportsItIfItCannotBeLocked) {
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
