#include "provision/image/image_server.hpp"

#include "provision/image/compressing_target.hpp"
#include "provision/process/posix_command_runner.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <array>
#include <cstdlib>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trebuchet {
namespace {

FileDescriptor connect_to(std::uint16_t port) {
    FileDescriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    return client;
}

std::size_t read_all(const FileDescriptor& client) {
    std::array<char, 65536> buffer{};
    std::size_t sum = 0;
    for (ssize_t count = 1; count > 0;) {
        count = ::read(client.get(), buffer.data(), buffer.size());
        if (count > 0) sum += static_cast<std::size_t>(count);
    }
    return sum;
}

TEST(ImageServer, SendsTheFileToEachClient) {
    const TemporaryFolder folder;
    folder.write("image", std::string(5'000'000, 'x'));
    const auto server = ImageServer::start(folder / "image");
    ASSERT_TRUE(server) << server.error().message();
    for (int i = 0; i < 2; ++i) EXPECT_EQ(read_all(connect_to(server->port())), 5'000'000U);
}

/// The reference's server outlives a failure, and its connector then never ends.
TEST(ImageServer, EndsAtOnceWithAClientThatTakesNothing) {
    const TemporaryFolder folder;
    folder.write("image", std::string(50'000'000, 'x'));
    FileDescriptor client;
    {
        const auto server = ImageServer::start(folder / "image");
        ASSERT_TRUE(server);
        client = connect_to(server->port());
        std::array<char, 1> byte{};
        EXPECT_EQ(::read(client.get(), byte.data(), 1), 1);
    }
    EXPECT_LT(read_all(client), 50'000'000U);
}

TEST(ImageServer, NeedsAFile) {
    EXPECT_FALSE(ImageServer::start("/dev/null"));
    EXPECT_FALSE(ImageServer::start("/no/such/file"));
}

TEST(OwnAddress, IsThatOfTheRoute) {
    EXPECT_EQ(own_address_towards("127.0.0.1").value_or("none"), "127.0.0.1");
}

TEST(CompressingTarget, WritesXz) {
    const TemporaryFolder folder;
    SignalInterrupt::block_signals();
    SignalInterrupt interrupt;
    PosixCommandRunner commands(interrupt);
    auto target = open_compressing_target(folder / "image.xz", commands);
    ASSERT_TRUE(target);
    ASSERT_TRUE(write_all((*target)->fd(), std::string(100'000, 'x')));
    ASSERT_TRUE((*target)->close());
    EXPECT_TRUE((*target)->wait_for(std::chrono::seconds(20)));
    EXPECT_TRUE((*target)->finish());
    const auto written = read_file(folder / "image.xz", 100'000);
    ASSERT_TRUE(written);
    EXPECT_EQ(written->substr(1, 4), "7zXZ");
    EXPECT_LT(written->size(), 1000U);
    EXPECT_EQ((*target)->read_back(3, [] { return true; }).value_or("none"),
              "cd2eb0837c9b4c962c22d2ff8b5441b7b45805887f051d39bf133b583baf6860")
        << "of xxx";
}

}  // namespace
}  // namespace trebuchet
