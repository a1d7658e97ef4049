#include "provision/serial/serial_capture.hpp"

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/fakes.hpp"
#include "tests/provision/support/tcp_server.hpp"

#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

class SerialCaptureTest : public testing::Test {
  protected:
    /// Blocks until the log has a line with `text`.
    std::string wait_for_log(const std::string& text) {
        std::string lines;
        std::array<char, 1024> buffer{};
        while (lines.find(text) == std::string::npos) {
            const auto count = ::read(log_read_.get(), buffer.data(), buffer.size());
            if (count <= 0) break;
            lines.append(buffer.data(), static_cast<std::size_t>(count));
        }
        return lines;
    }
    void SetUp() override {
        std::array<int, 2> ends{};
        ASSERT_EQ(::pipe(ends.data()), 0);
        log_read_ = FileDescriptor(ends[0]);
        log_write_ = FileDescriptor(ends[1]);
        log_ = std::make_unique<ConnectorLog>(clock_, "board-1", log_write_.get());
    }
    std::unique_ptr<SerialCapture> capture(std::chrono::milliseconds reconnect_after = 1h,
                                           const std::string& host = "127.0.0.1") {
        return capture(TcpConsole{host, server_.port()}, {reconnect_after});
    }
    std::unique_ptr<SerialCapture> capture(SerialConsole console, SerialOptions options = {1h}) {
        return std::make_unique<SerialCapture>(std::move(console), folder_ / "serial.log", *log_, options);
    }

    TemporaryFolder folder_;
    TcpServer server_;
    FakeClock clock_;
    FakeInterrupt interrupt_;
    FileDescriptor log_read_;
    FileDescriptor log_write_;
    std::unique_ptr<ConnectorLog> log_;
};

TEST_F(SerialCaptureTest, AppendsEverythingThatArrivedBeforeTheStop) {
    folder_.write("serial.log", "earlier\n");
    auto running = capture();
    const auto connection = server_.accept();
    send_text(connection, std::string("boot\0\xff\r\n", 8));
    running.reset();
    EXPECT_EQ(text_of(folder_ / "serial.log"), "earlier\n" + std::string("boot\0\xff\r\n", 8));
}

TEST_F(SerialCaptureTest, ReconnectsAfterALostConnection) {
    auto running = capture(0ms);
    send_text(server_.accept(), "first ");
    EXPECT_THAT(wait_for_log("was closed"), testing::HasSubstr("WARNING"));
    const auto second = server_.accept();
    send_text(second, "second");
    running.reset();
    EXPECT_EQ(text_of(folder_ / "serial.log"), "first second");
}

TEST_F(SerialCaptureTest, StopsAtOnceWhileNobodyListens) {
    server_.close();
    auto running = capture();
    EXPECT_THAT(wait_for_log("\n"), testing::HasSubstr("cannot connect: Connection refused"));
    running.reset();
    EXPECT_FALSE(std::filesystem::exists(folder_ / "serial.log"));
}

TEST_F(SerialCaptureTest, StopsAtOnceWhileTheConsoleIsSilent) {
    auto running = capture();
    const auto connection = server_.accept();
    EXPECT_THAT(wait_for_log("Connected"), testing::HasSubstr("INFO"));
    running.reset();
    EXPECT_EQ(text_of(folder_ / "serial.log"), "");
}

TEST_F(SerialCaptureTest, StopsWhileTheConsoleKeepsPrinting) {
    auto running = capture();
    const auto connection = server_.accept();
    wait_for_log("Connected");
    std::thread talker([&] {
        const std::string text(4096, 'x');
        while (::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL) > 0) {
        }
    });
    running.reset();
    talker.join();
}

TEST_F(SerialCaptureTest, AFileThatCantBeWrittenIsNotFatal) {
    std::filesystem::create_symlink("/dev/null", folder_ / "serial.log");
    auto running = capture();
    const auto connection = server_.accept();
    EXPECT_THAT(wait_for_log("\n"), testing::HasSubstr("cannot write"));
}

TEST_F(SerialCaptureTest, AnUnknownHostIsNotFatal) {
    auto running = capture(1h, "not a host name");
    EXPECT_THAT(wait_for_log("\n"), testing::HasSubstr("cannot resolve not a host name"));
}

