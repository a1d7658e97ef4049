#include "provision/boot/ssh_banner.hpp"

#include "tests/provision/support/tcp_server.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// The result for a server that sends `text` and closes the connection.
Result<void> after(const std::string& text) {
    const TcpServer server;
    std::thread device([&] { send_text(server.accept(), text); });
    auto result = check_ssh_banner("127.0.0.1", server.port());
    device.join();
    return result;
}

TEST(SshBanner, IsRecognised) {
    EXPECT_TRUE(after("SSH-2.0-dropbear_2022.83\r\n"));
    EXPECT_TRUE(after("Welcome to the lab\r\nSSH-2.0-OpenSSH_9.2\r\n"));
}

TEST(SshBanner, RefusesOtherProtocols) {
    EXPECT_THAT(after("").error().message(), HasSubstr("closed before an SSH banner"));
    EXPECT_THAT(after("220 mail SSH-\r\n").error().message(), HasSubstr("closed before an SSH banner"));
    EXPECT_THAT(after(std::string(10'000, 'x')).error().message(), HasSubstr("not ssh"));
}

TEST(SshBanner, NeedsMoreThanAConnection) {
    const TcpServer server;
    EXPECT_EQ(check_ssh_banner("127.0.0.1", server.port(), 20ms).error().message(),
              "connected, but got no SSH banner in time");
}

TEST(SshBanner, SaysWhyThereIsNoConnection) {
    TcpServer server;
    const auto port = server.port();
    server.close();
    EXPECT_EQ(check_ssh_banner("127.0.0.1", port).error().message(), "Connection refused");
}

}  // namespace
}  // namespace trebuchet
