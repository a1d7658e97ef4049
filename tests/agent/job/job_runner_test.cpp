#include "agent/job/job_runner.hpp"

#include "tests/fakes/fake_reporter.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <algorithm>
#include <csignal>
#include <memory>
#include <new>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

class JobRunnerTest : public testing::Test {
  protected:
    JobRunnerTest() {
        config_.agent_id = "rpi4";
        config_.execution_basedir = folder_ / "run";
        config_.trebuchet.kill_grace = std::chrono::milliseconds(50);
        config_.trebuchet.mask.hash = MaskHash::sha256;
        for (const Phase phase : all_phases) command(phase) = "echo " + std::string(name_of(phase));
        for (const Phase phase : main_phases) document_[std::string(name_of(phase)) + "_data"] = {{"some", "thing"}};
    }

    std::string& command(Phase phase) { return config_.phase_commands[std::string(name_of(phase))]; }
    /// Leaves only these commands.
    void only(const std::map<Phase, std::string>& commands) {
        config_.phase_commands.clear();
        for (const auto& [phase, text] : commands) command(phase) = text;
    }
    void with_secret(const std::string& name, const std::string& value) {
        document_["test_data"]["secrets"][name] = value;
    }

    JobOutcome run() {
        prepare();
        return runner_->run();
    }
    JobOutcome resume(const InterruptedJob& interrupted) {
        prepare();
        return runner_->resume(interrupted);
    }
    void prepare() {
        auto job = parse_job(document_.dump());
        EXPECT_TRUE(job) << job.error().message();
        job_ = std::move(*job);
        masks_ = *MaskSet::build(job_.secrets(), config_.trebuchet.mask);
        runner_ = std::make_unique<JobRunner>(JobParts{.loop = loop_,
                                                       .config = config_,
                                                       .job = job_,
                                                       .masks = masks_,
                                                       .secret_base = folder_ / "secret",
                                                       .log = reporter_,
                                                       .listeners = {&reporter_},
                                                       .control = reporter_});
    }
    /// What a job's log ends with once something was masked.
    static constexpr std::string_view mask_report_title = "\nSecrets that were masked in this job:\n";
    /// The lines after it, in the log of `phase`.
    [[nodiscard]] std::string masked_in(Phase phase) const {
        const auto found = reporter_.outputs.find(phase);
        if (found == reporter_.outputs.end()) return "";
        const auto title = found->second.find(mask_report_title);
        return title == std::string::npos ? "" : found->second.substr(title + mask_report_title.size());
    }
    /// A phase's output without its banner of three lines and the lines on what was masked.
    [[nodiscard]] std::string output(Phase phase) const {
        const auto found = reporter_.outputs.find(phase);
        if (found == reporter_.outputs.end()) return "";
        const auto& text = found->second;
        std::size_t start = 0;
        for (int line = 0; line < 3; ++line) start = text.find('\n', start) + 1;
        return text.substr(start, text.find(mask_report_title) - start);
    }
    /// Calls `action` once, when this is reported.
    void when(const std::string& report, std::function<void()> action) {
        reporter_.on_report = [report, action = std::move(action), done = false](const std::string& line) mutable {
            if (done || line != report) return;
            done = true;
            action();
        };
    }
    /// Calls `action` once, when the phase has printed `text`.
    void when_printed(Phase phase, const std::string& text, std::function<void()> action) {
        reporter_.on_report = [this, phase, text, action = std::move(action),
                               done = false](const std::string&) mutable {
            if (done || output(phase).find(text) == std::string::npos) return;
            done = true;
            action();
        };
    }
    [[nodiscard]] std::vector<std::string> phases_that_ran() const {
        std::vector<std::string> names;
        for (const auto& report : reporter_.reports) {
            if (report.starts_with("runs: ")) names.push_back(report.substr(6));
        }
        return names;
    }
    void expect_nothing_left() const {
        EXPECT_TRUE(fs::is_empty(folder_ / "run"));
        EXPECT_TRUE(!fs::exists(folder_ / "secret") || fs::is_empty(folder_ / "secret"));
    }

    EventLoop loop_;
    TemporaryFolder folder_;
    Config config_;
    json document_{{"job_id", "j1"}};
    Job job_;
    std::shared_ptr<const MaskSet> masks_;
    FakeReporter reporter_;
    std::unique_ptr<JobRunner> runner_;
};

