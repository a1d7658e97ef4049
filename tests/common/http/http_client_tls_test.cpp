#include "tests/common/http/http_client_fixture.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/fakes/test_authority.hpp"

#include <cstdio>
#include <iomanip>
#include <memory>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <openssl/x509.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using Kind = HttpFailure::Kind;

/// The name, without its end, under which OpenSSL finds a certificate in a folder.
std::string subject_hash(const std::filesystem::path& certificate) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(certificate.c_str(), "r"), std::fclose);
    const std::unique_ptr<X509, void (*)(X509*)> read(PEM_read_X509(file.get(), nullptr, nullptr, nullptr), X509_free);
    std::ostringstream text;
    text << std::hex << std::setw(8) << std::setfill('0') << X509_subject_name_hash(read.get());
    return text.str();
}

class HttpTls : public HttpClientTest {
  protected:
    void connect_to(const LoopbackServer& server, const std::filesystem::path& ca_file,
                    const TestCertificate& own = {}) {
        HttpOptions options;
        options.origin = server.origin();
        options.ca_file = ca_file;
        options.client_cert = own.certificate;
        options.client_key = own.key;
        connect(std::move(options));
    }
    static ServerIdentity identity(const TestCertificate& files, const std::filesystem::path& client_ca = {}) {
        return {files.certificate, files.key, client_ca};
    }

    TemporaryFolder folder_;
    TestAuthority authority_{folder_.path(), "authority"};
    TestAuthority stranger_{folder_.path(), "stranger"};
    TestCertificate good_ = authority_.issue("good", "IP:127.0.0.1");
};

