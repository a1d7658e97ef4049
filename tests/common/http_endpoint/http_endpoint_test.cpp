#include "common/http_endpoint/http_endpoint.hpp"

#include "common/event/beside.hpp"
#include "common/file/safe_file.hpp"
#include "tests/fakes/run_loop.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// Blocks as clients do, so what waits for the server belongs on another thread than the loop's.
class Client {
  public:
    explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in where{};
        where.sin_family = AF_INET;
        where.sin_port = htons(port);
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
            ADD_FAILURE() << "cannot connect";
        }
    }

    void send(std::string_view bytes) const {
        while (!bytes.empty()) {
            const auto count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
    }

    /// Reads until the server closes the connection.
    [[nodiscard]] std::string receive() const {
        std::string all;
        char buffer[4096];
        for (;;) {
            const auto count = ::recv(fd_.get(), buffer, sizeof buffer, 0);
            if (count <= 0) return all;
            all.append(buffer, static_cast<std::size_t>(count));
        }
    }

  private:
    FileDescriptor fd_;
};

/// The only one of this process.
int listening_socket() {
    for (int fd = 3; fd < 1024; ++fd) {
        int listens = 0;
        socklen_t size = sizeof listens;
        if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0) return fd;
    }
    return -1;
}

class HttpEndpointTest : public testing::Test {
  protected:
    void open(const HttpEndpoint::Pages& pages) {
        options_.address = "127.0.0.1";
        auto opened = HttpEndpoint::open(loop_, options_, pages);
        ASSERT_TRUE(opened) << opened.error().message();
        endpoint_ = std::move(*opened);
    }
    void open() {
        open({{"/metrics",
               [] {
                   return HttpPage{200, "text/x-metrics", "up 1\n"};
               }},
              {"/healthz", [] {
                   return HttpPage{503, "text/plain", "broken\n"};
               }}});
    }

    /// Runs `client` on a thread and the loop meanwhile.
    void meanwhile(const std::function<void()>& client) { run_beside(loop_, client); }

    std::string exchange(std::string_view request) {
        std::string answer;
        meanwhile([&] {
            const Client client(endpoint_->port());
            client.send(request);
            answer = client.receive();
        });
        return answer;
    }

    EventLoop loop_;
    HttpEndpointOptions options_;
    std::unique_ptr<HttpEndpoint> endpoint_;
};

TEST_F(HttpEndpointTest, AnswersGetWithThePage) {
    open();
    EXPECT_EQ(exchange("GET /metrics HTTP/1.1\r\nHost: lab\r\n\r\n"),
              "HTTP/1.1 200 OK\r\n"
              "Content-Type: text/x-metrics\r\n"
              "Content-Length: 5\r\n"
              "Cache-Control: no-store\r\n"
              "X-Content-Type-Options: nosniff\r\n"
              "Connection: close\r\n"
              "\r\n"
              "up 1\n");
}

TEST_F(HttpEndpointTest, ReturnsThePagesStatus) {
    open();
    const auto answer = exchange("GET /healthz HTTP/1.0\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\nbroken\n"));
}

TEST_F(HttpEndpointTest, MakesThePageForEachRequestOnTheLoop) {
    int asked = 0;
    std::thread::id asked_on;
    open({{"/count", [&] {
               asked_on = std::this_thread::get_id();
               return HttpPage{200, "text/plain", std::to_string(++asked)};
           }}});
    EXPECT_THAT(exchange("GET /count HTTP/1.1\r\n\r\n"), EndsWith("\r\n1"));
    EXPECT_THAT(exchange("GET /count HTTP/1.1\r\n\r\n"), EndsWith("\r\n2"));
    EXPECT_EQ(asked_on, std::this_thread::get_id());
}

