#include "agent/api/http_job_server.hpp"

#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/masked.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using Method = HttpRequest::Method;

class HttpJobServerTest : public testing::Test {
  protected:
    HttpJobServerTest() {
        config_.agent_id = "rpi4 1";
        config_.job_queues = {"rpi4"};
        config_.location = "bench 1";
        config_.provision_type = "muxpi";
        script_.answer = [this](const HttpRequest&) { return answer_; };
    }

    [[nodiscard]] const HttpRequest& last() const { return script_.requests.back(); }
    [[nodiscard]] json last_body() const { return json::parse(last().body); }
    void expect_post(const std::string& target, const json& body) const {
        ASSERT_FALSE(script_.requests.empty());
        EXPECT_EQ(last().method, Method::post);
        EXPECT_EQ(last().target, target);
        EXPECT_EQ(last().content_type, "application/json");
        EXPECT_EQ(last_body(), body);
    }
    void answer_with(int status, std::string_view body = {}) { answer_ = HttpResponse{status, {}, WipedString(body)}; }

    Arrival arrival(const LogFragment& fragment) {
        std::optional<Arrival> arrival;
        server_->post_log("j1", fragment, [&](const LogAnswer& answer) { arrival = answer.arrival; });
        loop_.run_until([&] { return arrival.has_value(); });
        return *arrival;
    }
    void post_provision_log(int exit_code, const std::string& detail) {
        bool posted = false;
        server_->post_provision_log("j1", exit_code, masked(detail),
                                    [&](const Result<void>& done) { posted = done.has_value(); });
        loop_.run_until([&] { return posted; });
    }
    tl::expected<ShownLog, LogReadFailure> read_log() {
        std::optional<tl::expected<ShownLog, LogReadFailure>> read;
        server_->read_log("j1", LogSeries::output, Phase::test, 4,
                          [&](tl::expected<ShownLog, LogReadFailure> shown) { read = std::move(shown); });
        loop_.run_until([&] { return read.has_value(); });
        return *read;
    }

    EventLoop loop_;
    FakeClock clock_;
    TemporaryFolder folder_;
    Config config_;
    FakeHttpClient::Script script_;
    HttpResult answer_ = HttpResponse{200, {}, {}};
    ApiClient api_{loop_, clock_, std::make_unique<FakeHttpClient>(loop_, script_), {folder_ / "no token", "", {}}, [] {
                       return no_waiting();
                   }};
    std::unique_ptr<JobServer> server_ = make_http_job_server(config_, api_);
};

TEST_F(HttpJobServerTest, RegistersWithWhatIsConfigured) {
    EXPECT_TRUE(server_->register_agent());
    expect_post("/v1/agents/data/rpi4%201",
                {{"location", "bench 1"}, {"queues", {"rpi4"}}, {"provision_type", "muxpi"}});
    config_.identifier = "C-1";
    EXPECT_TRUE(server_->register_agent());
    EXPECT_EQ(last_body()["identifier"], "C-1");
}

TEST_F(HttpJobServerTest, AdvertisesOnlyWhatIsConfigured) {
    EXPECT_TRUE(server_->advertise());
    EXPECT_THAT(script_.requests, IsEmpty());
    config_.advertised_queues = {{"rpi4", "a queue"}};
    EXPECT_TRUE(server_->advertise());
    expect_post("/v1/agents/queues", {{"rpi4", "a queue"}});
    config_.advertised_images = {{"rpi4", {{"core22", "url: http://x"}}}};
    EXPECT_TRUE(server_->advertise());
    EXPECT_THAT(script_.targets(), ElementsAre("/v1/agents/queues", "/v1/agents/queues", "/v1/agents/images"));
    EXPECT_EQ(last_body(), json({{"rpi4", {{"core22", "url: http://x"}}}}));
}

