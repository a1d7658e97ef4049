#include "agent/api/api_client.hpp"
#include "agent/api/call_policy.hpp"
#include "agent/api/http_job_server.hpp"
#include "tests/fakes/masked.hpp"
#include "tests/integration/harness/lab_test.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>

namespace trebuchet::harness {
namespace {

constexpr std::array all_calls{
    Call::authorize,     Call::read_agent,        Call::introduce,      Call::take_job,           Call::read_job_state,
    Call::post_progress, Call::post_outcome,      Call::post_events,    Call::post_provision_log, Call::post_log,
    Call::read_log,      Call::fetch_attachments, Call::post_artifacts, Call::deliver_result};

/// How a call looks at the server.
struct Shape {
    const char* method;
    std::string target;  ///< a fault's pattern
};

/// The agent's client in this process, against the real server over TLS. How often does a request arrive?
class Once : public LabTest {
  protected:
    Once() {
        config_.agent_id = agent_id;
        config_.job_queues = {queue};
        config_.server_address = server.url();
        const auto token = server.tokens(clients::agent)["refresh_token"].get<std::string>();
        token_file_ = folder.write("token", Json{{"refresh_token", token}}.dump());
        archive_ = folder.write("archive", "not really one");
        log_in();
    }

    /// Starts anew: without a token, and without a connection.
    void log_in() {
        server_.reset();
        HttpOptions options;
        options.origin = server.url();
        options.ca_file = server.authority();
        auto http = HttpClient::make(loop_, options);
        ASSERT_TRUE(http) << http.error().message();
        api_ = std::make_unique<ApiClient>(loop_, clock_, std::move(*http), Credentials{token_file_, "", {}},
                                           [] { return 0.0; });
        server_ = make_http_job_server(config_, *api_);
    }

    [[nodiscard]] Shape shape_of(Call call) const {
        const auto result = "/v1/result/" + job_id_;
        switch (call) {
            case Call::authorize:
                return {"POST", "/v1/oauth2/refresh"};
            case Call::read_agent:
                return {"GET", std::string("/v1/agents/data/") + agent_id};
            case Call::introduce:
                return {"POST", std::string("/v1/agents/data/") + agent_id};
            case Call::take_job:
                return {"GET", "/v1/job"};
            case Call::read_job_state:
                return {"GET", result + "/status"};
            case Call::read_log:
                return {"GET", result};
            case Call::post_progress:
            case Call::post_outcome:
            case Call::deliver_result:
                return {"POST", result};
            case Call::post_events:
                return {"POST", "/v1/job/*/events"};
            case Call::post_provision_log:
                return {"POST", std::string("/v1/agents/provision_logs/") + agent_id};
            case Call::post_log:
                return {"POST", result + "/log/output"};
            case Call::fetch_attachments:
                return {"GET", "/v1/job/" + job_id_ + "/attachments"};
            case Call::post_artifacts:
                return {"POST", result + "/artifact"};
        }
        return {};
    }

    /// Makes the call, once. It need not succeed.
    void make(Call call) {
        const PhaseStatus status{{Phase::test, 0}};
        bool answered = false;
        const auto when_answered = [&](const auto& /*answer*/) { answered = true; };
        switch (call) {
            case Call::authorize:
                log_in();
                static_cast<void>(server_->read_agent());
                return;
            case Call::read_agent:
                static_cast<void>(server_->read_agent());
                return;
            case Call::introduce:
                static_cast<void>(server_->register_agent());
                return;
            case Call::take_job:
                static_cast<void>(server_->take_job({queue}));
                return;
            case Call::read_job_state:
                static_cast<void>(server_->read_job_state(job_id_));
                return;
            case Call::post_progress:
                static_cast<void>(server_->post_status(job_id_, status));
                return;
            case Call::post_outcome:
                static_cast<void>(server_->post_outcome(job_id_, status, JobState::complete));
                return;
            case Call::post_events:
                static_cast<void>(server_->post_events(job_id_, queue, webhook, {{"job_start", "t", masked("x")}}));
                return;
            case Call::post_provision_log:
                server_->post_provision_log(job_id_, 0, masked("x"), when_answered);
                break;
            case Call::fetch_attachments:
                static_cast<void>(server_->fetch_attachments(job_id_, folder / "fetched"));
                return;
            case Call::post_artifacts:
                static_cast<void>(server_->post_artifacts(job_id_, archive_));
                return;
            case Call::post_log:
                server_->post_log(job_id_, {LogSeries::output, 0, "2026-01-01T00:00:00Z", Phase::test, masked("x")},
                                  when_answered);
                break;
            case Call::read_log:
                server_->read_log(job_id_, LogSeries::output, Phase::test, 10, when_answered);
                break;
            case Call::deliver_result:
                server_->post_outcome(job_id_, status, JobState::complete, when_answered);
                break;
        }
        loop_.run_until([&] { return answered; });
    }

