#include "agent/job/connector_chatter.hpp"

#include "common/base/clock.hpp"
#include "provision/serial/serial_capture.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <array>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

namespace trebuchet {
namespace {

TEST(ConnectorChatter, IsKnownToTheAgentAsTheConnectorWritesIt) {
    const TemporaryFolder folder;
    std::array<int, 2> log{};
    ASSERT_EQ(::pipe2(log.data(), O_CLOEXEC), 0);
    const FileDescriptor reader(log[0]);
    const FileDescriptor writer(log[1]);
    const SystemClock clock;
    const ConnectorLog connector_log(clock, "board-1", writer.get());
    const SerialCapture capture(UnixConsole{folder / "missing"}, folder / "serial.log", connector_log);
    pollfd source{reader.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&source, 1, 60'000), 1);
    std::array<char, 4096> text{};
    const auto length = ::read(reader.get(), text.data(), text.size());
    ASSERT_GT(length, 0);
    const std::string_view line(text.data(), static_cast<std::size_t>(length));
    EXPECT_TRUE(is_connector_chatter(line)) << line;
}

}  // namespace
}  // namespace trebuchet