TEST_F(HttpJobServerTest, PostsTheAgentsStateAndJob) {
    EXPECT_TRUE(server_->post_agent_state({"offline", "Set to offline"}));
    expect_post("/v1/agents/data/rpi4%201", {{"state", "offline"}, {"comment", "Set to offline"}});
    bool posted = false;
    server_->post_agent_state({"test", "", "j1"}, [&](const Result<void>& done) { posted = done.has_value(); });
    loop_.run_until([&] { return posted; });
    expect_post("/v1/agents/data/rpi4%201", {{"state", "test"}, {"comment", ""}, {"job_id", "j1"}});
}

TEST_F(HttpJobServerTest, ReadsTheAgentsRecord) {
    answer_with(200, R"({"state": "offline", "comment": "repair", "queues": ["x"],
                         "restricted_to": {"rpi4": ["team", 7], "free": []}})");
    const auto record = server_->read_agent();
    ASSERT_TRUE(record);
    EXPECT_EQ(last().method, Method::get);
    EXPECT_EQ(last().target, "/v1/agents/data/rpi4%201");
    EXPECT_EQ(record->state, "offline");
    EXPECT_EQ(record->comment, "repair");
    EXPECT_THAT(record->restricted_to, ElementsAre(Pair("free", IsEmpty()), Pair("rpi4", ElementsAre("team"))));
    std::optional<std::string> state;
    server_->read_agent([&](const Result<AgentRecord>& read) { state = read ? read->state : "failed"; });
    loop_.run_until([&] { return state.has_value(); });
    EXPECT_EQ(state, "offline");
}

TEST_F(HttpJobServerTest, AnUnknownAgentHasAnEmptyRecord) {
    answer_with(404, "{}");
    const auto record = server_->read_agent();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->state, "");
}

TEST_F(HttpJobServerTest, AStrangeRecordIsReadAsFarAsItGoes) {
    answer_with(200, R"({"state": 7, "comment": null, "restricted_to": {"a": "team", "b": null, "c": {"x": "team"}}})");
    const auto record = server_->read_agent();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->state, "");
    EXPECT_EQ(record->comment, "");
    for (const auto* body : {"", "[]", "<html>", "{\"state\": \"off"}) {
        answer_with(200, body);
        const auto refused = server_->read_agent();
        ASSERT_FALSE(refused) << body;
        EXPECT_THAT(refused.error().message(), HasSubstr("is not a JSON object"));
    }
}

TEST_F(HttpJobServerTest, TakesAJobOffItsQueues) {
    answer_with(200, R"({"job_id": "j1"})");
    const auto job = server_->take_job({"a", "b c&d"});
    ASSERT_TRUE(job && *job);
    EXPECT_EQ(std::get<WipedString>(**job), R"({"job_id": "j1"})");
    EXPECT_EQ(last().target, "/v1/job?queue=a&queue=b%20c%26d");
    EXPECT_GE(last().response_limit, 16U << 20);
}

TEST_F(HttpJobServerTest, WithoutTlsAJobIsAskedForOnAConnectionOfItsOwn) {
    for (const bool tls : {false, true}) {
        config_.server_address = tls ? "https://lab" : "http://lab";
        EXPECT_TRUE(server_->take_job({"a"}));
        EXPECT_TRUE(last().once);
        EXPECT_EQ(last().fresh_connection, !tls);
        EXPECT_TRUE(server_->post_job_state("j1", JobState::test, nullptr));
        EXPECT_FALSE(last().once);
        EXPECT_FALSE(last().fresh_connection);
    }
}

TEST_F(HttpJobServerTest, WhatCannotBeReadBackIsSentOnce) {
    post_provision_log(0, "x");
    EXPECT_TRUE(last().once);
    EXPECT_TRUE(server_->post_events("j1", "q", "http://hook", {{"job_start", "t", masked("x")}}));
    EXPECT_TRUE(last().once);
}

TEST_F(HttpJobServerTest, NoJobIsNotAProblem) {
    answer_with(204);
    const auto job = server_->take_job({"a"});
    ASSERT_TRUE(job);
    EXPECT_FALSE(*job);
}

