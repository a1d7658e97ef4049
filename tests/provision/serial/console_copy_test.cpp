#include "provision/serial/console_copy.hpp"

#include "tests/fakes/fake_clock.hpp"
#include "tests/provision/support/fakes.hpp"
#include "tests/provision/support/tcp_server.hpp"

#include <csignal>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

TEST(ConsoleCopy, AServerThatClosesAtOnceIsAskedLessAndLessOften) {
    const TcpServer server;
    FakeClock clock;
    FakeInterrupt interrupt;
    interrupt.clock = &clock;
    interrupt.signal = SIGTERM;
    // The first wait is of 99 ms, which counts as a look.
    interrupt.waits_before_signal = 5;
    std::thread closing([&] {
        while (const auto client = server.accept()) {
        }
    });
    const FileDescriptor out(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    const ConnectorLog log(clock, "board-1", -1);
    EXPECT_TRUE(copy_console(TcpConsole{"127.0.0.1", server.port()}, out.get(), interrupt, clock, log));
    server.shut_down();
    closing.join();
    EXPECT_THAT(interrupt.waits, testing::ElementsAre(199ms, 399ms, 799ms, 999ms, 999ms, 999ms));
}

}  // namespace
}  // namespace trebuchet
