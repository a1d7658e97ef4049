#include "provision/http/event_stream.hpp"

#include "provision/process/posix_command_runner.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/tcp_server.hpp"

#include <array>
#include <csignal>
#include <thread>

#include <gmock/gmock.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

struct Taken {
    std::vector<std::string> data;
    std::string ids;
    [[nodiscard]] EventParser::Take take() {
        return [this](const StreamEvent& event) {
            data.push_back(event.data);
            ids += event.id ? "[" + *event.id + "]" : "-";
        };
    }
};

TEST(EventParser, JoinsLinesOfDataAndDropsCommentsAndACutOffEnd) {
    Taken taken;
    EventParser parser(taken.take());
    parser.feed(
        ": keep-alive\n\nevent: log\nid: 1\ndata: one\ndata:two\r\n\r\ndata: three\n\nid\ndata\n\nid: 9\ndata: cu");
    EXPECT_THAT(taken.data, ElementsAre("one\ntwo", "three", ""));
    EXPECT_EQ(taken.ids, "[1]-[]");
    EXPECT_EQ(parser.rest(), "data: cu");
}

TEST(EventParser, TakesBytesAsTheyCome) {
    Taken taken;
    EventParser parser(taken.take());
    for (const char c : std::string("id: 7\r\ndata: x\r\n\r\n")) parser.feed({&c, 1});
    EXPECT_THAT(taken.data, ElementsAre("x"));
    EXPECT_EQ(taken.ids, "[7]");
}

TEST(EventParser, CutsWhatIsTooLongAndTakesNoNumberThatCouldBeAHeader) {
    Taken taken;
    EventParser parser(taken.take());
    parser.feed("data: " + std::string(1'000'000, 'x') + "\nid: " + std::string(300, '1') + "\n\n");
    parser.feed(std::string("id: a\tb\ndata: y\n\n"));
    EXPECT_LE(taken.data.front().size(), 256U * 1024);
    EXPECT_EQ(taken.ids, "--");
}

/// curl, and a server that answers once. Returns the request.
class FollowStream : public testing::Test {
  protected:
    FollowStream() { SignalInterrupt::block_signals(); }

    tl::expected<int, RestFailure> follow(const std::string& answer, const std::string& last_id,
                                          bool stays_open = false) {
        std::thread server([&] {
            const auto client = server_.accept();
            std::array<char, 4096> buffer{};
            while (request_.find("\r\n\r\n") == std::string::npos) {
                const auto count = ::read(client.get(), buffer.data(), buffer.size());
                if (count <= 0) return;
                request_.append(buffer.data(), static_cast<std::size_t>(count));
            }
            send_text(client, answer);
            if (!stays_open) return;
            ::kill(::getpid(), SIGTERM);
            (void)::read(client.get(), buffer.data(), buffer.size());  // until curl has gone
        });
        const StreamCall call{"http://127.0.0.1:" + std::to_string(server_.port()) + "/logs", last_id, 20s, 60s};
        auto result = follow_stream(call, taken_.take(), commands_, interrupt_);
        server.join();
        return result;
    }

    TcpServer server_;
    std::string request_;
    Taken taken_;
    SignalInterrupt interrupt_;
    PosixCommandRunner commands_{interrupt_};
};

TEST_F(FollowStream, ReadsToTheEndAndReturnsTheStatus) {
    const auto status = follow("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nid: 3\ndata: {}\n\n", "2\" x");
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(*status, 200);
    EXPECT_THAT(taken_.data, ElementsAre("{}"));
    EXPECT_THAT(request_, HasSubstr("Last-Event-ID: 2\" x\r\n"));
}

TEST_F(FollowStream, ReturnsTheStatusOfARefusal) {
    EXPECT_EQ(follow("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n{\"detail\": 1}", ""), 404);
    EXPECT_EQ(request_.find("Last-Event-ID"), std::string::npos);
}

TEST_F(FollowStream, EndsAtOnceOnAStopSignal) {
    const auto status = follow("HTTP/1.1 200 OK\r\n\r\ndata: {}\n\n", "", true);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().signal, SIGTERM);
}

TEST_F(FollowStream, AServerThatBreaksOffIsAFailureWithoutSignal) {
    const auto status = follow("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\ndata: {}\n\n", "");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().signal, 0);
    EXPECT_THAT(taken_.data, ElementsAre("{}"));
}

/// As the control host wants it: the request as JSON text, and the file. Names of files are the job's.
TEST_F(FollowStream, ARequestCanTakeAFileAlong) {
    const TemporaryFolder folder;
    folder.write("a;b,\"c.bin", "IMAGE");
    std::thread server([&] {
        const auto client = server_.accept();
        std::array<char, 4096> buffer{};
        while (request_.find("IMAGE") == std::string::npos) {
            const auto count = ::read(client.get(), buffer.data(), buffer.size());
            if (count <= 0) return;
            request_.append(buffer.data(), static_cast<std::size_t>(count));
        }
        send_text(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    });
    RestCall call;
    call.method = "POST";
    call.url = "http://127.0.0.1:" + std::to_string(server_.port()) + "/multipart";
    call.json = R"({"password": "@a;b\\\"c"})";
    call.json_field = "request";
    call.upload = (folder / "a;b,\"c.bin").string();
    call.upload_field = "boot_binary";
    const auto answer = call_rest(call, commands_);
    server.join();
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 200);
    EXPECT_THAT(request_, HasSubstr("name=\"request\"\r\n\r\n{\"password\": \"@a;b\\\\\\\"c\"}\r\n"));
    EXPECT_THAT(request_, HasSubstr("name=\"boot_binary\""));
}

}  // namespace
}  // namespace trebuchet