TEST_F(JobRunnerTest, WalksThroughThePhasesInTheirOrder) {
    const auto outcome = run();
    EXPECT_THAT(reporter_.reports,
                ElementsAre("job_taken: j1",                                                                          //
                            "entered: setup", "runs: setup", "ran: setup 0", "event: setup_success",                  //
                            "entered: provision", "runs: provision", "ran: provision 0", "event: provision_success",  //
                            "provision_log: 0 provision_success",                                                     //
                            "entered: firmware_update", "runs: firmware_update", "ran: firmware_update 0",
                            "event: firmware_update_success",                                     //
                            "entered: test", "runs: test", "ran: test 0", "event: test_success",  //
                            "entered: allocate", "runs: allocate", "ran: allocate 0", "allocated",
                            "event: allocate_success",                                                            //
                            "entered: reserve", "runs: reserve", "ran: reserve 0", "event: reserve_success",      //
                            "event: cleanup_start", "runs: cleanup", "ran: cleanup 0", "event: cleanup_success",  //
                            "event: job_end", "finished"));
    EXPECT_EQ(reporter_.detail_of("job_end"), "normal_exit");
    EXPECT_EQ(outcome.status.size(), 7U);
    EXPECT_EQ(reporter_.last_status, outcome.status);
    EXPECT_FALSE(outcome.recovery_failed || outcome.cancelled || outcome.stopped);
    expect_nothing_left();
}

TEST_F(JobRunnerTest, EachPhasesOutputHasItsBanner) {
    run();
    EXPECT_EQ(reporter_.outputs[Phase::firmware_update],
              "******************************************************\n"
              "* Starting testflinger firmware_update phase on rpi4 *\n"
              "******************************************************\n"
              "firmware_update\n");
}

TEST_F(JobRunnerTest, APhaseWithoutACommandIsEnteredAndSucceeds) {
    config_.phase_commands.erase("provision");
    command(Phase::reserve) = "";
    const auto outcome = run();
    EXPECT_THAT(phases_that_ran(), ElementsAre("setup", "firmware_update", "test", "allocate", "cleanup"));
    for (const auto* report : {"entered: provision", "event: provision_success", "provision_log: 0 provision_success",
                               "entered: reserve", "event: reserve_success"}) {
        EXPECT_THAT(reporter_.reports, Contains(report));
    }
    EXPECT_EQ(outcome.status.count(Phase::provision), 0U);
    EXPECT_EQ(reporter_.outputs.count(Phase::provision), 0U);
}

TEST_F(JobRunnerTest, APhaseWithoutDataOrToBeSkippedIsLikeOneWithoutACommand) {
    document_.erase("allocate_data");
    document_["firmware_update_data"] = json::object();
    document_["provision_data"] = {{"skip", true}};
    document_["test_data"] = nullptr;
    run();
    EXPECT_THAT(phases_that_ran(), ElementsAre("setup", "reserve", "cleanup"));
    EXPECT_THAT(reporter_.reports, Contains("provision_log: 0 provision_success"));
}

TEST_F(JobRunnerTest, SetupAndCleanupNeedNoData) {
    document_ = {{"job_id", "j1"}};
    run();
    EXPECT_THAT(phases_that_ran(), ElementsAre("setup", "cleanup"));
}

TEST_F(JobRunnerTest, WithoutACleanupCommandItSucceeds) {
    command(Phase::cleanup) = "";
    run();
    EXPECT_THAT(reporter_.reports, Not(Contains("runs: cleanup")));
    EXPECT_EQ(reporter_.detail_of("cleanup_success"), "");
}

TEST_F(JobRunnerTest, AFailureEndsTheJobAndCleanupRuns) {
    for (const Phase phase :
         {Phase::setup, Phase::provision, Phase::firmware_update, Phase::allocate, Phase::reserve}) {
        reporter_ = FakeReporter();
        const std::string name(name_of(phase));
        const auto before = command(phase);
        command(phase) = "exit 7";
        const auto outcome = run();
        EXPECT_EQ(outcome.status.at(phase), 7);
        EXPECT_THAT(reporter_.reports, Contains("event: " + name + "_fail"));
        EXPECT_EQ(phases_that_ran().back(), "cleanup");
        EXPECT_EQ(*(phases_that_ran().end() - 2), name);
        EXPECT_EQ(reporter_.detail_of("job_end"), name + "_fail");
        EXPECT_FALSE(outcome.recovery_failed);
        command(phase) = before;
    }
    EXPECT_THAT(reporter_.reports, Contains("provision_log: 0 provision_success"));
}

TEST_F(JobRunnerTest, AFailedProvisionIsInItsLog) {
    command(Phase::provision) = "exit 1";
    run();
    EXPECT_THAT(reporter_.reports, Contains("provision_log: 1 provision_fail"));
}

