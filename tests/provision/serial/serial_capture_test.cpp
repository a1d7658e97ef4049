#include "provision/serial/serial_capture.hpp"

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/tcp_server.hpp"

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
        return std::make_unique<SerialCapture>(SerialConsole{host, server_.port()}, folder_ / "serial.log", *log_,
                                               reconnect_after);
    }

    TemporaryFolder folder_;
    TcpServer server_;
    FakeClock clock_;
    FileDescriptor log_read_;
    FileDescriptor log_write_;
    std::unique_ptr<ConnectorLog> log_;
};

TEST_F(SerialCaptureTest, AppendsEverythingThatArrivedBeforeTheEnd) {
    folder_.write("serial.log", "earlier\n");
    auto running = capture();
    const auto connection = server_.accept();
    send_text(connection, std::string("boot\0\xff\r\n", 8));
    running.reset();
    EXPECT_EQ(text_of(folder_ / "serial.log"), "earlier\n" + std::string("boot\0\xff\r\n", 8));
}

TEST_F(SerialCaptureTest, ConnectsAgainWhenTheConnectionIsLost) {
    auto running = capture(0ms);
    send_text(server_.accept(), "first ");
    EXPECT_THAT(wait_for_log("was closed"), testing::HasSubstr("WARNING"));
    const auto second = server_.accept();
    send_text(second, "second");
    running.reset();
    EXPECT_EQ(text_of(folder_ / "serial.log"), "first second");
}

TEST_F(SerialCaptureTest, EndsAtOnceWhileNobodyListens) {
    server_.close();
    auto running = capture();
    EXPECT_THAT(wait_for_log("\n"), testing::HasSubstr("can't connect: Connection refused"));
    running.reset();
    EXPECT_FALSE(std::filesystem::exists(folder_ / "serial.log"));
}

TEST_F(SerialCaptureTest, EndsAtOnceWhileTheConsoleIsSilent) {
    auto running = capture();
    const auto connection = server_.accept();
    EXPECT_THAT(wait_for_log("Connected"), testing::HasSubstr("INFO"));
    running.reset();
    EXPECT_EQ(text_of(folder_ / "serial.log"), "");
}

TEST_F(SerialCaptureTest, EndsWhileTheConsoleNeverStopsTalking) {
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
    EXPECT_THAT(wait_for_log("\n"), testing::HasSubstr("can't write"));
}

TEST_F(SerialCaptureTest, AHostThatCantBeFoundIsNotFatal) {
    auto running = capture(1h, "not a host name");
    EXPECT_THAT(wait_for_log("\n"), testing::HasSubstr("can't find not a host name"));
}

}  // namespace
}  // namespace trebuchet