TEST_F(HttpJobServerTest, SaysWhenAJobMayBeLostBehindAnInterimAnswer) {
    script_.answer = [](const HttpRequest& request) {
        EXPECT_THAT(request.after_interim, testing::StartsWith("/v1/result/"));
        return HttpResponse{204, {}, {}, false, "", true};
    };
    const auto job = server_->take_job({"a"});
    ASSERT_FALSE(job);
    EXPECT_THAT(job.error().message(), HasSubstr("lost after an interim answer"));
}

TEST_F(HttpJobServerTest, ARefusalSaysToWhatAndWhy) {
    answer_with(422, "{\"message\": \"bad\"}");
    const auto job = server_->take_job({"a"});
    ASSERT_FALSE(job);
    EXPECT_EQ(job.error().message(), R"(the server answered 422 to GET /v1/job: "{\"message\": \"bad\"}")");
    const auto posted = server_->post_job_state("j1", JobState::test, nullptr);
    ASSERT_FALSE(posted);
    EXPECT_THAT(posted.error().message(), HasSubstr("the server answered 422 to POST /v1/result/j1: "));
}

TEST_F(HttpJobServerTest, ARedirectIsARefusal) {
    answer_with(302);
    EXPECT_FALSE(server_->post_job_state("j1", JobState::test, nullptr));
}

TEST_F(HttpJobServerTest, AFailureIsAnError) {
    answer_ = tl::unexpected(HttpFailure{HttpFailure::Kind::broken, "POST http://x/y: cut off"});
    const auto posted = server_->post_job_state("j1", JobState::test, nullptr);
    ASSERT_FALSE(posted);
    EXPECT_EQ(posted.error().message(), "POST http://x/y: cut off");
    EXPECT_FALSE(server_->take_job({"a"}));
    EXPECT_FALSE(server_->read_agent());
    EXPECT_FALSE(server_->read_job_state("j1"));
}

TEST_F(HttpJobServerTest, PostsResults) {
    EXPECT_TRUE(server_->post_job_state("j1", JobState::provision, nullptr));
    expect_post("/v1/result/j1", {{"job_state", "provision"}});
    const PhaseStatus status{{Phase::setup, 0}};
    EXPECT_TRUE(server_->post_job_state("j1", JobState::provision, &status));
    expect_post("/v1/result/j1", {{"job_state", "provision"}, {"status", {{"setup", 0}}}});
    EXPECT_TRUE(server_->post_status("j1", {{Phase::setup, 0}, {Phase::provision, 46}}));
    expect_post("/v1/result/j1", {{"status", {{"setup", 0}, {"provision", 46}}}});
    EXPECT_TRUE(server_->post_status("j1", {}));
    expect_post("/v1/result/j1", {{"status", json::object()}});
    EXPECT_TRUE(server_->post_outcome("j1", {{Phase::test, 3}}, JobState::complete));
    expect_post("/v1/result/j1", {{"status", {{"test", 3}}}, {"job_state", "complete"}});
    EXPECT_TRUE(server_->post_device_info("j1", MaskedJson(no_masks(), {{"ip", "10.0.0.1"}})));
    expect_post("/v1/result/j1", {{"device_info", {{"ip", "10.0.0.1"}}}});
}

TEST_F(HttpJobServerTest, PostsTheWholeListOfEventsAndDoesNotWaitLongForAWebhook) {
    EXPECT_TRUE(server_->post_events("j1", "rpi4", "https://hook",
                                     {{"job_start", "t0", masked("url")}, {"setup_start", "t1", masked("")}}));
    expect_post("/v1/job/j1/events", {{"agent_id", "rpi4 1"},
                                      {"job_queue", "rpi4"},
                                      {"job_status_webhook", "https://hook"},
                                      {"events",
                                       {{{"event_name", "job_start"}, {"timestamp", "t0"}, {"detail", "url"}},
                                        {{"event_name", "setup_start"}, {"timestamp", "t1"}, {"detail", ""}}}}});
    EXPECT_LE(last().timeout, std::chrono::seconds(5));
}

TEST_F(HttpJobServerTest, PostsAProvisionLog) {
    post_provision_log(1, "provision_fail");
    expect_post("/v1/agents/provision_logs/rpi4%201",
                {{"job_id", "j1"}, {"exit_code", 1}, {"detail", "provision_fail"}});
}

TEST_F(HttpJobServerTest, PostsLogFragmentsEachOnce) {
    EXPECT_EQ(arrival({LogSeries::output, 7, "t0", Phase::test, masked("hello\n")}), Arrival::confirmed);
    expect_post("/v1/result/j1/log/output",
                {{"fragment_number", 7}, {"timestamp", "t0"}, {"phase", "test"}, {"log_data", "hello\n"}});
    EXPECT_TRUE(last().once);
    EXPECT_EQ(arrival({LogSeries::serial, 0, "t0", Phase::firmware_update, masked("x")}), Arrival::confirmed);
    EXPECT_EQ(last().target, "/v1/result/j1/log/serial");
    EXPECT_EQ(last_body()["phase"], "firmware_update");
}

TEST_F(HttpJobServerTest, KnowsWhenItIsUnknownWhetherAFragmentArrived) {
    const LogFragment fragment{LogSeries::output, 0, "t0", Phase::test, masked("x")};
    for (const int status : {400, 413, 422}) {
        answer_with(status);
        EXPECT_EQ(arrival(fragment), Arrival::invalid) << status;
    }
    for (const int status : {401, 403, 404, 408, 429}) {
        answer_with(status);
        EXPECT_EQ(arrival(fragment), Arrival::refused) << status;
    }
    for (const int status : {500, 502, 503, 504}) {
        answer_with(status);
        EXPECT_EQ(arrival(fragment), Arrival::unknown) << status;
    }
    using Kind = HttpFailure::Kind;
    for (const auto kind : {Kind::unreachable, Kind::tls}) {
        answer_ = tl::unexpected(HttpFailure{kind, "why"});
        EXPECT_EQ(arrival(fragment), Arrival::refused);
    }
    for (const auto kind : {Kind::timed_out, Kind::broken, Kind::protocol}) {
        answer_ = tl::unexpected(HttpFailure{kind, "why"});
        EXPECT_EQ(arrival(fragment), Arrival::unknown);
    }
}

TEST_F(HttpJobServerTest, ReplacesWhatIsNotUtf8) {
    EXPECT_EQ(arrival({LogSeries::output, 0, "t0", Phase::test, masked("a\xFF\xC3")}), Arrival::confirmed);
    EXPECT_EQ(last_body()["log_data"], "a\uFFFD\uFFFD");
}

TEST_F(HttpJobServerTest, ReadsHowMuchOfALogTheServerShows) {
    script_.answer = [](const HttpRequest& request) {
        request.on_overflow(R"({"setup_output": "x", "test_output": "caf\u00e9\nlast )");
        request.on_overflow(R"(line", "test_serial": "y"})");
        HttpResponse answer{200, {}, {}};
        answer.cut = true;
        return answer;
    };
    const auto shown = read_log();
    ASSERT_TRUE(shown) << shown.error().problem;
    EXPECT_EQ(shown->length, 15U);
    EXPECT_EQ(shown->tail, "line");
    EXPECT_EQ(last().target, "/v1/result/j1");
}

