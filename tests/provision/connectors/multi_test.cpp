#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/connectors/stage_fixture.hpp"

#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// A server whose answers are prepared by a part of the request; job ids are j1, j2 ….
class Multi : public StageTest {
  protected:
    Multi() : home_(std::filesystem::current_path()) {
        std::filesystem::current_path(folder_.path());
        config_.device_ip = "";
        config_.scalars["testflinger_server"] = "http://server/api/";
        job_ = R"({"job_id": "parent", "provision_data": {"jobs": [{"job_queue": "a"}, {"job_queue": "b"}]}})";
        commands_.answer = [this](const Command& command) -> std::optional<CommandResult> {
            const std::string input(command.input.value_or(""));
            std::string line = input;
            for (const auto& word : command.argv) line += " " + word;
            for (const auto& [part, answers] : answers_) {
                if (line.find(part) == std::string::npos) continue;
                auto& left = answers_[part];
                auto answer = left.front();
                if (left.size() > 1) left.pop_front();
                return CommandResult{answer == "refused" ? CommandEnd(CommandExited{7}) : CommandExited{0}, answer};
            }
            if (input.find("/v1/job\"") != std::string::npos) {
                return CommandResult{CommandExited{0}, R"({"job_id": "j)" + std::to_string(++created_) + "\"}\n200"};
            }
            return CommandResult{CommandExited{0}, "\n204"};
        };
    }
    ~Multi() override { std::filesystem::current_path(home_); }

    void allocate(const std::string& id, const std::string& address) {
        answers_["/v1/result/" + id] = {
            "{\"job_state\": \"provision\"}\n200",
            "{\"job_state\": \"allocated\", \"device_info\": {\"device_ip\": \"" + address + "\"}}\n200"};
    }
    [[nodiscard]] nlohmann::json list() const {
        return nlohmann::json::parse(read_file("job_list.json", 10000).value_or("null"));
    }

    TemporaryFolder folder_;
    std::filesystem::path home_;
    std::map<std::string, std::deque<std::string>> answers_;
    int created_ = 0;
};

TEST_F(Multi, CreatesItsChildrenAndWaitsForAllOfThemAtOnce) {
    allocate("j1", "10.0.0.1");
    allocate("j2", "10.0.0.2");
    EXPECT_EQ(run("multi"), 0);
    EXPECT_EQ(interrupt_.waits, (std::vector<std::chrono::milliseconds>{10s, 10s}));
    EXPECT_EQ(count("http://server/api/v1/job\""), 2U) << "the URL's path is kept";
    EXPECT_EQ(count(R"(\"allocate_data\":{\"allocate\":true})"), 2U);
    EXPECT_EQ(count(R"(\"parent_job_id\":\"parent\")"), 2U);
    EXPECT_EQ(list(), nlohmann::json::parse(R"([{"job_id": "j1", "device_info": {"device_ip": "10.0.0.1"}},
                                                {"job_id": "j2", "device_info": {"device_ip": "10.0.0.2"}}])"));
}

TEST_F(Multi, AChildThatEndsTakesTheOthersWithIt) {
    allocate("j1", "10.0.0.1");
    answers_["/v1/result/j2"] = {"{\"job_state\": \"cancelled\"}\n200"};
    const auto result = run("multi");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "Unable to allocate all devices");
    EXPECT_EQ(count("/v1/job/j1/action"), 1U);
    EXPECT_EQ(count("/v1/job/j2/action"), 1U);
}

TEST_F(Multi, AnAnswerThatIsNoJsonIsWaitedOut) {
    answers_["/v1/result/parent"] = {"\n204", "<html>\n502", "refused", "oops\n200"};
    allocate("j1", "10.0.0.1");
    answers_["/v1/result/j1"].push_front("\n204");
    allocate("j2", "10.0.0.2");
    EXPECT_EQ(run("multi"), 0);
}

TEST_F(Multi, TheListIsWrittenAsJobsAreCreated) {
    answers_["job_queue\\\":\\\"b"] = {"{\"message\": \"no\"}\n403"};
    const auto result = run("multi");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "Unable to create job: {\"message\": \"no\"}");
    EXPECT_EQ(list().size(), 1U);
    EXPECT_EQ(count("/v1/job/j1/action"), 1U);
}

TEST_F(Multi, GivesUpAfterTheJobsAllocationTimeout) {
    job_ = R"({"allocation_timeout": 30, "provision_data": {"jobs": [{"job_queue": "a"}]}})";
    EXPECT_EQ(run("multi").error().message, "Timed out waiting for devices to allocate");
    EXPECT_EQ(interrupt_.waits.size(), 3U);
    EXPECT_EQ(count("/v1/job/j1/action"), 1U);
}

TEST_F(Multi, CancelsItsChildrenWhenToldToStop) {
    interrupt_.signal = SIGTERM;
    interrupt_.waits_before_signal = 1;
    EXPECT_EQ(run("multi"), 128 + SIGTERM);
    EXPECT_EQ(count("/v1/job/j1/action"), 1U);
    EXPECT_EQ(count("/v1/job/j2/action"), 1U);
}

TEST_F(Multi, CancelsWhatAKilledProvisionLeft) {
    folder_.write("job_list.json", R"([{"job_id": "old", "device_info": null}, {"job_id": "../../x"}, 7])");
    allocate("j1", "10.0.0.1");
    allocate("j2", "10.0.0.2");
    EXPECT_EQ(run("multi"), 0);
    EXPECT_EQ(count("/v1/job/old/action"), 1U);
    EXPECT_EQ(count("../x"), 0U);
}