TEST_F(HttpTls, TrustsACertificateOfItsCa) {
    const LoopbackServer server(always(ok("x")), identity(good_));
    connect_to(server, authority_.certificate());
    EXPECT_EQ(body_of(get("/x")), "x");
    EXPECT_EQ(body_of(post("/x", std::string(100'000, 'y'))), "x");
    EXPECT_EQ(body_of(get("/x")), "x");
}

TEST_F(HttpTls, ChecksTheNameThatIsGivenInsteadOfTheHost) {
    const auto named = authority_.issue("named", "DNS:vault.example.com");
    const LoopbackServer server(always(ok("x")), identity(named));
    const auto answer_with_name = [&](const std::string& name) {
        HttpOptions options;
        options.origin = server.origin();
        options.ca_file = authority_.certificate();
        options.server_name = name;
        connect(std::move(options));
        return call(get("/x"));
    };
    const auto answer_of_named = answer_with_name("vault.example.com");
    ASSERT_TRUE(answer_of_named) << answer_of_named.error().message;
    EXPECT_EQ(answer_of_named->status, 200);
    for (const auto* name : {"other.example.com", ""}) {
        const auto answer = answer_with_name(name);
        ASSERT_FALSE(answer) << name;
        EXPECT_EQ(answer.error().kind, Kind::tls);
    }
}

TEST_F(HttpTls, RefusesAnUnknownCa) {
    const LoopbackServer server(always(ok("x")), identity(stranger_.issue("other", "IP:127.0.0.1")));
    connect_to(server, authority_.certificate());
    const auto answer = call(get("/v1/x"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, Kind::tls);
    EXPECT_THAT(answer.error().message, HasSubstr("GET " + server.origin() + "/v1/x: "));
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(HttpTls, RefusesAnUnknownCaWithTheSystemsCasToo) {
    const LoopbackServer server(always(ok("x")), identity(good_));
    connect_to(server, {});
    EXPECT_EQ(failure_of(get("/x")), Kind::tls);
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(HttpTls, RefusesACertificateForAnotherHost) {
    for (const auto* subject : {"DNS:other.example.com", "IP:127.0.0.2"}) {
        const LoopbackServer server(always(ok("x")), identity(authority_.issue("other", subject)));
        connect_to(server, authority_.certificate());
        EXPECT_EQ(failure_of(get("/x")), Kind::tls) << subject;
        EXPECT_TRUE(server.requests().empty());
    }
}

TEST_F(HttpTls, ReportsWhyACertificateIsRefused) {
    const auto reason_for = [&](const TestCertificate& files) {
        const LoopbackServer server(always(ok("x")), identity(files));
        connect_to(server, authority_.certificate());
        const auto answer = call(get("/x"));
        EXPECT_TRUE(server.requests().empty());
        return answer ? std::string("no failure") : answer.error().message;
    };
    EXPECT_THAT(reason_for(authority_.issue("old", "IP:127.0.0.1", -60)), HasSubstr("certificate has expired"));
    EXPECT_THAT(reason_for(authority_.issue("other", "IP:127.0.0.2")), HasSubstr("IP address mismatch"));
    EXPECT_THAT(reason_for(stranger_.issue("unknown", "IP:127.0.0.1")),
                HasSubstr("unable to get local issuer certificate"));
    EXPECT_THAT(reason_for({stranger_.certificate(), stranger_.key()}), HasSubstr("self-signed certificate"));
}

TEST_F(HttpTls, ReportsTheNameThatDoesNotMatch) {
    const LoopbackServer server(always(ok("x")), identity(authority_.issue("other", "DNS:other.example.com")));
    HttpOptions options;
    options.origin = "https://localhost:" + std::to_string(server.port());
    options.ca_file = authority_.certificate();
    connect(std::move(options));
    EXPECT_THAT(call(get("/x")).error().message, HasSubstr("hostname mismatch"));
}

TEST_F(HttpTls, ReportsThatTheServerRefused) {
    const LoopbackServer server(always(ok("x")), identity(good_, authority_.certificate()));
    connect_to(server, authority_.certificate());
    EXPECT_THAT(call(get("/x")).error().message, HasSubstr("the server refused: "));
}

TEST_F(HttpTls, ResumesASessionOnAFreshConnection) {
    const LoopbackServer server(always(ok("x")), identity(good_));
    connect_to(server, authority_.certificate());
    auto request = get("/x");
    request.fresh_connection = true;
    for (int i = 0; i < 5; ++i) EXPECT_EQ(body_of(request), "x");
    EXPECT_EQ(server.connections(), 5U);
    EXPECT_EQ(server.resumptions(), 4U);
}

TEST_F(HttpTls, ARequestWithOnceIsNeverSentTwice) {
    const LoopbackServer server(
        [](LoopbackServer::Connection& connection) {
            while (const auto request = connection.read_request()) {
                if (request->line().find(" /once ") != std::string::npos) return;
                connection.send(ok("x"));
            }
        },
        identity(good_));
    connect_to(server, authority_.certificate());
    std::size_t sent = 0;
    for (int i = 0; i < 3; ++i) {
        for (auto request : {get("/once"), post("/once", "y")}) {
            EXPECT_EQ(body_of(get("/other")), "x");
            request.once = true;
            EXPECT_EQ(failure_of(std::move(request)), Kind::broken);
            sent += 2;
            EXPECT_EQ(server.requests().size(), sent);
        }
    }
    EXPECT_EQ(server.connections(), 6U);
}

TEST_F(HttpTls, AConnectionClosedWhileIdleFailsNoRequest) {
    const LoopbackServer server(
        [](LoopbackServer::Connection& connection) {
            if (connection.read_request()) connection.send(ok("x"));
        },
        identity(good_));
    connect_to(server, authority_.certificate());
    for (int i = 0; i < 4; ++i) {
        auto request = post("/x", "y");
        request.once = true;
        EXPECT_EQ(body_of(std::move(request)), "x");
        wait_a_little();  // for the server's FIN
    }
    EXPECT_EQ(server.requests().size(), 4U);
}

TEST_F(HttpTls, TrustsTheCasOfAFolder) {
    const LoopbackServer server(always(ok("x")), identity(good_));
    const auto cas = folder_ / "cas";
    std::filesystem::create_directory(cas);
    connect_to(server, cas);
    EXPECT_EQ(failure_of(get("/x")), Kind::tls) << "the folder is empty";
    std::filesystem::create_symlink(authority_.certificate(), cas / (subject_hash(authority_.certificate()) + ".0"));
    connect_to(server, cas);
    EXPECT_EQ(body_of(get("/x")), "x");
}

TEST_F(HttpTls, ResumesNothingAfterARefusal) {
    const LoopbackServer server(always(ok("x")), identity(stranger_.issue("other", "IP:127.0.0.1")));
    connect_to(server, authority_.certificate());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(failure_of(get("/x")), Kind::tls);
    EXPECT_EQ(server.resumptions(), 0U);
}

TEST_F(HttpTls, RefusesAServerThatDoesNotSpeakTls) {
    const LoopbackServer server([](LoopbackServer::Connection& connection) { connection.send(ok("x")); });
    HttpOptions options;
    options.origin = "https://127.0.0.1:" + std::to_string(server.port());
    connect(std::move(options));
    EXPECT_EQ(failure_of(get("/x")), Kind::tls);
}

TEST_F(HttpTls, SendsItsClientCertificate) {
    const LoopbackServer server(always(ok("x")), identity(good_, authority_.certificate()));
    connect_to(server, authority_.certificate(), authority_.issue("client", "DNS:agent"));
    EXPECT_EQ(body_of(get("/x")), "x");
    connect_to(server, authority_.certificate());
    EXPECT_FALSE(call(get("/x")));
}

TEST_F(HttpTls, DoesNotStartWithAClientCertificateThatCannotBeUsed) {
    const auto client = authority_.issue("client", "DNS:agent");
    const auto problem_of = [&](const TestCertificate& own) {
        HttpOptions options;
        options.origin = "https://lab.example.com";
        options.client_cert = own.certificate;
        options.client_key = own.key;
        const auto made = HttpClient::make(loop_, options);
        return made ? std::string("no problem") : made.error().message();
    };
    EXPECT_EQ(problem_of(client), "no problem");
    EXPECT_THAT(problem_of({folder_ / "missing", client.key}), HasSubstr((folder_ / "missing").string()));
    EXPECT_THAT(problem_of({client.certificate, folder_ / "missing"}), HasSubstr((folder_ / "missing").string()));
    EXPECT_THAT(problem_of({client.certificate, good_.key}), HasSubstr(good_.key.string()));
}

TEST_F(HttpTls, DoesNotStartWithUnreadableCas) {
    folder_.write("garbage", "not a certificate");
    for (const auto& file : {folder_ / "missing", folder_ / "garbage"}) {
        HttpOptions options;
        options.origin = "https://lab.example.com";
        options.ca_file = file;
        const auto made = HttpClient::make(loop_, options);
        ASSERT_FALSE(made);
        EXPECT_THAT(made.error().message(), HasSubstr(file.string()));
        EXPECT_THAT(made.error().message(), HasSubstr("expected a PEM file"));
    }
}

}  // namespace
}  // namespace trebuchet
