#include "common/process/process_identity.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds limit{10'000};

/// A shell that is no child of this process: it says its pid, is adopted, and runs `command`.
pid_t start_stranger(const std::string& command, const std::string& marker) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return -1;
    const pid_t between = ::fork();
    if (between == 0) {
        if (::fork() != 0) ::_exit(0);
        ::setsid();
        const pid_t self = ::getpid();
        [[maybe_unused]] const auto told = ::write(ends[1], &self, sizeof self);
        ::close(ends[0]);
        const auto script = command + "\necho x >&" + std::to_string(ends[1]) + "; exec sleep 1000";
        std::string entry = marker;
        std::array<char*, 2> environment{entry.data(), nullptr};
        ::execle("/bin/sh", "/bin/sh", "-c", script.c_str(), nullptr, environment.data());
        ::_exit(127);
    }
    ::waitpid(between, nullptr, 0);
    ::close(ends[1]);
    pid_t pid = -1;
    char ready = 0;
    const bool is_ready =
        ::read(ends[0], &pid, sizeof pid) == static_cast<ssize_t>(sizeof pid) && ::read(ends[0], &ready, 1) == 1;
    ::close(ends[0]);
    return is_ready ? pid : -1;
}

std::string marker_of(const char* test) {
    return "TREBUCHET_TEST_ID=" + std::string(test) + std::to_string(::getpid());
}

TEST(ProcessIdentity, IsTheSameAsLongAsTheProcessLives) {
    const auto self = identity_of(::getpid());
    ASSERT_TRUE(self);
    EXPECT_EQ(self, identity_of(::getpid()));
    EXPECT_GT(self->start_time, 0U);
    EXPECT_EQ(self->boot_id.size(), 36U);
    EXPECT_FALSE(identity_of(0x3FFFFFFF));
}

TEST(LeftProcesses, AreFoundByTheirMarkerWhereverTheyWent) {
    const auto marker = marker_of("found");
    const auto pid = start_stranger("sleep 1000 & setsid sleep 1000 &", marker);
    ASSERT_GT(pid, 0);
    const auto ended = end_left_processes({std::nullopt, marker}, limit, limit);
    EXPECT_EQ(ended.count, 3U);
    EXPECT_TRUE(ended.all_ended);
    EXPECT_FALSE(identity_of(pid));
    EXPECT_EQ(end_left_processes({std::nullopt, marker}, limit, limit).count, 0U);
}

TEST(LeftProcesses, AreKilledIfTheyDoNotHeedTheTerm) {
    const auto marker = marker_of("killed");
    const auto pid = start_stranger("trap '' TERM", marker);
    ASSERT_GT(pid, 0);
    EXPECT_EQ(end_left_processes({std::nullopt, marker}, milliseconds(30), limit).count, 1U);
    EXPECT_FALSE(identity_of(pid));
}

TEST(LeftProcesses, AreFoundBelowTheirSupervisor) {
    const auto marker = marker_of("below");
    const auto pid = start_stranger("env -i sleep 1000 &", marker);
    const auto identity = identity_of(pid);
    ASSERT_TRUE(identity);
    EXPECT_EQ(end_left_processes({identity, ""}, milliseconds(0), limit).count, 2U);
    EXPECT_FALSE(identity_of(pid));
}

TEST(LeftProcesses, AreNamedIfTheyAreStillThereWhenItIsTimeToStop) {
    const auto marker = marker_of("stopped");
    const auto pid = start_stranger("trap '' TERM", marker);
    ASSERT_GT(pid, 0);
    const std::atomic<bool> stop{true};
    const auto ended = end_left_processes({std::nullopt, marker}, limit, limit, &stop);
    EXPECT_FALSE(ended.all_ended);
    ASSERT_EQ(ended.survivors.size(), 1U);
    EXPECT_EQ(ended.survivors[0].pid, pid);
    EXPECT_EQ(ended.survivors[0].user, ::getuid());
    EXPECT_EQ(end_left_processes({std::nullopt, marker}, milliseconds(0), limit).count, 1U);
}

TEST(LeftProcesses, ANumberAloneEndsNobody) {
    const auto marker = marker_of("alone");
    const auto pid = start_stranger(":", marker);
    const auto identity = identity_of(pid);
    ASSERT_TRUE(identity);
    for (const auto& wrong : {ProcessIdentity{pid, identity->start_time + 1, identity->boot_id},
                              ProcessIdentity{pid, identity->start_time, "another boot"}}) {
        EXPECT_EQ(end_left_processes({wrong, ""}, milliseconds(0), limit).count, 0U);
        EXPECT_EQ(end_left_processes({wrong, marker + "x"}, milliseconds(0), limit).count, 0U);
        EXPECT_EQ(end_left_processes({wrong, marker.substr(0, marker.size() - 1)}, milliseconds(0), limit).count, 0U);
    }
    EXPECT_EQ(identity_of(pid), identity);
    EXPECT_EQ(end_left_processes({std::nullopt, marker}, milliseconds(0), limit).count, 1U);
}

}  // namespace
}  // namespace trebuchet
