#include "agent/api/http_job_server.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

/// A job whose result may be long before it comes to the job's state, at a server without GET /v1/result/<id>/status.
class JobStateReach : public testing::Test {
  protected:
    JobStateReach() {
        script_.answer = [](const HttpRequest& request) {
            return HttpResponse{request.target.ends_with("/status") ? 404 : 200, {}, {}};
        };
        EXPECT_TRUE(server_->read_job_state("j1"));
        script_.requests.clear();
        script_.answer = [this](const HttpRequest& request) {
            HttpResponse answer{200, {}, WipedString(result_.substr(0, request.response_limit))};
            answer.cut = result_.size() > request.response_limit;
            if (answer.cut) request.on_overflow(result_.substr(0, request.response_limit + request.overflow_limit));
            return answer;
        };
    }

    static std::string result_with(std::size_t log, const std::string& state) {
        return R"({"firmware_update_output": ")" + std::string(log, 'x') + "\"" + state + R"(, "test_output": "y"})";
    }
    [[nodiscard]] std::string state() const {
        const auto found = server_->read_job_state("j1");
        return found ? std::string(name_of(*found)) : "failed: " + found.error().message();
    }

    EventLoop loop_;
    FakeClock clock_;
    TemporaryFolder folder_;
    Config config_;
    std::string result_;
    FakeHttpClient::Script script_;
    ApiClient api_{loop_, clock_, std::make_unique<FakeHttpClient>(loop_, script_), {folder_ / "no token", "", {}}, [] {
                       return no_waiting();
                   }};
    std::unique_ptr<JobServer> server_ = make_http_job_server(config_, api_);
};

TEST_F(JobStateReach, IsShortAsLongAsTheStateIsFound) {
    result_ = R"({"job_state": "test", "test_output": ")" + std::string(1U << 20, 'x') + "\"}";
    EXPECT_EQ(state(), "test");
    EXPECT_EQ(script_.requests.size(), 1U);
    EXPECT_EQ(script_.requests.back().overflow_limit, 0U);
}

TEST_F(JobStateReach, GrowsUntilTheStateIsFoundAndStaysSo) {
    result_ = result_with(1U << 20, R"(, "job_state": "cancelled")");
    EXPECT_EQ(state(), "cancelled");
    const auto first = script_.requests.size();
    EXPECT_EQ(first, 3U);
    EXPECT_EQ(state(), "cancelled");
    EXPECT_EQ(script_.requests.size(), first + 1);
}

TEST_F(JobStateReach, GrowsBesideTheLoopToo) {
    result_ = result_with(1U << 20, R"(, "job_state": "cancelled")");
    std::optional<Result<JobState>> found;
    server_->read_job_state("j1", [&](const Result<JobState>& answer) { found = answer; });
    loop_.run_until([&] { return found.has_value(); });
    EXPECT_EQ(**found, JobState::cancelled);
}

TEST_F(JobStateReach, IsShortAgainForTheNextJob) {
    result_ = result_with(1U << 20, R"(, "job_state": "test")");
    EXPECT_EQ(state(), "test");
    result_ = "{}";
    EXPECT_TRUE(server_->take_job({"q"}));
    EXPECT_EQ(state(), "");
    EXPECT_EQ(script_.requests.back().overflow_limit, 0U);
}

TEST_F(JobStateReach, EndsWithTheResult) {
    result_ = result_with(1U << 17, "");
    EXPECT_EQ(state(), "");
    EXPECT_EQ(script_.requests.size(), 2U);
}

TEST_F(JobStateReach, HasAnEnd) {
    script_.answer = [](const HttpRequest& request) {
        request.on_overflow(R"({"firmware_update_output": "x)");
        HttpResponse answer{200, {}, WipedString("{")};
        answer.cut = true;
        return answer;
    };
    EXPECT_THAT(state(), HasSubstr("failed: the job's state is not in the part of its result that was read"));
    EXPECT_LE(script_.requests.size(), 10U);
}

}  // namespace
}  // namespace trebuchet