TEST_F(JobRunnerTest, AfterAFailedTestTheJobGoesOn) {
    command(Phase::test) = "exit 3";
    const auto outcome = run();
    EXPECT_EQ(outcome.status.at(Phase::test), 3);
    EXPECT_THAT(phases_that_ran(),
                ElementsAre("setup", "provision", "firmware_update", "test", "allocate", "reserve", "cleanup"));
    EXPECT_EQ(reporter_.detail_of("job_end"), "normal_exit");
}

TEST_F(JobRunnerTest, AFailedCleanupIsReported) {
    command(Phase::cleanup) = "exit 5";
    const auto outcome = run();
    EXPECT_EQ(outcome.status.at(Phase::cleanup), 5);
    EXPECT_THAT(reporter_.reports, Contains("event: cleanup_fail"));
    EXPECT_EQ(reporter_.detail_of("job_end"), "normal_exit");
}

TEST_F(JobRunnerTest, AFailedCleanupIsTriedOnceMoreAndTheSecondResultCounts) {
    only({{Phase::cleanup, "echo serial >> cleanup-serial.log; [ -e again ] && exit 0; touch again; exit 5"}});
    const auto outcome = run();
    EXPECT_EQ(outcome.status.at(Phase::cleanup), 0);
    EXPECT_THAT(output(Phase::cleanup),
                StartsWith("\nWARNING: cleanup failed with exit code 5: running it once more\n"));
    EXPECT_EQ(reporter_.serials[Phase::cleanup], "serial\nserial\n");
    EXPECT_EQ(std::count(reporter_.reports.begin(), reporter_.reports.end(), "ran: cleanup 0"), 1);
    EXPECT_THAT(reporter_.reports, Not(Contains("ran: cleanup 5")));
    EXPECT_THAT(reporter_.reports, Contains("event: cleanup_success"));
    EXPECT_EQ(phases_that_ran(), std::vector<std::string>{"cleanup"});
}

TEST_F(JobRunnerTest, CleanupIsNotTriedAgainAfter46ATimeoutOrTheAgentsSecondStop) {
    config_.global_timeout = std::chrono::seconds(1);
    const std::string told_to_stop = "echo ready; exec sleep 999";
    for (const std::string& script : {std::string("exit 46"), std::string("exec sleep 1000"), told_to_stop}) {
        reporter_ = FakeReporter();
        only({{Phase::cleanup, "echo attempt; " + script}});
        if (script == told_to_stop) {
            when_printed(Phase::cleanup, "ready", [&] { runner_->stop_now(); });
        }
        EXPECT_NE(run().status.at(Phase::cleanup), 0);
        EXPECT_THAT(output(Phase::cleanup), StartsWith("attempt\n")) << script;
        EXPECT_THAT(output(Phase::cleanup), Not(HasSubstr("once more"))) << script;
    }
}

TEST_F(JobRunnerTest, AFailedCleanupTakesTheAgentOfflineIfSoConfigured) {
    only({{Phase::cleanup, "exit 5"}});
    EXPECT_EQ(run().offline_comment, "");
    config_.trebuchet.cleanup_failure = CleanupFailure::offline;
    EXPECT_EQ(run().offline_comment, "Set to offline by agent. Cleanup failed after job 'j1'.");
    EXPECT_THAT(reporter_.reports, Contains("in doubt: Set to offline by agent. Cleanup failed after job 'j1'."));
    only({{Phase::cleanup, "exit 0"}});
    EXPECT_EQ(run().offline_comment, "");
}

TEST_F(JobRunnerTest, AProcessThatCouldNotBeEndedIsNamedAndTakesTheAgentOffline) {
    only({{Phase::test, "true"}});
    const auto self = read_process_stat(::getpid());
    InterruptedJob interrupted;
    interrupted.entered = Phase::test;
    interrupted.survivors = {{::getpid(), self->start_time, 0, "sleep"}, {::getpid(), self->start_time + 1, 0, "gone"}};
    const auto outcome = resume(interrupted);
    EXPECT_THAT(reporter_.outputs[Phase::test], HasSubstr("ERROR: the agent could not end all processes"));
    EXPECT_THAT(outcome.offline_comment,
                StartsWith("Set to offline by agent. These processes of job 'j1' could not be ended and may still use "
                           "the device: " +
                           std::to_string(::getpid()) + " (user "));
    EXPECT_THAT(outcome.offline_comment, Not(HasSubstr(", " + std::to_string(::getpid()))));
}