TEST_F(HttpJobServerTest, ReadsALogOnlyWhenNoPostOfItMayStillArrive) {
    bool is_read = false;
    const auto post = [&] {
        server_->post_log("j1", {LogSeries::output, 0, "t0", Phase::test, masked("x")}, [](const LogAnswer&) {});
    };
    const auto read = [&](LogSeries series) {
        server_->read_log("j1", series, Phase::test, 4, [&](const auto& /*shown*/) { is_read = true; });
    };
    post();
    post();
    read(LogSeries::output);
    EXPECT_THAT(script_.targets(), ElementsAre("/v1/result/j1/log/output", "/v1/result/j1/log/output"));
    read(LogSeries::serial);
    EXPECT_EQ(script_.targets().back(), "/v1/result/j1");
    is_read = false;
    loop_.run_until([&] { return script_.requests.size() == 4; });
    loop_.run_until([&] { return is_read; });
    EXPECT_EQ(script_.targets().back(), "/v1/result/j1");
}

TEST_F(HttpJobServerTest, AsksForTheStateWithoutTheLogWhereTheServerCanTellIt) {
    bool has_call = false;
    script_.answer = [&](const HttpRequest& request) {
        if (request.target.ends_with("/status") && !has_call) return HttpResponse{404, {}, {}};
        return HttpResponse{200, {}, WipedString(R"({"job_state": "test"})")};
    };
    const auto targets_of_question = [&] {
        script_.requests.clear();
        EXPECT_EQ(server_->read_job_state("j1").value_or(JobState::unknown), JobState::test);
        return script_.targets();
    };
    EXPECT_TRUE(server_->job_state_is_cheap());
    EXPECT_THAT(targets_of_question(), ElementsAre("/v1/result/j1/status", "/v1/result/j1"));
    EXPECT_FALSE(server_->job_state_is_cheap());
    EXPECT_THAT(targets_of_question(), ElementsAre("/v1/result/j1"));
    clock_.advance(std::chrono::hours(1));  // the server may have been updated
    has_call = true;
    EXPECT_THAT(targets_of_question(), ElementsAre("/v1/result/j1/status"));
    EXPECT_TRUE(server_->job_state_is_cheap());
}