TEST_F(SerialCaptureTest, ExpectMatchesEarlierAndLaterOutput) {
    const auto running = capture();
    const auto connection = server_.accept();
    send_text(connection, "U-Boot 2026\nHit any key\nlogin: ");
    EXPECT_EQ(running->expect(SerialPattern::literal("any key"), 1h, interrupt_).value(), "U-Boot 2026\nHit any key");
    EXPECT_EQ(running->expect(SerialPattern::regex("log(in|out): $").value(), 1h, interrupt_).value(), "\nlogin: ");
}

TEST_F(SerialCaptureTest, ExpectReportsTheLastLineAfterATimeout) {
    const auto running = capture();
    const auto connection = server_.accept();
    send_text(connection, "starting\nKernel panic\n");
    ASSERT_TRUE(running->expect(SerialPattern::literal("starting"), 1h, interrupt_));
    ASSERT_TRUE(running->expect(SerialPattern::literal("Kernel"), 1h, interrupt_));
    const auto found = running->expect(SerialPattern::literal("login:"), 1ms, interrupt_);
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().message(), testing::HasSubstr("did not print \"login:\" in time"));
    EXPECT_THAT(found.error().message(), testing::HasSubstr("panic"));
}

TEST_F(SerialCaptureTest, ExpectEndsOnAStopSignal) {
    const auto running = capture();
    interrupt_.signal = SIGTERM;
    ASSERT_EQ(interrupt_.wait_for(1s), SIGTERM);
    const auto found = running->expect(SerialPattern::literal("login:"), 1h, interrupt_);
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().message(), testing::HasSubstr("stop signal"));
}

TEST_F(SerialCaptureTest, ConnectsAtOnceToANewConsole) {
    const auto running = capture(UnixConsole{folder_ / "console"});
    EXPECT_THAT(wait_for_log("\n"), testing::HasSubstr("continuing without it"));
    EXPECT_FALSE(running->connect_now(1ms));
    const UnixServer server(folder_ / "console");
    EXPECT_TRUE(running->connect_now(1h));
    send_text(server.accept(), "hello");
    EXPECT_TRUE(running->expect(SerialPattern::literal("hello"), 1h, interrupt_));
}

TEST_F(SerialCaptureTest, TimestampsEachLine) {
    auto running = capture(TcpConsole{"127.0.0.1", server_.port()}, {1h, &clock_});
    send_text(server_.accept(), "one\ntwo");
    running.reset();
    EXPECT_EQ(text_of(folder_ / "serial.log"),
              "[2027-01-15T08:00:00.000000+00:00] one\n[2027-01-15T08:00:00.000000+00:00] two");
}

TEST_F(SerialCaptureTest, ReadsAUnixSocket) {
    const UnixServer server(folder_ / "console");
    auto running = capture(UnixConsole{folder_ / "console"});
    const auto connection = server.accept();
    send_text(connection, "hello");
    running.reset();
    EXPECT_EQ(text_of(folder_ / "serial.log"), "hello");
}

TEST_F(SerialCaptureTest, ReadsATtyInRawMode) {
    const FileDescriptor terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_EQ(::grantpt(terminal.get()), 0);
    ASSERT_EQ(::unlockpt(terminal.get()), 0);
    auto running = capture(TtyConsole{::ptsname(terminal.get()), 9600});
    wait_for_log("Connected");
    send_text(terminal, "raw\r\n\x03");
    ASSERT_TRUE(running->expect(SerialPattern::literal("\x03"), 1h, interrupt_));
    running.reset();
    EXPECT_EQ(text_of(folder_ / "serial.log"), "raw\r\n\x03");
}

TEST_F(SerialCaptureTest, UnreachableConsolesAreNotFatal) {
    for (const auto& console :
         {SerialConsole(UnixConsole{folder_ / "missing"}), SerialConsole(TtyConsole{folder_ / "missing"}),
          SerialConsole(TtyConsole{"/dev/null"}), SerialConsole(TtyConsole{"/dev/null", 7}),
          SerialConsole(UnixConsole{std::string(200, 'x')})}) {
        auto running = capture(console);
        EXPECT_THAT(wait_for_log("\n"), testing::HasSubstr("continuing without it"));
    }
}

}  // namespace
}  // namespace trebuchet
