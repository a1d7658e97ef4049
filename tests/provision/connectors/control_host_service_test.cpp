#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/connectors/stage_fixture.hpp"

#include <cstdlib>

#include <gmock/gmock.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// The service answers as told; each stream is the same.
class ControlHostService : public StageTest {
  protected:
    ControlHostService() {
        config_.control_host = "zapper-1.example";
        config_.reboot_script = {"powerctl cycle"};
        config_.device_key_file = (folder_ / "key").string();
        folder_.write("key.pub", "ssh-ed25519 AAAA me\n");
        commands_.piped_output = "id: 4\ndata: {\"level\": \"INFO\", \"message\": \"flashing\"}\n\n\n200";
        job_ = R"({"provision_data": {"url": "http://images.example/core.img"},
                   "test_data": {"test_username": "tester", "test_password": "hunter22"}})";
        when("/api/v1/system", CommandExited{0}, "{}\n200");
    }
    /// Answers to questions about the job, in order; the last one is repeated.
    void job_answers(std::vector<std::string> statuses) {
        commands_.answer = [this, statuses = std::move(statuses), rules = commands_.answer,
                            at = std::size_t{0}](const Command& command) mutable -> std::optional<CommandResult> {
            const std::string input(command.input.value_or(""));
            if (input.find("/api/v1/provision/job-7\"") != std::string::npos) {
                return CommandResult{CommandExited{0}, statuses.at(std::min(at++, statuses.size() - 1))};
            }
            if (input.find("/api/v1/provision\"") != std::string::npos) return CommandResult{CommandExited{0}, posted_};
            return rules(command);
        };
    }
    [[nodiscard]] std::string request() const {
        for (const auto& input : commands_.inputs) {
            if (input.find("kwargs") != std::string::npos) return input;
        }
        return "";
    }

    TemporaryFolder folder_;
    std::string posted_ = "{\"job_id\": \"job-7\"}\n200";
};

