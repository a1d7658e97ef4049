#include "tests/integration/harness/lab_test.hpp"

#include <array>

namespace trebuchet::harness {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Jobs with attachments.
class Attachments : public LabTest {
  protected:
    Attachments() {
        agent.on("provision", "cat attachments/provision/image; ls -A attachments");
        agent.on("test", "cat attachments/test/script; cat testflinger.json");
        agent.on("cleanup", "echo cleaning up");
    }

    static Json with_attachments() {
        const Json attachment{{"agent", "script"}};
        return {{"provision_data", {{"use_attachment", "image"}, {"attachments", Json::array({attachment})}}},
                {"test_data", {{"test_cmds", "x"}, {"attachments", Json::array({attachment})}}}};
    }

    /// Posts the job with an archive that `command` writes to "$out". The command runs in an empty folder.
    std::string post(const Json& fields, const std::string& command) {
        const auto id = server.post_job(job(fields));
        const auto archive = folder / "attachments.tar.gz";
        const auto made = run({"/bin/bash",
                               {"-c", "set -e; mkdir work; cd work; out=../attachments.tar.gz; " + command},
                               {},
                               folder.path()});
        EXPECT_EQ(made.code, 0) << made.err;
        server.attach(id, archive);
        return id;
    }

    void expect_refusal(const std::string& command, const std::string& reason) {
        const auto id = post(with_attachments(), command);
        agent.start();
        ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
        EXPECT_THAT(server.log(id, "setup"),
                    AllOf(HasSubstr("ERROR: the job cannot run: its attachments"), HasSubstr(reason)));
        EXPECT_EQ(server.result(id)["setup_status"], 100);
        EXPECT_FALSE(server.result(id).contains("test_status"));
        EXPECT_THAT(server.log(id, "cleanup"), HasSubstr("cleaning up"));
        EXPECT_THAT(everything_in(agent.runs()), IsEmpty());
        const auto next = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
        EXPECT_TRUE(server.reaches(next, "complete")) << "the agent must continue to poll";
    }
};

TEST_F(Attachments, StandInTheRunFolder) {
    const auto id = post(with_attachments(),
                         "mkdir provision test; echo an image > provision/image; "
                         "echo a script > test/script; tar czf $out provision test");
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(server.log(id, "provision"), HasSubstr("an image\nprovision\ntest\n"));
    EXPECT_THAT(server.log(id, "test"), AllOf(HasSubstr("a script\n"), HasSubstr("\"attachments\"")));
    EXPECT_EQ(server.result(id)["test_status"], 0);
}

TEST_F(Attachments, ThatEscapeAreRefused) {
    expect_refusal("mkdir test; echo x > ../outside; tar czf $out -P test ../outside", "outside");
    EXPECT_EQ(text_of(folder / "outside"), "x\n");
}

TEST_F(Attachments, ThatLeadOutByALinkAreRefused) {
    expect_refusal("mkdir test; ln -s /etc test/link; tar czf $out test", "test/link");
}

TEST_F(Attachments, OfOtherFoldersAreRefused) {
    expect_refusal("mkdir cleanup; echo x > cleanup/x; tar czf $out cleanup", "cleanup");
}

TEST_F(Attachments, ThatAreCutOffAreRefused) {
    expect_refusal("mkdir test; head -c 200000 /dev/urandom > test/x; tar czf whole test; head -c 100000 whole > $out",
                   "attachments");
}

TEST_F(Attachments, ThatAreABombAreRefused) {
    expect_refusal("mkdir test; truncate -s 2G test/zeros; tar czf $out test", "test/zeros");
}

TEST_F(Attachments, ThatCannotBeFetchedMakeTheJobFail) {
    const auto id = post(with_attachments(), "mkdir test; tar czf $out test");
    static_cast<void>(server.control(
        "POST", "/faults",
        {{"what", "status"}, {"value", 500}, {"count", 0}, {"target", "/v1/job/" + id + "/attachments"}}));
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(server.log(id, "setup"), HasSubstr("its attachments cannot be fetched"));
}

/// The allocate phase, in which several jobs share a device.
class Allocate : public LabTest {
  protected:
    Allocate() {
        agent.on("allocate", R"(echo '{"device_info": {"device_ip": "192.0.2.7"}}' > device-info.json)");
        agent.on("cleanup", "echo cleaning up");
    }
};

TEST_F(Allocate, WaitsForTheParentToEnd) {
    const auto parent = server.post_job({{"job_queue", "elsewhere"}, {"test_data", {{"test_cmds", "x"}}}});
    const auto id = server.post_job(job({{"allocate_data", {{"allocate", true}}}, {"parent_job_id", parent}}));
    agent.start();
    ASSERT_TRUE(server.reaches(id, "allocated")) << agent.log();
    EXPECT_EQ(server.result(id)["device_info"]["device_ip"], "192.0.2.7");
    EXPECT_EQ(server.log(id, "cleanup"), "");
    server.cancel(parent);
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(server.log(id, "cleanup"), HasSubstr("cleaning up"));
}

TEST_F(Allocate, EndsWhenItIsCancelledItself) {
    const auto id = server.post_job(job({{"allocate_data", {{"allocate", true}}}}));
    agent.start();
    ASSERT_TRUE(server.reaches(id, "allocated")) << agent.log();
    server.cancel(id);
    ASSERT_TRUE(eventually([&] {
        return server.agent(agent_id)["job_id"] == "" && server.agent(agent_id)["state"] == "waiting";
    })) << agent.log();
    EXPECT_EQ(server.job_state(id), "cancelled");
    EXPECT_THAT(server.log(id, "cleanup"), HasSubstr("cleaning up"));
}

}  // namespace
}  // namespace trebuchet::harness
