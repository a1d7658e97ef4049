#include "agent/cli/value_input.hpp"

#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

/// stdin is a terminal.
class ValueInput : public testing::Test {
  protected:
    ValueInput() {
        ::grantpt(master_);
        ::unlockpt(master_);
        const int terminal = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
        ::dup2(terminal, STDIN_FILENO);
        ::close(terminal);
    }
    ~ValueInput() override {
        ::dup2(stdin_before_, STDIN_FILENO);
        ::close(stdin_before_);
        ::close(master_);
    }
    /// Somebody types when the echo is off.
    std::string read_typed(const std::string& text) {
        std::thread typist([&] {
            termios settings{};
            do {
                std::this_thread::yield();
                ::tcgetattr(master_, &settings);
            } while ((settings.c_lflag & static_cast<tcflag_t>(ECHO)) != 0);
            EXPECT_EQ(::write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
        });
        const auto value = read_value(false);
        typist.join();
        return value ? std::string(value->reveal()) : "refused: " + value.error().message();
    }
    static bool has_input() {
        pollfd input{STDIN_FILENO, POLLIN, 0};
        return ::poll(&input, 1, 0) != 0;
    }

    const int stdin_before_ = ::dup(STDIN_FILENO);
    const int master_ = ::posix_openpt(O_RDWR | O_NOCTTY);
};

TEST_F(ValueInput, ReadsALine) {
    EXPECT_EQ(read_typed("s3cret\n"), "s3cret");
    termios settings{};
    ASSERT_EQ(::tcgetattr(STDIN_FILENO, &settings), 0);
    EXPECT_NE(settings.c_lflag & static_cast<tcflag_t>(ECHO), 0U);
    EXPECT_NE(settings.c_lflag & static_cast<tcflag_t>(ICANON), 0U);
}

TEST_F(ValueInput, LeavesNothingOfAPasteForTheShell) {
    for (const auto* paste : {"s3cret\nrm -rf x\n", "s3cret\nrm -rf x", "-----BEGIN\na\nb\n"}) {
        EXPECT_THAT(read_typed(paste), HasSubstr("more than one line"));
        EXPECT_FALSE(has_input()) << paste;
    }
}

TEST_F(ValueInput, RefusesALineThatTheTerminalMayHaveCutOff) {
    EXPECT_EQ(read_typed(std::string(4000, 'x') + "\n"), std::string(4000, 'x'));
    EXPECT_THAT(read_typed(std::string(4094, 'x') + "\n"), HasSubstr("cut off"));
}

}  // namespace
}  // namespace trebuchet