TEST_F(JobRunnerTest, ExitCode46MeansThatTheDeviceIsLost) {
    for (const Phase phase : {Phase::setup, Phase::provision, Phase::test, Phase::reserve}) {
        reporter_ = FakeReporter();
        const auto before = command(phase);
        command(phase) = "exit 46";
        const auto outcome = run();
        EXPECT_TRUE(outcome.recovery_failed);
        const std::string name(name_of(phase));
        const auto at = std::find(reporter_.reports.begin(), reporter_.reports.end(), "ran: " + name + " 46");
        ASSERT_GE(reporter_.reports.end() - at, 4);
        EXPECT_EQ(at[1], "recovery_failed: Set to offline by agent. Recovery failed during job 'j1' execution.");
        EXPECT_EQ(at[2], "event: recovery_fail");
        EXPECT_EQ(phases_that_ran().back(), "cleanup");
        EXPECT_EQ(*(phases_that_ran().end() - 2), name);
        EXPECT_EQ(reporter_.detail_of("job_end"), "recovery_fail");
        if (phase == Phase::provision) {
            EXPECT_EQ(at[3], "provision_log: 46 recovery_fail");
        }
        command(phase) = before;
    }
}

TEST_F(JobRunnerTest, AFailuresDetailIsTheConnectorsErrorMasked) {
    with_secret("TOKEN", "s3cret-value");
    const json error{{"provision_exception_info",
                      {{"exception_name", "ProvisioningError"},
                       {"exception_message", "no image at s3cret-value"},
                       {"exception_cause", "OSError()"}}}};
    command(Phase::provision) = "echo '" + error.dump() + "' > device-connector-error.json; exit 1";
    run();
    EXPECT_EQ(
        reporter_.detail_of("provision_fail"),
        "ProvisioningError: no image at " + std::string(masks_->mask("s3cret-value").bytes()) + " caused by OSError()");
}

TEST_F(JobRunnerTest, TheSmallerGlobalTimeoutCounts) {
    only({{Phase::setup, "sleep 1000"}});
    config_.global_timeout = std::chrono::seconds(1);
    document_["global_timeout"] = 5000;
    run();
    EXPECT_EQ(reporter_.detail_of("global_timeout"), "ERROR: Global timeout reached! (1s)");
    EXPECT_EQ(reporter_.detail_of("setup_fail"), "");
    EXPECT_EQ(reporter_.detail_of("job_end"), "setup_fail");
}

TEST_F(JobRunnerTest, AnInterruptionIsToldBeforeTheFailure) {
    only({{Phase::test, "sleep 1000"}, {Phase::reserve, "echo reserved"}});
    document_["global_timeout"] = 0;
    run();
    const auto& reports = reporter_.reports;
    const auto at = std::find(reports.begin(), reports.end(), "ran: test 247");
    ASSERT_GE(reports.end() - at, 3);
    EXPECT_EQ(at[1], "event: global_timeout");
    EXPECT_EQ(at[2], "event: test_fail");
    EXPECT_EQ(output(Phase::reserve), "reserved\n");  // which has no global timeout
    EXPECT_EQ(reporter_.last_status.at(Phase::reserve), 0);
}

TEST_F(JobRunnerTest, TheOutputTimeoutIsTheTestsOnly) {
    only({{Phase::provision, "sleep 0.1; echo provisioned"}, {Phase::test, "sleep 1000"}});
    document_["output_timeout"] = 0;
    run();
    EXPECT_EQ(output(Phase::provision), "provisioned\n");
    EXPECT_EQ(reporter_.detail_of("output_timeout"), "ERROR: Output timeout reached! (0s)");
    EXPECT_EQ(reporter_.detail_of("job_end"), "normal_exit");
}

TEST_F(JobRunnerTest, AJobCancelledBeforeItsFirstPhaseIsOnlyCleanedUp) {
    reporter_.cancelled = true;
    const auto outcome = run();
    EXPECT_TRUE(outcome.cancelled);
    EXPECT_THAT(reporter_.reports,
                ElementsAre("job_taken: j1", "event: cancelled", "event: cleanup_start", "runs: cleanup",
                            "ran: cleanup 0", "event: cleanup_success", "event: job_end", "finished: cancelled"));
    EXPECT_EQ(reporter_.detail_of("cancelled"), "");
    EXPECT_EQ(reporter_.detail_of("job_end"), "normal_exit");
}

TEST_F(JobRunnerTest, AJobCancelledBetweenPhasesEndsThere) {
    when("ran: provision 0", [&] { reporter_.cancelled = true; });
    EXPECT_TRUE(run().cancelled);
    EXPECT_THAT(phases_that_ran(), ElementsAre("setup", "provision", "cleanup"));
}

TEST_F(JobRunnerTest, AJobCancelledInATestEndsThere) {
    command(Phase::test) = "echo ready; sleep 1000";
    when_printed(Phase::test, "ready", [&] { reporter_.cancel_handler(); });
    const auto outcome = run();
    EXPECT_TRUE(outcome.cancelled);
    EXPECT_EQ(outcome.status.at(Phase::test), 247);
    EXPECT_EQ(reporter_.detail_of("cancelled"), "Job cancellation was requested, exiting.");
    EXPECT_THAT(phases_that_ran(), ElementsAre("setup", "provision", "firmware_update", "test", "cleanup"));
    EXPECT_EQ(reporter_.reports.back(), "finished: cancelled");
}