TEST_F(Multi, SendsCredentialsWhereItHasThemAndShowsThemToNobody) {
    folder_.write("key", "hunter22\n");
    config_.scalars["client_id"] = "lab";
    config_.scalars["secret_key_file"] = "key";
    answers_["oauth2/token"] = {"{\"access_token\": \"t0ken\"}\n200"};
    allocate("j1", "10.0.0.1");
    allocate("j2", "10.0.0.2");
    EXPECT_EQ(run("multi"), 0);
    EXPECT_EQ(count("user = \"lab:hunter22\""), 1U);
    EXPECT_GE(count("Authorization: Bearer t0ken"), 4U);
    for (const auto& argv : commands_.commands) {
        for (const auto& word : argv)
            EXPECT_EQ(word.find("t0ken") + word.find("hunter22"), 2 * std::string::npos) << word;
    }
}

TEST_F(Multi, PassesAttachmentsOn) {
    job_ = R"({"provision_data": {"jobs": [{"provision_data": {"attachments": [{"agent": "image.img"}]}}]}})";
    EXPECT_THAT(run("multi").error().message, HasSubstr("\"provision/image.img\""));
    EXPECT_EQ(created_, 0) << "it would wait for ever";
    std::filesystem::create_directories(folder_ / "attachments/test");
    folder_.write("attachments/test/image.img", "x");
    allocate("j1", "10.0.0.1");
    answers_["/attachments"] = {"OK\n200"};
    EXPECT_EQ(run("multi"), 0);
    EXPECT_EQ(count("/v1/job/j1/attachments"), 1U);
    EXPECT_GE(count("tar -czf"), 1U);
}

TEST_F(Multi, AListOrAnAnswerOfEndlessDepthIsNoReasonToCrash) {
    const auto deep = std::string(100'000, '[') + std::string(100'000, ']');
    folder_.write("job_list.json", R"([{"job_id": "old", "device_info": )" + deep + "}]");
    const auto cleaned = run("multi", Stage::cleanup);
    EXPECT_EQ(cleaned, 0);
    allocate("j1", "10.0.0.1");
    answers_["/v1/result/j1"].push_front(R"({"job_state": "allocated", "device_info": )" + deep + "}\n200");
    allocate("j2", "10.0.0.2");
    EXPECT_EQ(run("multi"), 0);
}

TEST_F(Multi, HasABoundForItsChildren) {
    std::string jobs;
    for (int i = 0; i < 101; ++i) jobs += (i == 0 ? "{}" : ", {}");
    job_ = R"({"provision_data": {"jobs": [)" + jobs + "]}}";
    EXPECT_THAT(run("multi").error().message, HasSubstr("at most 100"));
    EXPECT_EQ(created_, 0);
    std::string list;
    for (int i = 0; i < 101; ++i) list += (i == 0 ? "" : ", ") + (R"({"job_id": "j)" + std::to_string(i) + "\"}");
    folder_.write("job_list.json", "[" + list + "]");
    EXPECT_EQ(run("multi", Stage::cleanup), 0);
    EXPECT_EQ(count("/action"), 100U);
}

TEST_F(Multi, ToldToStopWhileItPacksItIsStoppedAndHasNotFailed) {
    job_ = R"({"provision_data": {"jobs": [{"provision_data": {"attachments": [{"agent": "image.img"}]}}]}})";
    std::filesystem::create_directories(folder_ / "attachments/provision");
    folder_.write("attachments/provision/image.img", "x");
    commands_.answer = [this](const Command& command) -> std::optional<CommandResult> {
        if (command.argv.front() != "tar") return std::nullopt;
        interrupt_.signal = SIGTERM;
        interrupt_.waits.emplace_back();  // from now on
        return CommandResult{CommandInterrupted{SIGTERM}, ""};
    };
    EXPECT_EQ(run("multi"), 128 + SIGTERM);
}

TEST_F(Multi, NeedsJobsAndAServer) {
    for (const auto* job : {"{}", R"({"provision_data": null})", R"({"provision_data": {"jobs": []}})"}) {
        job_ = job;
        EXPECT_THAT(run("multi").error().message, HasSubstr("You must specify a list of 'jobs'"));
    }
    config_.scalars["testflinger_server"] = "server:8000";
    EXPECT_THAT(run("multi").error().message, HasSubstr("testflinger_server"));
}

TEST_F(Multi, CleanupCancelsAndIsNeverFatal) {
    EXPECT_EQ(run("multi", Stage::cleanup), 0);
    folder_.write("job_list.json", R"([{"job_id": "j1"}, {"job_id": "j2"}])");
    answers_["/v1/job/j1/action"] = {"refused"};
    EXPECT_EQ(run("multi", Stage::cleanup), 0);
    EXPECT_EQ(count("/v1/job/j2/action"), 1U);
}

TEST_F(Multi, ReservePrintsTheChildrensAddresses) {
    job_ = R"({"reserve_data": {"timeout": 0}})";
    folder_.write("job_list.json", R"([{"job_id": "j1", "device_info": {"device_ip": "10.0.0.1"}}])");
    EXPECT_EQ(run("multi", Stage::reserve), 0);
    EXPECT_THAT(out_.str(), HasSubstr("DEVICE_IP_1: 10.0.0.1 (job j1)"));
}

}  // namespace
}  // namespace trebuchet