TEST_F(HttpJobServerTest, KnowsWhyALogCannotBeRead) {
    answer_with(204);
    ASSERT_TRUE(read_log());
    EXPECT_EQ(read_log()->length, 0U);
    answer_with(403);
    EXPECT_FALSE(read_log().error().is_away);
    answer_with(503);
    EXPECT_TRUE(read_log().error().is_away);
    answer_ = tl::unexpected(HttpFailure{HttpFailure::Kind::broken, "why"});
    EXPECT_TRUE(read_log().error().is_away);
    script_.answer = [](const HttpRequest& request) {
        request.on_overflow(R"({"test_output": "cut)");
        return HttpResponse{200, {}, {}};
    };
    EXPECT_TRUE(read_log().error().is_away);
}

TEST_F(HttpJobServerTest, StreamsTheArtifactsAsAFormWithOneFile) {
    folder_.write("a.tar.gz", "archive");
    EXPECT_TRUE(server_->post_artifacts("j1", folder_ / "a.tar.gz"));
    EXPECT_EQ(last().target, "/v1/result/j1/artifact");
    ASSERT_TRUE(last().file);
    EXPECT_EQ(last().file->file, folder_ / "a.tar.gz");
    const std::string prefix = "multipart/form-data; boundary=";
    ASSERT_TRUE(last().content_type.starts_with(prefix));
    const auto boundary = last().content_type.substr(prefix.size());
    EXPECT_THAT(last().file->before, HasSubstr("--" + boundary + "\r\n"));
    EXPECT_THAT(last().file->before, HasSubstr("name=\"file\""));
    EXPECT_TRUE(last().file->before.ends_with("\r\n\r\n"));
    EXPECT_EQ(last().file->after, "\r\n--" + boundary + "--\r\n");
}

TEST_F(HttpJobServerTest, ReadsTheStartOfAResultOnlyForTheJobsState) {
    answer_with(200, R"({"device_info": {"job_state": "inner"}, "job_state": "cancelled", "provision_output": "lo)");
    const auto state = server_->read_job_state("j/1");
    ASSERT_TRUE(state);
    EXPECT_EQ(*state, JobState::cancelled);
    EXPECT_EQ(last().target, "/v1/result/j%2F1/status");
    EXPECT_TRUE(last().cut_response);
    answer_with(204);
    EXPECT_EQ(server_->read_job_state("j1").value(), JobState::unknown);
    answer_with(500);
    EXPECT_FALSE(server_->read_job_state("j1"));
}