TEST_F(JobRunnerTest, ACancellationThatComesDuringCleanupIsKept) {
    when("runs: cleanup", [&] { reporter_.cancelled = true; });
    EXPECT_TRUE(run().cancelled);
    EXPECT_EQ(reporter_.reports.back(), "finished: cancelled");
}

TEST_F(JobRunnerTest, ProvisionAndCleanupAreNotCancelled) {
    std::map<std::string, bool> watched;
    reporter_.on_report = [&](const std::string& line) {
        if (line.starts_with("output: ")) watched[line.substr(8)] = reporter_.cancel_handler != nullptr;
    };
    run();
    EXPECT_THAT(watched,
                ElementsAre(Pair("allocate", true), Pair("cleanup", false), Pair("firmware_update", true),
                            Pair("provision", false), Pair("reserve", true), Pair("setup", true), Pair("test", true)));
}

TEST_F(JobRunnerTest, TheAgentsStopEndsThePhaseAndLeavesAllButCleanupOut) {
    command(Phase::provision) = "echo ready; sleep 1000";
    when_printed(Phase::provision, "ready", [&] { runner_->stop(); });
    const auto outcome = run();
    EXPECT_TRUE(outcome.stopped);
    EXPECT_FALSE(outcome.cancelled);
    EXPECT_EQ(outcome.status.at(Phase::provision), 247);
    EXPECT_THAT(phases_that_ran(), ElementsAre("setup", "provision", "cleanup"));
    EXPECT_EQ(reporter_.reports.back(), "finished");
    expect_nothing_left();
}

TEST_F(JobRunnerTest, TheAgentsStopBetweenPhasesCountsToo) {
    when("ran: setup 0", [&] { runner_->stop(); });
    EXPECT_TRUE(run().stopped);
    EXPECT_THAT(phases_that_ran(), ElementsAre("setup", "cleanup"));
}

TEST_F(JobRunnerTest, CleanupIsNotStopped) {
    command(Phase::cleanup) = "echo ready; sleep 0.1; echo clean";
    when_printed(Phase::cleanup, "ready", [&] { runner_->stop(); });
    EXPECT_EQ(run().status.at(Phase::cleanup), 0);
    EXPECT_EQ(output(Phase::cleanup), "ready\nclean\n");
}

TEST_F(JobRunnerTest, CleanupRunsWhateverAPhaseDidToTheFolder) {
    for (const auto* mischief :
         {"rm -rf \"$PWD\"", "rm -f testflinger.json; mkdir testflinger.json", "mkdir testflinger.json.new cleanup.log",
          "here=$PWD; cd ..; rm -rf \"$here\"; ln -s /nonexistent \"$here\"", "chmod 000 .", "mkfifo cleanup.log"}) {
        reporter_ = FakeReporter();
        only({{Phase::test, mischief}, {Phase::cleanup, "cat testflinger.json; pwd"}});
        run();
        EXPECT_THAT(output(Phase::cleanup), HasSubstr("\"job_id\":\"j1\"")) << mischief;
        EXPECT_THAT(output(Phase::cleanup), EndsWith("/run/j1\n")) << mischief;
        expect_nothing_left();
    }
}

TEST_F(JobRunnerTest, ThePhasesLogIsUploadedBeforeItsExitCodeIsPosted) {
    only({{Phase::test, "exit 3"}});
    run();
    const auto at = std::find(reporter_.calls.begin(), reporter_.calls.end(), "ran: test 3");
    ASSERT_GE(reporter_.calls.end() - at, 3);
    EXPECT_EQ(at[1], "log uploaded");
    EXPECT_EQ(at[2], "status posted");
}

TEST_F(JobRunnerTest, WithoutARunFolderTheJobFailsInItsSetup) {
    folder_.write("file", "x");
    config_.execution_basedir = folder_ / "file";
    const auto outcome = run();
    EXPECT_EQ(outcome.status, PhaseStatus({{Phase::setup, 100}}));
    EXPECT_THAT(reporter_.reports, ElementsAre("job_taken: j1", "ran: setup 100", "event: job_end", "finished"));
    EXPECT_EQ(reporter_.detail_of("job_end"), "setup_fail");
    EXPECT_THAT(reporter_.outputs[Phase::setup], StartsWith("ERROR: the job cannot run: "));
}

