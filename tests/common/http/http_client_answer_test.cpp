#include "tests/common/http/http_client_fixture.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using Connection = LoopbackServer::Connection;
using Kind = HttpFailure::Kind;

/// Where the rest of an answer and whole answers go.
class HttpAnswer : public HttpClientTest {
  protected:
    HttpRequest into_file(std::size_t limit) {
        auto request = get("/file");
        request.answer_file = file_;
        request.response_limit = limit;
        return request;
    }
    [[nodiscard]] std::string file_content() const {
        std::ifstream file(file_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    TemporaryFolder folder_;
    std::filesystem::path file_ = folder_ / "answer";
};

TEST_F(HttpAnswer, ReportsWhetherItWasCut) {
    const LoopbackServer server(always(ok("0123456789")));
    connect(server);
    auto request = get("/x");
    request.cut_response = true;
    request.response_limit = 10;
    EXPECT_FALSE(call(request)->cut);
    request.response_limit = 9;
    EXPECT_TRUE(call(request)->cut);
}

TEST_F(HttpAnswer, PassesAnOversizedAnswerOnCompletely) {
    std::string body;
    for (int i = 0; i < 300'000; ++i) body += static_cast<char>(i * 7);
    const LoopbackServer server(always(ok(body)));
    connect(server);
    std::string all;
    auto request = get("/x");
    request.response_limit = 1000;
    request.on_overflow = [&](std::string_view piece) { all += piece; };
    const auto answer = call(std::move(request));
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->cut);
    EXPECT_EQ(answer->body.size(), 1000U);
    EXPECT_TRUE(all == body);
}

TEST_F(HttpAnswer, PassesNothingOnWhenItFits) {
    const LoopbackServer server(always(ok("0123456789")));
    connect(server);
    auto request = get("/x");
    request.response_limit = 10;
    request.on_overflow = [](std::string_view) { ADD_FAILURE(); };
    const auto answer = call(std::move(request));
    ASSERT_TRUE(answer);
    EXPECT_FALSE(answer->cut);
    EXPECT_EQ(answer->body, "0123456789");
}

TEST_F(HttpAnswer, ReadsNoMoreThanTheSecondLimit) {
    const LoopbackServer server([](Connection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
        while (connection.send(std::string(100'000, 'x'))) continue;
    });
    connect(server);
    std::size_t all = 0;
    auto request = get("/x");
    request.response_limit = 1000;
    request.overflow_limit = 2'000'000;
    request.on_overflow = [&](std::string_view piece) { all += piece.size(); };
    const auto answer = call(std::move(request));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_TRUE(answer->cut);
    EXPECT_EQ(answer->body.size(), 1000U);
    EXPECT_EQ(all, 2'001'000U);
}

TEST_F(HttpAnswer, IsWrittenToANewFile) {
    std::string body;
    for (int i = 0; i < 3'000'000; ++i) body += static_cast<char>(i * 7);
    const LoopbackServer server(always(ok(body)));
    connect(server);
    const auto answer = call(into_file(body.size()));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "");
    EXPECT_TRUE(file_content() == body);
    struct stat info {};
    ASSERT_EQ(::stat(file_.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0600U);
}

TEST_F(HttpAnswer, RemovesTheFileIfItIsTooLong) {
    const LoopbackServer server(always(ok(std::string(1001, 'x'))));
    connect(server);
    EXPECT_EQ(failure_of(into_file(1000)), Kind::protocol);
    EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(HttpAnswer, RemovesTheFileOnAnotherStatus) {
    const LoopbackServer server(always("HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nno file"));
    connect(server);
    const auto answer = call(into_file(1000));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 404);
    EXPECT_EQ(answer->body, "no file");
    EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(HttpAnswer, RemovesTheFileIfTheConnectionBreaks) {
    const LoopbackServer server([](Connection& connection) {
        if (connection.read_request()) connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
    });
    connect(server);
    EXPECT_EQ(failure_of(into_file(1000)), Kind::broken);
    EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(HttpAnswer, RemovesTheFileAfterATimeout) {
    const LoopbackServer server([](Connection& connection) {
        connection.read_request();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
        connection.hold();
    });
    connect(server);
    auto request = into_file(1000);
    request.timeout = std::chrono::milliseconds(60);
    EXPECT_EQ(failure_of(std::move(request)), Kind::timed_out);
    EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(HttpAnswer, NeverOverwritesAFile) {
    folder_.write("answer", "precious");
    const LoopbackServer server(always(ok("x")));
    connect(server);
    const auto answer = call(into_file(1000));
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().message, HasSubstr(file_.string()));
    EXPECT_EQ(file_content(), "precious");
    EXPECT_EQ(server.connections(), 0U);
}

TEST_F(HttpAnswer, AFileThatCannotBeCreatedIsAFailure) {
    const LoopbackServer server(always(ok("x")));
    connect(server);
    auto request = get("/file");
    request.answer_file = "/proc/self/no such file";
    EXPECT_FALSE(call(std::move(request)));
}

}  // namespace
}  // namespace trebuchet
