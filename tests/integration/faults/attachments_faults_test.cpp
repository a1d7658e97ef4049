#include "tests/integration/faults/faults_fixture.hpp"

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;

/// A fault during the download of attachments.
class FaultOfTheDownload : public FaultsTest, public ::testing::WithParamInterface<Case> {
  protected:
    /// Posts a job whose test checks for an attachment of a million bytes.
    std::string post_with_attachment() {
        auto id = server.post_job(
            job({{"test_data", {{"test_cmds", "x"}, {"attachments", Json::array({{{"agent", "noise"}}})}}}}));
        const auto made = run({"/bin/sh",
                               {"-c",
                                "mkdir test && head -c 1000000 /dev/urandom >test/noise && "
                                "tar czf attachments.tar.gz test"},
                               {},
                               folder.path()});
        EXPECT_EQ(made.code, 0) << made.err;
        const auto token = server.tokens(clients::submitter)["access_token"].get<std::string>();
        const auto sent = run(
            {"/usr/bin/curl",
             {"-sS", "--fail-with-body", "--cacert", server.authority(), "-H", "Authorization: Bearer " + token, "-F",
              "file=@" + (folder / "attachments.tar.gz").string(), server.url() + "/v1/job/" + id + "/attachments"}});
        EXPECT_EQ(sent.code, 0) << sent.out << sent.err;
        return id;
    }
};

TEST_P(FaultOfTheDownload, LosesNoAttachment) {
    agent.on("test", "wc -c <attachments/test/noise");
    const auto id = post_with_attachment();
    add_fault(GetParam().fault, "GET", "/v1/job/*/attachments");
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << agent.log();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();

    EXPECT_EQ(server.result(id)["test_status"], 0) << server.result(id) << agent.log();
    EXPECT_THAT(server.log(id, "test"), HasSubstr("1000000\n"));
}

INSTANTIATE_TEST_SUITE_P(
    Kind, FaultOfTheDownload,
    ::testing::Values(Case{"Refuse", {{"what", "refuse"}, {"value", 300}}},
                      Case{"CloseUnread", {{"what", "close-unread"}}}, Case{"Close", {{"what", "close"}}},
                      Case{"LoseAnswer", {{"what", "lose-answer"}}}, Case{"Delay", {{"what", "delay"}, {"value", 300}}},
                      Case{"Truncate", {{"what", "truncate"}, {"value", 500'000}}},
                      Case{"Unavailable", {{"what", "status"}, {"value", 503}}},
                      Case{"ExpiredToken", {{"what", "expired-token"}}}, Case{"Interim", {{"what", "interim"}}},
                      Case{"Garbage", {{"what", "garbage"}}}, Case{"HugeHeaders", {{"what", "huge-headers"}}}),
    name_of);

}  // namespace
}  // namespace trebuchet::harness