TEST_F(JobRunnerTest, SecretsReachTheirPhasesAndNoOutput) {
    with_secret("TOKEN", "s3cret-value");
    with_secret("VOID", "");
    const std::string show = "echo \"${TOKEN-unset} ${VOID-unset}\"";
    only({{Phase::setup, show},
          {Phase::provision, show},
          {Phase::test, show + "; printf '%s' \"$TOKEN\" | wc -c"},
          {Phase::cleanup, show}});
    run();
    const std::string mask(masks_->mask("s3cret-value").bytes());
    EXPECT_EQ(output(Phase::setup), "unset unset\n");
    const std::string note =
        "WARNING: the secret VOID arrived empty: it does not exist at the server, has expired, or is not yours\n";
    EXPECT_EQ(output(Phase::provision), note + mask + " \n");
    EXPECT_EQ(output(Phase::test), note + mask + " \n12\n");
    EXPECT_EQ(output(Phase::cleanup), "unset unset\n");
}

TEST_F(JobRunnerTest, TheJobFileHoldsSecretsOnlyInMemoryAndOnlyForPhasesThatGetThem) {
    with_secret("TOKEN", "s3cret-value");
    const std::string look = "readlink testflinger.json || echo a file; grep -c '\"secrets\"' testflinger.json; true";
    only({{Phase::setup, look}, {Phase::test, look}, {Phase::cleanup, look}});
    run();
    EXPECT_EQ(output(Phase::setup), "a file\n0\n");
    EXPECT_EQ(output(Phase::test), (folder_ / "secret/j1/testflinger.json").string() + "\n1\n");
    EXPECT_EQ(output(Phase::cleanup), "a file\n0\n");
    expect_nothing_left();
}

TEST_F(JobRunnerTest, TheJobFileNeverHoldsSecretsIfSoConfigured) {
    with_secret("TOKEN", "s3cret-value");
    config_.trebuchet.job_file_secrets = JobFileSecrets::none;
    only({{Phase::test, "readlink testflinger.json || echo a file; grep -c secrets testflinger.json; echo $TOKEN"}});
    run();
    EXPECT_EQ(output(Phase::test), "a file\n0\n" + std::string(masks_->mask("s3cret-value").bytes()) + "\n");
}

TEST_F(JobRunnerTest, TheOutcomeSoFarStandsInTheRunFolder) {
    only({{Phase::provision, "true"}, {Phase::test, "cat testflinger-outcome.json"}});
    run();
    EXPECT_EQ(output(Phase::test), R"({"status":{"provision":0}})");
}

TEST_F(JobRunnerTest, EarlierPhaseLogsStandInTheRunFolder) {
    only({{Phase::setup, "echo hello"}, {Phase::test, "tail -n 1 setup.log"}});
    run();
    EXPECT_EQ(output(Phase::test), "hello\n");
}