TEST_F(HttpJobServerTest, ReadsAJobsStateBesideTheLoop) {
    answer_with(200, R"({"job_state": "test"})");
    std::optional<Result<JobState>> state;
    server_->read_job_state("j1", [&](const Result<JobState>& found) { state = found; });
    EXPECT_FALSE(state);
    loop_.run_until([&] { return state.has_value(); });
    EXPECT_EQ(**state, JobState::test);
}

TEST_F(HttpJobServerTest, AJobThatIsTooLongStillSaysWhoseItIs) {
    script_.answer = [](const HttpRequest& request) {
        request.on_overflow(R"({"x": "a long text)");
        request.on_overflow(R"( goes on", "job_id": "j1"})");
        HttpResponse answer{200, {}, WipedString("{")};
        answer.cut = true;
        return answer;
    };
    const auto job = server_->take_job({"a"});
    ASSERT_TRUE(job && *job);
    EXPECT_EQ(std::get<TooLongJob>(**job).id, "j1");
}

TEST_F(HttpJobServerTest, ReadsWhatNewerServersSayOfAnAgent) {
    answer_with(200, R"({"state": "waiting", "mode": "maintenance", "updated_at": "2026-11-20T20:31:00Z"})");
    const auto agent = server_->read_agent();
    ASSERT_TRUE(agent);
    EXPECT_EQ(agent->mode, "maintenance");
    EXPECT_EQ(agent->updated_at, parse_iso8601("2026-11-20T20:31:00Z"));
    answer_with(200, R"({"state": "waiting", "mode": 7, "updated_at": "some day"})");
    EXPECT_EQ(server_->read_agent()->mode, "");
    EXPECT_FALSE(server_->read_agent()->updated_at);
}

TEST_F(HttpJobServerTest, FetchesAttachmentsIntoAFile) {
    EXPECT_TRUE(server_->fetch_attachments("j 1", folder_ / "file"));
    EXPECT_EQ(last().method, Method::get);
    EXPECT_EQ(last().target, "/v1/job/j%201/attachments");
    EXPECT_EQ(last().answer_file, folder_ / "file");
    answer_with(204);
    EXPECT_FALSE(server_->fetch_attachments("j1", folder_ / "file"));
}

TEST(JobState, IsFoundAtTheTopLevelBeforeTheCut) {
    EXPECT_EQ(find_job_state(R"({"job_state": "test"})"), "test");
    EXPECT_EQ(find_job_state(R"({"a": {"job_state": "x"}, "b": ["job_state", "y"], "job_state": "test", "c": "cut)"),
              "test");
    EXPECT_EQ(find_job_state(R"({"a": [{"job_state": "x"}], "job_state": "te)"), "");
    EXPECT_EQ(find_job_state(R"({"job_state": ["x"], "job_states": "y"})"), "");
    EXPECT_EQ(find_job_state(R"({"job_state": {"a": "x"}})"), "");
    EXPECT_EQ(find_job_state(R"({"job_state": null, "b": "x"})"), "");
    for (const auto* text : {"", "{", "[\"job_state\", \"x\"]", "\"job_state\"", "nonsense"}) {
        EXPECT_EQ(find_job_state(text), "") << text;
    }
    EXPECT_EQ(find_job_state(R"({"a": )" + std::string(10'000, '[')), "");
}

TEST(UrlEncoding, LeavesUnreservedCharactersAndEncodesTheRest) {
    EXPECT_EQ(url_encoded("aZ09-._~"), "aZ09-._~");
    EXPECT_EQ(url_encoded("a b/c?d&e=f%+#"), "a%20b%2Fc%3Fd%26e%3Df%25%2B%23");
    EXPECT_EQ(url_encoded("é\n"), "%C3%A9%0A");
    EXPECT_EQ(url_encoded(std::string_view("\0", 1)), "%00");
    EXPECT_EQ(url_encoded(""), "");
}

}  // namespace
}  // namespace trebuchet
