#include "agent/metrics/status_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const AgentStatus::Time now{seconds(1'800'000'000)};

AgentStatus busy() {
    AgentStatus status;
    status.agent_id = "rpi4-1";
    status.state = "test";
    status.state_since = now - minutes(3);
    status.job = "j1";
    status.last_output = now - seconds(4);
    status.undelivered_bytes = 4096;
    status.undelivered_since = now - minutes(5);
    return status;
}

TEST(StatusPage, ShowsTheJobAndItsPhases) {
    const std::vector<PhaseRun> phases{{Phase::provision, now - minutes(10), now - minutes(3), 0},
                                       {Phase::setup, now - minutes(10), now - minutes(10), 7},
                                       {Phase::test, now - minutes(3)}};
    const auto page =
        status_page(busy(), phases, {{"/srv/run", std::uint64_t{20} << 30U}, {"/gone", std::nullopt}}, now);
    EXPECT_THAT(page, AllOf(HasSubstr("<div class=\"done\" style=\"flex-grow:420\">provision<br>7 min</div>"),
                            HasSubstr("<div class=\"failed\" style=\"flex-grow:1\">setup<br>0 s<br>exit code 7</div>"),
                            HasSubstr("<div class=\"runs\" style=\"flex-grow:180\">test<br>3 min</div>")));
    EXPECT_THAT(page, AllOf(HasSubstr("<dt>job</dt><dd>j1</dd>"), HasSubstr("<dt>last output</dt><dd>4 s ago</dd>"),
                            HasSubstr("4 KiB wait for the server, since 5 min"), HasSubstr("/srv/run: 20 GiB free"),
                            HasSubstr("/gone: cannot be used")));
}

TEST(StatusPage, EscapesWhatItShows) {
    auto status = busy();
    status.comment = "<script>alert(\"x\")</script> & more";
    const auto page = status_page(status, {}, {}, now);
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; more"));
    EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(StatusPage, OfAnIdleAgentIsShort) {
    const auto page = status_page({}, {}, {}, now);
    EXPECT_THAT(page, AllOf(HasSubstr("nothing waits for the server"), Not(HasSubstr("<dt>job")),
                            Not(HasSubstr("class=\"phases\""))));
}

}  // namespace
}  // namespace trebuchet