TEST_F(HttpEndpointTest, IgnoresTheQuery) {
    open();
    EXPECT_THAT(exchange("GET /metrics?name[]=up HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpEndpointTest, RefusesOtherPaths) {
    open();
    for (const std::string path : {"/", "/metrics/", "//metrics", "/../metrics", "metrics", "*", "/%6Detrics"}) {
        EXPECT_THAT(exchange("GET " + path + " HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 ")) << path;
    }
}

TEST_F(HttpEndpointTest, RefusesOtherMethods) {
    open();
    for (const std::string method : {"HEAD", "POST", "DELETE", "get", "G\x01T"}) {
        const auto answer = exchange(method + " /metrics HTTP/1.1\r\n\r\n");
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
        EXPECT_THAT(answer, HasSubstr("\r\nAllow: GET\r\n")) << method;
    }
}

TEST_F(HttpEndpointTest, RefusesWhatIsNotHttp) {
    open();
    using std::string_literals::operator""s;
    for (const std::string& head :
         {""s, " "s, "  "s, "GET"s, "GET /metrics"s, "GET /metrics "s, " /metrics HTTP/1.1"s, "GET /metrics HTTP/2.0"s,
          "GET  HTTP/9"s, "\0\0 \0 \0"s, "\x16\x03\x01\x02 \xFF \xFE"s}) {
        EXPECT_THAT(exchange(head + "\r\n\r\n"), StartsWith("HTTP/1.1 400 ")) << head;
    }
}

TEST_F(HttpEndpointTest, AcceptsARequestInPieces) {
    open();
    std::string answer;
    meanwhile([&] {
        const Client client(endpoint_->port());
        for (const char c : std::string_view("GET /metrics HTTP/1.1\r\nHost: lab\r\n\r\n")) client.send({&c, 1});
        answer = client.receive();
    });
    EXPECT_THAT(answer, EndsWith("\r\n\r\nup 1\n"));
}

TEST_F(HttpEndpointTest, AnswersOnlyTheFirstOfPipelinedRequests) {
    open();
    const auto answer = exchange("GET /healthz HTTP/1.1\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(answer, EndsWith("\r\n\r\nbroken\n"));
}

TEST_F(HttpEndpointTest, RefusesAHeadThatIsTooLong) {
    open();
    const std::string start = "GET /metrics HTTP/1.1\r\nX: ";
    const std::string longest = start + std::string(options_.request_limit - start.size(), 'x') + "\r\n\r\n";
    EXPECT_THAT(exchange(longest), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(exchange(start + "x" + longest.substr(start.size())), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpEndpointTest, TheRefusalArrivesAlthoughTheClientSendsOn) {
    open();
    EXPECT_THAT(exchange("GET /" + std::string(4U << 20, 'x')), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpEndpointTest, ClosesWhenAClientSaysNothingInTime) {
    options_.time_limit = milliseconds(20);
    open();
    EXPECT_THAT(exchange(""), IsEmpty());
    EXPECT_THAT(exchange("GET /metrics HTTP/1.1\r\nHost: l"), IsEmpty());
}

TEST_F(HttpEndpointTest, ClosesWhenAClientDoesNotReadItsAnswerInTime) {
    options_.time_limit = milliseconds(20);
    const std::string much(64U << 20, 'x');
    open({{"/much", [&] { return HttpPage{200, "text/plain", much}; }}});
    const Client client(endpoint_->port());
    client.send("GET /much HTTP/1.1\r\n\r\n");
    loop_.wait_for(milliseconds(60));
    std::string answer;
    meanwhile([&] { answer = client.receive(); });
    EXPECT_LT(answer.size(), much.size());
}

TEST_F(HttpEndpointTest, IdleClientsDoNotLockOutOthers) {
    options_.connection_limit = 4;
    open();
    std::deque<Client> idle;
    for (int i = 0; i < 4; ++i) idle.emplace_back(endpoint_->port());
    EXPECT_THAT(exchange("GET /metrics HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
    meanwhile([&] { EXPECT_THAT(idle.front().receive(), IsEmpty()); });
    idle.back().send("GET /metrics HTTP/1.1\r\n\r\n");
    meanwhile([&] { EXPECT_THAT(idle.back().receive(), StartsWith("HTTP/1.1 200 ")); });
}

TEST_F(HttpEndpointTest, SurvivesClientsThatDisconnect) {
    open();
    for (const std::string_view part : {"", "GET /met", "GET /metrics HTTP/1.1\r\n\r\n"}) {
        const Client client(endpoint_->port());
        client.send(part);
    }
    EXPECT_THAT(exchange("GET /metrics HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpEndpointTest, DoesNotSpinWhenItCannotAcceptConnections) {
    open();
    const int listener = listening_socket();
    ASSERT_GE(listener, 0);
    ASSERT_EQ(::shutdown(listener, SHUT_RDWR), 0);  // accept(2) fails at once, as it does without descriptors
    int turns = 0;
    loop_.wait_for(milliseconds(20), [&] {
        ++turns;
        return false;
    });
    EXPECT_LT(turns, 10);
    ASSERT_EQ(::listen(listener, 4), 0);  // on a port that the kernel chooses
    sockaddr_in where{};
    socklen_t size = sizeof where;
    ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&where), &size), 0);
    const Client client(ntohs(where.sin_port));
    client.send("GET /metrics HTTP/1.1\r\n\r\n");
    meanwhile([&] { EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 200 ")); });
}

TEST_F(HttpEndpointTest, TheDestructorClosesConnectionsAndMakesNoPages) {
    bool asked = false;
    open({{"/metrics", [&] {
               asked = true;
               return HttpPage{};
           }}});
    const Client client(endpoint_->port());
    client.send("GET /metrics HTTP/1.1\r\n\r\n");
    bool turned = false;
    loop_.run_until([&] { return std::exchange(turned, true); });  // takes the connection
    endpoint_.reset();
    meanwhile([&] { EXPECT_THAT(client.receive(), IsEmpty()); });
    EXPECT_FALSE(asked);
}

TEST_F(HttpEndpointTest, CanBeDestroyedWithItsLoop) {
    open();
    const Client client(endpoint_->port());
    endpoint_.reset();
}

TEST_F(HttpEndpointTest, ReportsWhyItCannotListen) {
    open();
    options_.port = endpoint_->port();
    const auto taken = HttpEndpoint::open(loop_, options_, {});
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().message(),
              "cannot listen on 127.0.0.1, port " + std::to_string(options_.port) + ": Address already in use");
    options_.address = "lab.example.com";
    const auto unknown = HttpEndpoint::open(loop_, options_, {});
    ASSERT_FALSE(unknown);
    EXPECT_THAT(unknown.error().message(), HasSubstr("expected an IP address"));
}

}  // namespace
}  // namespace trebuchet