    /// How often it arrives while this happens to it each time. `what` is a fault.
    std::size_t arrivals(Call call, const Json& what) {
        static_cast<void>(server_->post_agent_state({"waiting", ""}));  // leaves a kept-alive connection
        const std::uint64_t last = server.requests().back()["number"];
        const auto shape = shape_of(call);
        auto fault = what;
        fault.update({{"method", shape.method}, {"target", shape.target}, {"count", 0}});
        server.add_fault(fault);
        make(call);
        const std::size_t hits = server.control("GET", "/faults")[0]["hits"];
        static_cast<void>(server.control("DELETE", "/faults"));
        std::size_t recorded = 0;
        for (const auto& request : server.requests(last)) {
            const auto target = request["target"].get<std::string>();
            const auto path = target.substr(0, target.find('?'));
            if (request["method"] == shape.method && path == shape.target) ++recorded;
        }
        return std::max(hits, recorded);
    }

    EventLoop loop_;
    SystemClock clock_;
    Config config_;
    std::filesystem::path token_file_;
    std::filesystem::path archive_;
    std::string job_id_ = "00000000-0000-4000-8000-000000000001";
    std::unique_ptr<ApiClient> api_;
    std::unique_ptr<JobServer> server_;
};

/// What happens to a request.
class OnceWith : public Once, public ::testing::WithParamInterface<Json> {};

TEST_P(OnceWith, NoCallArrivesTwiceThatMustNot) {
    const auto& fault = GetParam();
    for (const auto call : all_calls) {
        const auto count = arrivals(call, fault);
        const auto shape = shape_of(call);
        EXPECT_GE(count, 1U) << shape.method << " " << shape.target;
        // A kept-alive connection without an answer: the HTTP library sends a call again that may arrive twice.
        EXPECT_LE(count, policy_of(call).once ? 1U : 2U) << shape.method << " " << shape.target;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Fault, OnceWith,
    ::testing::Values(Json{{"what", "close-unread"}}, Json{{"what", "close"}}, Json{{"what", "lose-answer"}},
                      Json{{"what", "truncate"}}, Json{{"what", "garbage"}}, Json{{"what", "interim"}},
                      Json{{"what", "interim-only"}}, Json{{"what", "huge-headers"}, {"value", 100'000}},
                      Json{{"what", "status"}, {"value", 500}}, Json{{"what", "status"}, {"value", 302}}),
    [](const auto& instance) {
        auto name =
            instance.param["what"].template get<std::string>() +
            (instance.param.contains("value") ? std::to_string(instance.param["value"].template get<int>()) : "");
        std::erase(name, '-');
        return name;
    });

TEST_F(Once, ALogThatMayHaveArrivedIsNotTakenForOneThatWasNotSent) {
    for (const auto* what : {"close-unread", "close", "lose-answer", "refuse"}) {
        static_cast<void>(server_->post_agent_state({"waiting", ""}));  // leaves a kept-alive connection
        server.add_fault({{"what", what}, {"target", "*/log/output"}});
        std::optional<Arrival> arrival;
        server_->post_log(job_id_, {LogSeries::output, 0, "2026-01-01T00:00:00Z", Phase::test, masked("x")},
                          [&](const LogAnswer& answer) { arrival = answer.arrival; });
        loop_.run_until([&] { return arrival.has_value(); });
        EXPECT_EQ(*arrival, Arrival::unknown) << what;
    }
}

}  // namespace
}  // namespace trebuchet::harness