TEST_F(JobRunnerTest, DeviceInfoIsSentMaskedWheneverItChanged) {
    with_secret("TOKEN", "s3cret-value");
    const auto write = [](const std::string& info) {
        return "echo '{\"device_info\": " + info + "}' > device-info.json";
    };
    only({{Phase::provision, write(R"({"ip": "10.0.0.1", "url": "http://s3cret-value@x"})")},
          {Phase::firmware_update, "true"},
          {Phase::test, write(R"({"ip": "10.0.0.2"})")},
          {Phase::cleanup, "true"}});
    run();
    EXPECT_THAT(reporter_.device_infos,
                ElementsAre(json{{"ip", "10.0.0.1"},
                                 {"url", "http://" + std::string(masks_->mask("s3cret-value").bytes()) + "@x"}},
                            json{{"ip", "10.0.0.2"}}));
}

TEST_F(JobRunnerTest, HostileDeviceInfoStopsNothing) {
    only({{Phase::provision, "mkfifo device-info.json"},
          {Phase::firmware_update, "rm device-info.json; ln -s /etc/passwd device-info.json"},
          {Phase::test, "rm device-info.json; truncate -s 10G device-info.json"},
          {Phase::cleanup, "echo clean"}});
    run();
    EXPECT_THAT(reporter_.device_infos, IsEmpty());
    EXPECT_EQ(output(Phase::cleanup), "clean\n");
}

TEST_F(JobRunnerTest, ASerialLogIsSentMaskedAfterItsPhase) {
    with_secret("TOKEN", "s3cret-value");
    only({{Phase::provision, "echo \"boot $TOKEN\" > provision-serial.log"},
          {Phase::test, "ln -s /etc/passwd test-serial.log"}});
    run();
    EXPECT_THAT(
        reporter_.serials,
        ElementsAre(Pair(Phase::provision, "boot " + std::string(masks_->mask("s3cret-value").bytes()) + "\n")));
}

TEST_F(JobRunnerTest, ArtifactsAreSentMaskedAfterCleanup) {
    with_secret("TOKEN", "s3cret-value");
    only({{Phase::test, "mkdir artifacts; echo \"token $TOKEN\" > artifacts/log; mkdir artifacts.tar.gz"},
          {Phase::cleanup, "echo clean > artifacts/more"}});
    std::string listing;
    reporter_.on_artifacts = [&](const fs::path& archive) { fs::copy_file(archive, folder_ / "copy.tar.gz"); };
    run();
    const auto& reports = reporter_.reports;
    EXPECT_THAT(std::vector<std::string>(reports.end() - 3, reports.end()),
                ElementsAre("event: secrets_masked", "artifacts", "finished"));
    const auto& calls = reporter_.calls;
    EXPECT_THAT(std::vector<std::string>(calls.end() - 4, calls.end()),
                ElementsAre("artifacts packed", "artifacts", "job finished", "finished"));
    const auto unpack = "cd '" + folder_.path().string() + "' && tar xzf copy.tar.gz";
    ASSERT_EQ(::system(unpack.c_str()), 0);
    EXPECT_EQ(text_of(folder_ / "artifacts/log"), "token " + std::string(masks_->mask("s3cret-value").bytes()) + "\n");
    EXPECT_EQ(text_of(folder_ / "artifacts/more"), "clean\n");
}

TEST_F(JobRunnerTest, TheLogEndsWithWhatWasMaskedAndAnEventSaysIt) {
    with_secret("TOKEN", "s3cret-value");
    only({{Phase::provision,
           "echo $TOKEN; echo $TOKEN > provision-serial.log;"
           R"(printf '{"device_info": {"a": "%s"}}' "$TOKEN" > )"
           "device-info.json"},
          {Phase::test, "printf $TOKEN | base64; mkdir artifacts; echo $TOKEN > artifacts/$TOKEN"},
          {Phase::cleanup, "echo clean"}});
    run();
    const std::string lines =
        "provision: TOKEN (as it is): 1 time\n"
        "provision serial log: TOKEN (as it is): 1 time\n"
        "device info: TOKEN (as it is): 1 time\n"
        "test: TOKEN (base64): 1 time\n"
        "artifacts: TOKEN (as it is): 2 times\n";
    EXPECT_EQ(output(Phase::cleanup), "clean\n");
    EXPECT_EQ(masked_in(Phase::cleanup), lines);
    EXPECT_EQ(reporter_.detail_of("secrets_masked"), lines);
}

TEST_F(JobRunnerTest, AJobThatMaskedNothingHasNoLineOnIt) {
    with_secret("TOKEN", "s3cret-value");
    run();
    EXPECT_EQ(masked_in(Phase::cleanup), "");
    EXPECT_EQ(reporter_.detail_of("secrets_masked"), "none");
}

TEST_F(JobRunnerTest, ArtifactsWithASecretAreRefusedIfSoConfigured) {
    with_secret("TOKEN", "s3cret-value");
    config_.trebuchet.artifacts_masking = ArtifactsMasking::fail;
    only({{Phase::test, "mkdir artifacts; echo fine > artifacts/fine; echo $TOKEN > artifacts/log"}});
    run();
    EXPECT_THAT(reporter_.reports, Not(Contains("artifacts")));
    EXPECT_THAT(output(Phase::test), HasSubstr("ERROR: none of the artifacts is sent"));
    EXPECT_THAT(output(Phase::test), HasSubstr("artifacts/log\" is withheld: it contains a secret: TOKEN (as it is)"));
    EXPECT_THAT(reporter_.detail_of("artifacts_refused"), HasSubstr("artifacts/log"));
    EXPECT_EQ(masked_in(Phase::test), "artifacts: TOKEN (as it is): 1 time\n");
}

TEST_F(JobRunnerTest, AFailureOfMaskingEndsThePhaseAndTheJobButNotCleanup) {
    with_secret("TOKEN", "s3cret-value");
    only({{Phase::firmware_update, "echo first; sleep 1000"},
          {Phase::test, "echo test"},
          {Phase::cleanup, "echo clean"}});
    reporter_.on_report = [failed = false](const std::string& line) mutable {
        if (line == "output: firmware_update" && !std::exchange(failed, true)) throw std::bad_alloc();
    };
    const auto outcome = run();
    EXPECT_THAT(phases_that_ran(), ElementsAre("firmware_update", "cleanup"));
    EXPECT_EQ(outcome.status.at(Phase::firmware_update), 247);
    EXPECT_THAT(reporter_.outputs[Phase::firmware_update], HasSubstr("ERROR: secrets cannot be masked any more"));
    EXPECT_THAT(reporter_.detail_of("masking_failed"), HasSubstr("secrets cannot be masked"));
    EXPECT_EQ(output(Phase::cleanup), "clean\n");
}

TEST_F(JobRunnerTest, ASerialLogThatCanNotBeMaskedIsLeftOut) {
    only({{Phase::test, "echo boot > test-serial.log"}, {Phase::cleanup, "echo clean"}});
    reporter_.on_report = [](const std::string& line) {
        if (line == "serial: test") throw std::bad_alloc();
    };
    run();
    EXPECT_THAT(output(Phase::test), HasSubstr("cannot be masked any more: its serial log is left out"));
    EXPECT_EQ(output(Phase::cleanup), "clean\n");
}

TEST_F(JobRunnerTest, ArtifactsThatAreNoFolderAreNotSent) {
    only({{Phase::test, "ln -s /etc artifacts"}});
    run();
    EXPECT_THAT(reporter_.reports, Not(Contains("artifacts")));
}

TEST_F(JobRunnerTest, WhatPhasesLeftRunningIsEndedBeforeTheArtifactsAreSent) {
    only({{Phase::test, "mkdir artifacts; sleep 1000 > /dev/null 2>&1 & echo child=$!"}});
    int alive = 0;
    reporter_.on_artifacts = [&](const fs::path&) { alive = ::kill(std::stoi(output(Phase::test).substr(6)), 0); };
    run();
    EXPECT_EQ(alive, -1);
}

TEST_F(JobRunnerTest, ACommandThatPrintsNoTextIsReportedByteForByte) {
    only({{Phase::test, "printf 'a\\000b\\377\\n'"}});
    run();
    EXPECT_EQ(output(Phase::test), std::string("a\0b\xFF\n", 5));
}

/// The console's command prints each line that is written into the FIFO `console`.
class ConsoleOfAJob : public JobRunnerTest {
  protected:
    ConsoleOfAJob() {
        config_.trebuchet.console_command =
            "mkfifo console; echo $$ > console.pid; exec 3<>console; "
            "while read -r line <&3; do echo \"$line\"; test \"$line\" != bye || exit 0; done";
        reporter_.on_report = [this](const std::string& what) {
            if (what.starts_with("serial: "))
                ::close(::open((run_folder() / ("seen-" + what.substr(8))).c_str(), O_CREAT, 0600));
        };
    }
    [[nodiscard]] fs::path run_folder() const { return folder_ / "run" / job_.id; }
    /// A phase's command: the device prints `text`, and the phase waits until that is logged.
    static std::string print(const std::string& phase, const std::string& text) {
        return "until test -p console; do sleep 0.01; done; echo " + text + " > console; " + "until test -e seen-" +
               phase + "; do sleep 0.01; done";
    }
};

TEST_F(ConsoleOfAJob, IsTheMaskedSerialLogOfThePhaseThatRuns) {
    with_secret("TOKEN", "s3cret-value");
    only({{Phase::provision, print("provision", "login: s3cret-value")},
          {Phase::test, print("test", "tested") + "; cp console.pid ..; echo \"reader: $TREBUCHET_CONSOLE\""},
          {Phase::cleanup, print("cleanup", "off")}});
    run();
    EXPECT_EQ(reporter_.serials[Phase::provision],
              "login: " + std::string(masks_->mask("s3cret-value").bytes()) + "\n");
    EXPECT_EQ(reporter_.serials[Phase::test], "tested\n");
    EXPECT_EQ(reporter_.serials[Phase::cleanup], "off\n");
    EXPECT_THAT(output(Phase::test), HasSubstr("reader: agent\n"));
    EXPECT_THAT(output(Phase::test), Not(HasSubstr("tested")));
    EXPECT_NE(::kill(std::stoi(text_of(folder_ / "run/console.pid")), 0), 0) << "it ends with the job";
}

TEST_F(ConsoleOfAJob, IsStartedAgainWhenItEnds) {
    config_.trebuchet.console_command = "echo x >> ../starts; echo hello";
    only({{Phase::test, "until test $(wc -l < ../starts) -ge 2; do sleep 0.05; done"}});
    run();
    EXPECT_EQ(reporter_.serials[Phase::test].substr(0, 12), "hello\nhello\n");
}

TEST_F(ConsoleOfAJob, EndsWithTheMasks) {
    only({{Phase::test,
           "until test -s console.pid; do sleep 0.01; done; echo one > console; "
           "while kill -0 $(cat console.pid) 2>/dev/null; do sleep 0.01; done"}});
    reporter_.on_report = [](const std::string& what) {
        if (what.starts_with("serial: ")) throw std::bad_alloc();
    };
    run();
    EXPECT_EQ(reporter_.last_status.at(Phase::test), 0);
}

}  // namespace
}  // namespace trebuchet
