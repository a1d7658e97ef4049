#include "tests/integration/vault/vault_lab.hpp"

#include <csignal>

namespace trebuchet::harness {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Of jobs that no grant allows, nothing but phases and exit codes leaves the host. Jobs of the client are allowed.
class Withheld : public VaultLab {
  protected:
    static constexpr const char* words = "something-that-stays-here";

    Withheld() {
        change_grant({{"allow", {{"client_id", clients::submitter}}}});
        configure({{"untrusted_logs", "withheld"}});
        const auto says = std::string("echo output: ") + words + "; echo serial: " + words + " > NAME-serial.log";
        for (const std::string phase : {"setup", "test", "cleanup"}) {
            auto command = says;
            agent.on(phase, command.replace(command.find("NAME"), 4, phase));
        }
        agent.on("provision", std::string("echo '{\"device_info\": {\"a\": \"") + words +
                                  "\"}}' > device-info.json; mkdir artifacts; echo " + words + " > artifacts/file");
    }
    static Json whole_job() {
        return {{"provision_data", {{"distro", "noble"}}},
                {"test_data", {{"test_cmds", "x"}}},
                {"job_status_webhook", webhook}};
    }
    /// All that the server was told since it started.
    std::string all_requests() { return server.requests().dump(); }
    [[nodiscard]] std::filesystem::path kept(const std::string& id) const { return agent.state() / "withheld" / id; }
};

TEST_F(Withheld, JobsSendPhasesAndExitCodesOnly) {
    agent.on("cleanup", std::string("echo ") + words + "; exit 3");
    const auto id = run_job(whole_job());
    EXPECT_THAT(all_requests(), Not(HasSubstr(words)));
    EXPECT_THAT(server.result(id).dump(), Not(HasSubstr(words)));
    EXPECT_THAT(server.artifacts(id), IsEmpty());
    EXPECT_EQ(server.result(id)["provision_status"], 0);
    EXPECT_EQ(server.result(id)["cleanup_status"], 3);
    EXPECT_FALSE(server.result(id).contains("device_info"));
    EXPECT_THAT(server.log(id, "test"), AllOf(HasSubstr("The lab keeps the output"), Not(HasSubstr("Starting"))));
}

TEST_F(Withheld, OutputIsKeptForTheLab) {
    const auto id = run_job(whole_job());
    ASSERT_TRUE(agent.logs_text("job " + id + " is done"));
    EXPECT_THAT(text_of(kept(id) / "test.log"), HasSubstr(words));
    EXPECT_THAT(text_of(kept(id) / "test-serial.log"), HasSubstr(words));
    EXPECT_THAT(text_of(kept(id) / "device-info.json"), HasSubstr(words));
    EXPECT_TRUE(std::filesystem::exists(kept(id) / "artifacts.tar.gz"));
    EXPECT_THAT(agent.log(), HasSubstr("no grant allows it, so its output is not sent"));
}

TEST_F(Withheld, JobsThatAGrantAllowsSendEverything) {
    server.store_secret("unused", "value-of-the-server");
    auto fields = whole_job();
    fields["test_data"]["secrets"] = {{"OTHER", "unused"}};
    const auto id = run_job(fields);
    EXPECT_THAT(server.log(id, "test"), HasSubstr(words));
    EXPECT_THAT(server.artifacts(id), Not(IsEmpty()));
    EXPECT_FALSE(std::filesystem::exists(kept(id)));
}

TEST_F(Withheld, OutputStaysAfterACrash) {
    auto held = gate();
    agent.on("test", std::string("echo ") + words + " | tee test-serial.log; " + held.wait_command());
    const auto id = server.post_job(job(whole_job()));
    agent.start();
    ASSERT_TRUE(eventually([&] { return text_of(kept(id) / "test.log").find(words) != std::string::npos; }))
        << agent.log();
    agent.program().signal(SIGKILL);
    static_cast<void>(agent.program().wait());
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(all_requests(), Not(HasSubstr(words)));
    EXPECT_EQ(server.result(id)["test_status"], 247);
    EXPECT_THAT(text_of(kept(id) / "test-serial.log"), HasSubstr(words));
}

TEST_F(Withheld, OutputIsRemovedWhenItIsOld) {
    const auto old = agent.state() / "withheld/old";
    const auto recent = agent.state() / "withheld/recent";
    for (const auto& folder_of_job : {old, recent}) std::filesystem::create_directories(folder_of_job);
    const auto now = std::filesystem::file_time_type::clock::now();
    std::filesystem::last_write_time(old, now - std::chrono::hours(24 * 15));
    std::filesystem::last_write_time(recent, now - std::chrono::hours(24 * 13));
    static_cast<void>(run_job(whole_job()));
    EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(old); })) << agent.log();
    EXPECT_TRUE(std::filesystem::exists(recent));
}

}  // namespace
}  // namespace trebuchet::harness