TEST_F(ControlHostService, FollowsTheJobUntilItIsCompleted) {
    job_answers({"{\"status\": \"running\"}\n200", "{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(run("control_host_iot"), 0);
    EXPECT_THAT(interrupt_.waits, ElementsAre(2s));
    EXPECT_EQ(count("Last-Event-ID: 4"), 1U) << "only when it looks again";
    EXPECT_THAT(request(), HasSubstr(R"(\"username\":\"tester\")"));
}

TEST_F(ControlHostService, ThePasswordIsInNoCommandLine) {
    job_answers({"{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(run("control_host_iot"), 0);
    for (const auto& words : commands_.commands) {
        for (const auto& word : words) EXPECT_EQ(word.find("hunter22"), std::string::npos);
    }
    EXPECT_THAT(request(), HasSubstr("hunter22"));
}

/// The reference ends at the first one.
TEST_F(ControlHostService, AnErrorOfTheServerOnTheWayIsTriedAgainButNotForever) {
    job_answers({"busy\n503", "{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(run("control_host_iot"), 0);
    job_answers({"busy\n503"});
    const auto result = run("control_host_iot");
    EXPECT_EQ(result.error().name, "HTTPError");
    EXPECT_THAT(result.error().message, HasSubstr("503 Server Error: Service Unavailable for url"));
    job_answers({"{\"detail\": \"no such job\"}\n404"});
    EXPECT_THAT(run("control_host_iot").error().message, HasSubstr("it said: no such job"));
}

TEST_F(ControlHostService, ABrokenStreamIsFollowedByALookAtTheJob) {
    when("/logs", CommandExited{56}, "");
    job_answers({"{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(run("control_host_iot"), 0);
    EXPECT_TRUE(interrupt_.waits.empty());
}

TEST_F(ControlHostService, EntriesInBetweenForgiveBrokenStreams) {
    int streams = 0;
    when("/logs", CommandExited{56}, "");
    std::vector<std::string> statuses(9, "{\"status\": \"running\"}\n200");
    statuses.emplace_back("{\"status\": \"completed\"}\n200");
    job_answers(std::move(statuses));
    commands_.answer = [this, &streams, rules = commands_.answer](const Command& command) {
        if (command.input.value_or("").find("/logs") != std::string::npos) {
            commands_.piped_output = "id: " + std::to_string(++streams) + "\ndata: {\"message\": \"on it\"}\n\n";
        }
        return rules(command);
    };
    EXPECT_EQ(run("control_host_iot"), 0) << "nine broken streams, each with something new but the first";
}

TEST_F(ControlHostService, FiveBrokenStreamsThatSayNothingNewAreFinal) {
    when("/logs", CommandExited{56}, "");
    job_answers({"{\"status\": \"running\"}\n200"});
    EXPECT_EQ(run("control_host_iot").error().name, "ConnectionError");
    EXPECT_EQ(count("/logs"), 5U);
}

TEST_F(ControlHostService, AStreamThatIsSilentForTheWholeTimeIsFinal) {
    when("/logs", CommandExited{28}, "");
    commands_.piped_output = "\n000 0.01";
    job_answers({"{\"status\": \"running\"}\n200"});
    const auto result = run("control_host_iot");
    EXPECT_EQ(result.error().name, "ReadTimeout");
    EXPECT_THAT(result.error().message, HasSubstr("5400 s"));
    EXPECT_TRUE(interrupt_.waits.empty());
    commands_.piped_output = "\n000 0.000000";
    EXPECT_EQ(run("control_host_iot").error().name, "ConnectionError") << "it could not connect";
}

TEST_F(ControlHostService, TheJobSaysHowLongTheServiceMaySayNothing) {
    job_answers({"{\"status\": \"completed\"}\n200"});
    job_ = R"({"provision_data": {"url": "http://i.example/a.iso", "robot_tasks": ["t"],
                                  "provisioning_timeout": 20000}})";
    EXPECT_EQ(run("control_host_kvm"), 0);
    EXPECT_EQ(count("--speed-time 20000 --max-time 20000"), 1U);
    job_ = R"({"provision_data": {"preset": "p", "provisioning_timeout": 600}})";
    EXPECT_EQ(run("control_host_kvm"), 0);
    EXPECT_EQ(count("--speed-time 600 --max-time 14400"), 1U);
    job_ = R"({"provision_data": {"preset": "p", "provisioning_timeout": "soon"}})";
    EXPECT_FALSE(run("control_host_kvm"));
}

TEST_F(ControlHostService, AJobThatNeverEndsEndsAtTheLimit) {
    commands_.piped_output = "\n200";
    config_.scalars["control_host_provision_timeout"] = "300";
    job_answers({"{\"status\": \"running\"}\n200"});
    const auto result = run("control_host_iot");
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_THAT(result.error().message, HasSubstr("control_host_provision_timeout"));
    EXPECT_THAT(std::vector(interrupt_.waits.begin(), interrupt_.waits.begin() + 6),
                ElementsAre(2s, 4s, 8s, 16s, 30s, 30s));
}

/// The reference crashes on such entries, and on an `error` that is null its message is "None".
TEST_F(ControlHostService, OddAnswersAreFailuresWithAReason) {
    commands_.piped_output = "data: [1]\n\ndata: {\"message\": 5}\n\n\n200";
    job_answers({"{\"status\": \"failed\", \"error\": null}\n200"});
    EXPECT_EQ(run("control_host_iot").error().message, "Provisioning failed for unknown reason.");
    for (const auto* odd : {"{}\n200", "[]\n200", "{\"job_id\": \"../x\"}\n201", "{\"job_id\": 5}\n200", "\n204"}) {
        posted_ = odd;
        EXPECT_THAT(run("control_host_iot").error().message, HasSubstr("names no job_id")) << odd;
    }
    posted_ = "{\"detail\": [{\"input\": \"hunter22\"}]}\n422";
    EXPECT_EQ(run("control_host_iot").error().message,
              "422 Client Error: Unprocessable Entity for url: http://zapper-1.example:8000/api/v1/provision");
}

TEST_F(ControlHostService, RefusesWhatTheServiceWouldNotTake) {
    for (const auto* data :
         {R"({"url": "http://fileserver/x"})", R"({"urls": "http://h.example/x"})", R"({"urls": [5]})",
          R"({"url": "http://h.example/x", "provision_plan": {"config": 1, "run_stage": []}})",
          R"({"url": "http://h.example/x", "provision_plan": 5})",
          R"({"url": "http://h.example/x", "provisioning_timeout": -1})",
          R"({"provision_plan": {"config": {}, "run_stage": [{"initial_login": {"method": "console-conf"}}]}})"}) {
        job_ = std::string(R"({"provision_data": )") + data + "}";
        const auto result = run("control_host_iot");
        ASSERT_FALSE(result) << data;
        EXPECT_FALSE(result.error().message.empty());
        EXPECT_EQ(count("kwargs"), 0U) << data;
    }
}

TEST_F(ControlHostService, ANewDeviceGetsTheConfiguredKeyByThePassword) {
    when("/bin/true", CommandExited{255}, "tester@10.0.0.7: Permission denied (publickey,password).\n");
    job_answers({"{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(run("control_host_iot"), 0);
    EXPECT_EQ(count("sshpass -e ssh-copy-id -f"), 1U);
    EXPECT_EQ(count("-i " + (folder_ / "key.pub").string()), 1U);
    rules_.back().output = "ssh: connect to host 10.0.0.7 port 22: No route to host\n";
    EXPECT_FALSE(run("control_host_iot"));
    EXPECT_EQ(count("ssh-copy-id"), 1U) << "it is not up";
}

TEST_F(ControlHostService, AStockIsoGetsTheConfiguredFilesUnlessTheJobsAreWanted) {
    folder_.write("ud.yaml", "autoinstall: {}\n");
    folder_.write("grub.cfg", "menuentry x\n");
    config_.scalars["default_user_data"] = (folder_ / "ud.yaml").string();
    config_.scalars["default_redeploy_cfg"] = (folder_ / "grub.cfg").string();
    job_ = R"({"provision_data": {"control_host_iso_url": "http://i.example/s.iso", "control_host_iso_type": "stock",
                                  "user_data": "not-there"}})";
    job_answers({"{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(run("oem_autoinstall"), 0);
    EXPECT_THAT(request(), HasSubstr(R"(\"user_data_b64\":\"YXV0b2luc3RhbGw6IHt9Cg==\")"));
}

TEST_F(ControlHostService, AnAccountOfConsoleConfTakesTheUsersPlaceAndGetsNoKey) {
    config_.device_key_file.clear();
    job_ = R"({"provision_data": {"ubuntu_sso_email": "me@example.com", "provision_plan":
               {"config": {}, "run_stage": [{"initial_login": {"method": "console-conf"}}]}}})";
    job_answers({"{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(run("control_host_iot"), 0);
    EXPECT_THAT(request(), HasSubstr(R"(\"username\":\"me@example.com\")"));
    EXPECT_EQ(count("ssh-copy-id"), 0U);
}

TEST_F(ControlHostService, OlderNamesAreTheSameTypes) {
    job_answers({"{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(run("zapper_iot"), 0);
    EXPECT_EQ(current_type("zapper_kvm"), "control_host_kvm");
}

/// The reference logs the new password in clear.
TEST_F(ControlHostService, ThePasswordOfAnOemComputerIsChangedOverSshsStdin) {
    job_ = R"({"provision_data": {"alloem_url": "http://i.example/a.iso", "robot_tasks": ["t"]},
               "test_data": {"test_password": "hunter'22"}})";
    job_answers({"{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(run("control_host_kvm"), 0);
    EXPECT_THAT(request(), HasSubstr(R"(\"password\":\"u\")"));
    EXPECT_EQ(count("printf '%s\\n' 'ubuntu:hunter'\\''22' | sudo chpasswd"), 1U);
    for (const auto& words : commands_.commands) {
        for (const auto& word : words) EXPECT_EQ(word.find("hunter"), std::string::npos);
    }
    job_ = R"({"provision_data": {"alloem_url": "http://i.example/a.iso", "robot_tasks": ["t"]},
               "test_data": {"test_password": "a\nroot:b"}})";
    EXPECT_THAT(run("control_host_kvm").error().message, HasSubstr("line break"));
}

TEST_F(ControlHostService, APresetGetsTheAutoinstallKeysAsTheServiceWantsThem) {
    job_ =
        R"({"provision_data": {"preset": "p", "alloem_url": "http://i.example/a.iso", "url": "http://i.example/u.iso",
               "autoinstall_base_user_data": "YTogMQo="}, "test_data": {"test_password": "hunter22"}})";
    job_answers({"{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(run("control_host_kvm"), 0);
    EXPECT_THAT(request(), HasSubstr(R"(\"autoinstall_conf\":{\"base_user_data\":\"YTogMQo=\"})"));
    EXPECT_EQ(request().find("autoinstall_base"), std::string::npos);
    EXPECT_THAT(request(), HasSubstr(R"(\"url\":\"http://i.example/u.iso\")")) << "no preset of an OEM";
    EXPECT_THAT(request(), HasSubstr(R"(\"password\":\"hunter22\")"));
    EXPECT_EQ(count("chpasswd"), 0U);
    job_ = R"({"provision_data": {"preset": "p", "autoinstall_base_user_data": "***"}})";
    EXPECT_THAT(run("control_host_kvm").error().message, HasSubstr("not valid base64"));
}

TEST_F(ControlHostService, TheOemPresetWithoutAnImageOfItsOwnOnlyRecovers) {
    job_ = R"({"provision_data": {"preset": "desktop-jammy-oem", "url": "http://i.example/u.iso", "oem": "acme"}})";
    job_answers({"{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(run("control_host_kvm"), 0);
    EXPECT_EQ(request().find("u.iso"), std::string::npos);
    EXPECT_THAT(request(), HasSubstr(R"(\"password\":\"u\")"));
    EXPECT_EQ(count("recovery-from-iso.sh"), 1U) << "an unknown oem is installed as by oemscript";
}

TEST_F(ControlHostService, WhatCannotBeInstalledAfterwardsIsRefusedAtOnce) {
    job_ = R"({"provision_data": {"alloem_url": "http://i.example/a.iso", "robot_tasks": ["t"],
               "url": "http://me:secret@i.example/u.iso"}})";
    EXPECT_FALSE(run("control_host_kvm"));
    EXPECT_EQ(count("kwargs"), 0U);
}

TEST_F(ControlHostService, AJobCannotNameAnotherDevice) {
    job_ = R"({"provision_data": {"preset": "p", "device_ip": "10.9.9.9", "agent_name": "other", "cid": "other",
               "reboot_script": ["own"]}})";
    job_answers({"{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(run("control_host_kvm"), 0);
    EXPECT_THAT(request(), HasSubstr(R"(\"device_ip\":\"10.0.0.7\")"));
    EXPECT_EQ(request().find("other"), std::string::npos);
    EXPECT_THAT(request(), HasSubstr(R"(\"reboot_script\":[\"own\"])")) << "the service has no other way to restart it";
}

TEST_F(ControlHostService, UserDataForAutoinstallMustBeYaml) {
    const auto with = [&](const char* encoded) {
        job_ = std::string(R"({"provision_data": {"url": "http://i.example/a.iso", "robot_tasks": ["t"],
                               "autoinstall_base_user_data": ")") +
               encoded + "\"}}";
        return run("control_host_kvm");
    };
    EXPECT_THAT(with("YTogYjogYwo6Og==").error().message, HasSubstr("not a valid YAML"));
    EXPECT_THAT(with("***").error().message, HasSubstr("not valid base64"));
    job_answers({"{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(with("YTogMQo="), 0);
    EXPECT_THAT(request(), HasSubstr(R"(\"autoinstall_conf\":{\"base_user_data\":\"YTogMQo=\"})"));
}

TEST_F(ControlHostService, AnOemAutoinstallIsoIsInstalledByTheService) {
    folder_.write("ud.yaml", "autoinstall: {}\n");
    folder_.write("grub.cfg", "menuentry x\n");
    job_ = R"({"provision_data": {"control_host_iso_url": "http://i.example/s.iso", "control_host_iso_type": "stock",
                                  "update_user_data": true}})";
    EXPECT_THAT(run("oem_autoinstall").error().message, HasSubstr("default_user_data"));
    config_.scalars["default_user_data"] = (folder_ / "ud.yaml").string();
    config_.scalars["default_redeploy_cfg"] = (folder_ / "grub.cfg").string();
    job_answers({"{\"status\": \"completed\"}\n200"});
    EXPECT_EQ(run("oem_autoinstall"), 0);
    EXPECT_THAT(request(), HasSubstr(R"(\"user_data_b64\":\"YXV0b2luc3RhbGw6IHt9Cg==\")"));
    EXPECT_EQ(count("system/setup/provisioning"), 2U) << "once for each of the two runs; the reference does it twice";
}

TEST_F(ControlHostService, OemAutoinstallNeverTakesADeviceOffline) {
    config_.device_key_file.clear();
    config_.control_host.clear();
    job_ = R"({"provision_data": {"url": "http://i.example/x.iso"}})";
    when("ssh-copy-id", CommandExited{255});
    when("powerctl", CommandTimedOut{});
    const auto result = run("oem_autoinstall");
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_THAT(result.error().message, HasSubstr("Error running reboot script"));
}

TEST_F(ControlHostService, OemAutoinstallWithoutAnImageDoesNothing) {
    job_ = R"({"provision_data": null})";
    config_.control_host.clear();
    EXPECT_EQ(run("oem_autoinstall"), 0);
    EXPECT_TRUE(commands_.commands.empty());
}

TEST_F(ControlHostService, OemAutoinstallRefusesWhatAProgramCouldTakeForSomethingElse) {
    config_.control_host.clear();
    for (const auto* data : {R"({"url": "--iso"})", R"({"url": "http://i.example/x.iso", "user_data": "../../key"})",
                             R"({"url": "http://i.example/x.iso", "token_file": "not-there"})"}) {
        job_ = std::string(R"({"provision_data": )") + data + "}";
        EXPECT_FALSE(run("oem_autoinstall")) << data;
    }
    job_ = R"({"provision_data": {"url": "http://i.example/x.iso"}, "test_data": {"test_username": "a;reboot"}})";
    EXPECT_FALSE(run("oem_autoinstall"));
    EXPECT_EQ(count("provision-image.sh"), 0U);
}

}  // namespace
}  // namespace trebuchet
