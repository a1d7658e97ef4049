#include "tests/integration/crash/crash_matrix.hpp"

#include "agent/job/job_step.hpp"
#include "common/mask/mask_set.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <regex>
#include <utility>

namespace trebuchet::harness {
namespace {

using std::chrono::milliseconds;

constexpr const char* interrupted = "ERROR: the agent was interrupted (crash or power cut)";

/// The only step at which a crash loses the job: it is no longer in the server's queue, and not yet on disk.
constexpr const char* lost_step = "job arrived";

Json fault(const std::string& what, const std::string& method, const std::string& target, int count,
           const Json& value = nullptr) {
    Json whole{{"what", what}, {"method", method}, {"target", target}, {"count", count}};
    if (!value.is_null()) whole["value"] = value;
    return whole;
}

constexpr std::size_t turns = 12;

/// The server's faults, a different set for each crash.
std::vector<Json> faults_of_turn(std::size_t turn) {
    const std::string logs = "/v1/result/*/log/*";
    const std::string results = "/v1/result/*";
    const std::string agents = "/v1/agents/data/*";
    switch (turn % turns) {
        case 1:
            return {fault("lose-answer", "POST", logs, 3), fault("lose-answer", "POST", results, 2)};
        case 2:
            return {fault("status", "POST", logs, 4, 503), fault("status", "GET", results, 2, 500)};
        case 3:
            return {fault("interim", "POST", logs, 3), fault("interim", "GET", "/v1/job", 1)};
        case 4:
            return {fault("close", "POST", logs, 2), fault("close-unread", "POST", results, 2)};
        case 5:
            return {fault("delay", "POST", logs, 2, 700), fault("delay", "POST", results, 2, 300)};
        case 6:
            return {fault("refuse", "POST", logs, 1, 400)};
        case 7:
            return {fault("lose-answer", "POST", "/v1/result/*/artifact", 1), fault("truncate", "GET", results, 2)};
        case 8:
            return {fault("status", "GET", "/v1/job", 1, 503), fault("close", "GET", agents, 1),
                    fault("garbage", "POST", results, 1)};
        case 9:
            return {fault("interim-only", "POST", logs, 2), fault("slow", "POST", results, 1, 3)};
        case 10:
            return {fault("expired-token", "POST", results, 2), fault("rotated-key", "POST", logs, 1)};
        case 11:
            return {fault("restart", "POST", logs, 1, 200), fault("lose-answer", "POST", agents, 2)};
        default:
            return {};
    }
}

std::string plain(std::string_view name) {
    std::string word;
    bool upper = true;
    for (const char c : name) {
        if (c == ' ') {
            upper = true;
        } else {
            word += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
            upper = false;
        }
    }
    return word;
}

/// Splits a log at the lines that report an interruption. The first such line starts a new line.
std::vector<std::string> without_interruptions(std::string text) {
    std::vector<std::string> pieces;
    for (auto at = text.find(interrupted); at != std::string::npos; at = text.find(interrupted)) {
        const bool was_running = text.substr(at, text.find('\n', at) - at).find("phase ran") != std::string::npos;
        const auto end = was_running && at > 0 && text[at - 1] == '\n' ? at - 1 : at;
        pieces.push_back(text.substr(0, end));
        text.erase(0, text.find('\n', at) + 1);
    }
    pieces.push_back(text);
    return pieces;
}

bool is_prefix(std::string_view part, std::string_view whole) {
    return whole.substr(0, part.size()) == part;
}

}  // namespace

std::string name_of_crash(const ::testing::TestParamInfo<Crash>& instance) {
    return instance.param.name;
}

std::vector<Crash> crashes_at_steps(std::size_t each) {
    // For a step of each phase: the test phase's. For a step that is reached a hundred times: one in the middle.
    const std::map<std::string_view, int> nth{
        {"phase is next", 4},     {"job state posted", 4},  {"agent state posted", 4},   {"event posted", 9},
        {"job file linked", 3},   {"phase log opened", 3},  {"starting the command", 3}, {"command started", 3},
        {"output arrived", 8},    {"output logged", 12},    {"command ended", 3},        {"phase log complete", 3},
        {"job file hidden", 3},   {"serial log queued", 3}, {"exit code written", 3},    {"log flushed", 3},
        {"exit codes posted", 3}, {"fragment built", 3},    {"fragment answered", 4},    {"fragment confirmed", 3}};
    std::vector<Crash> all;
    for (std::size_t i = 0; i < job_steps.size(); i += each) {
        const std::string step(job_steps.at(i));
        if (step == lost_step) continue;
        const auto turn = nth.find(step);
        Crash crash{plain(step), turn == nth.end() ? step : step + ":" + std::to_string(turn->second)};
        crash.faults = faults_of_turn(i / each);
        crash.outage = std::array{Outage::none, Outage::none, Outage::between, Outage::after}.at((i / each) % 4);
        all.push_back(std::move(crash));
    }
    return all;
}

std::vector<Crash> crashes_of_recovery(std::size_t each) {
    std::vector<std::string> points(recovery_steps.begin(), recovery_steps.end());
    points.insert(points.end(), {"output logged", "fragment built", "fragment confirmed", "exit codes posted",
                                 "event posted", "starting cleanup", "command started", "cleanup done",
                                 "packing artifacts", "artifacts packed", "artifacts posted", "run folder removed",
                                 "outcome decided", "outcome posted", "job folder removed"});
    std::vector<Crash> all;
    for (std::size_t i = 0; i < points.size(); i += each) {
        Crash crash{plain(points[i]), "command ended:3"};
        crash.recovery_point = points[i];
        crash.faults = faults_of_turn(i / each);
        if ((i / each) % 4 == 3) crash.outage = Outage::between;
        all.push_back(std::move(crash));
    }
    return all;
}

std::vector<Crash> crashes_at_random(std::size_t count) {
    std::mt19937 random(20261121);  // NOLINT(*-msc51-cpp): repeatable
    std::uniform_int_distribution<int> times(0, 1500);
    std::vector<Crash> all;
    for (std::size_t i = 0; i < count; ++i) {
        const milliseconds after(times(random));
        Crash crash{"After" + std::to_string(after.count()) + "MsTurn" + std::to_string(i), "", after};
        crash.faults = faults_of_turn(i);
        crash.outage = std::array{Outage::none, Outage::between, Outage::none, Outage::after, Outage::before}.at(i % 5);
        all.push_back(std::move(crash));
    }
    return all;
}

CrashMatrix::CrashMatrix() {
    agent.fail_at("");
    for (const auto& wrong : GetParam().faults) server.add_fault(wrong);
}

void CrashMatrix::crash(const std::string& job_id) {
    const auto& how = GetParam();
    agent.fail_at(how.point);
    agent.start();
    if (how.point.empty()) {
        ASSERT_TRUE(in_spite_of_faults([&] { return server.job_state(job_id) != "waiting"; })) << agent.log();
        kill_in_time();
    }
    ASSERT_EQ(agent.program().wait().code, -SIGKILL) << agent.log();
    EXPECT_TRUE(eventually([&] { return whole.processes().empty(); })) << "processes of a phase outlive the agent";
    note_phase_logs(job_id);
    expect_no_secret_in({agent.state(), agent.logs(), agent.results()});
    if (how.outage == Outage::between) server.kill_and_start_again();
    if (how.outage == Outage::after) server.kill();
    if (!how.recovery_point.empty()) {
        agent.fail_at(how.recovery_point);
        agent.start();
        ASSERT_EQ(agent.program().wait().code, -SIGKILL) << agent.log();
        expect_no_secret_in({agent.state(), agent.logs(), agent.results()});
    }
    agent.fail_at("");
    agent.start();
    if (how.outage != Outage::after && how.outage != Outage::before) return;
    EXPECT_TRUE(eventually([&] {
        return agent.program().out().find(" cannot ") != std::string::npos ||
               agent.program().err().find(" cannot ") != std::string::npos;
    })) << agent.log();
    server.start();
}

void CrashMatrix::kill_in_time() {
    const auto& how = GetParam();
    const auto pause = [](milliseconds time) { static_cast<void>(eventually([] { return false; }, time)); };
    pause(how.after / 2);
    if (how.outage == Outage::before) server.kill();
    pause(how.after / 2);
    agent.program().signal(SIGKILL);
}

void CrashMatrix::note_phase_logs(const std::string& job_id) {
    for (const std::string phase : WholeJob::phases) {
        phase_logs_[phase] = without_masks(text_of(agent.runs() / job_id / (phase + ".log")));
    }
}

void CrashMatrix::expect_made_good(const std::string& job_id) {
    ASSERT_TRUE(in_spite_of_faults([&] { return server.job_state(job_id) == "complete"; })) << agent.log();
    ASSERT_TRUE(in_spite_of_faults([&] {
        const auto known = server.agent(agent_id);
        return known.value("job_id", "") == "" && known.value("state", "") == "waiting";
    })) << agent.log();
    ASSERT_TRUE(in_spite_of_faults([&] { return server.control("DELETE", "/faults").is_array(); }));
    for (const std::string phase : WholeJob::phases) expect_output(job_id, phase);
    const auto result = server.result(job_id);
    if (server.log(job_id, "test").find(interrupted) == std::string::npos && result.value("test_status", -1) == 0) {
        EXPECT_EQ(without_masks(Json(server.artifacts(job_id)).dump()), R"({"artifacts/report":"kept <mask>\n"})");
    }
    EXPECT_EQ(whole.processes(), std::vector<pid_t>()) << agent.log();
    EXPECT_THAT(everything_in(agent.runs()), ::testing::IsEmpty());
    expect_no_secret_in({agent.folder().path(), agent.secrets()});
}

void CrashMatrix::expect_output(const std::string& job_id, const std::string& phase) {
    const auto status = server.result(job_id).value(phase + "_status", -1);
    const auto text = without_masks(server.log(job_id, phase));
    const auto serial = without_masks(server.log(job_id, phase, "serial"));
    const auto whole_output = WholeJob::banner(phase) + WholeJob::output_of(phase);
    const auto pieces = without_interruptions(text);
    EXPECT_TRUE(is_prefix(phase_logs_[phase], text)) << phase_logs_[phase] << "\nis not the start of\n" << text;
    const auto said = "log of " + phase + ":\n" + text + "\nserial log:\n" + serial + "\n" + agent.log();
    if (phase == "cleanup") {  // cleanup is repeated from its start
        EXPECT_EQ(pieces.back(), whole_output) << said;
        EXPECT_EQ(status, 0) << said;
        EXPECT_TRUE(serial.ends_with(WholeJob::serial())) << said;
    } else if (pieces.size() == 1) {
        EXPECT_EQ(status, text.empty() ? -1 : 0) << said;
        EXPECT_EQ(text, text.empty() ? "" : whole_output) << said;
        EXPECT_EQ(serial, text.empty() ? "" : WholeJob::serial()) << said;
    } else {
        EXPECT_EQ(status, 247) << said;
        EXPECT_THAT(std::vector(pieces.begin() + 1, pieces.end()), ::testing::Each("")) << said;
        EXPECT_TRUE(is_prefix(serial, WholeJob::serial())) << said;
    }
    for (const auto& piece : pieces) EXPECT_TRUE(is_prefix(piece, whole_output)) << said;
}

std::string CrashMatrix::without_masks(const std::string& text) {
    static const std::regex mask("\\*\\*[0-9a-f]{6}\\*\\*");
    std::smatch found;
    auto rest = text;
    while (std::regex_search(rest, found, mask)) {
        if (mask_.empty()) mask_ = found[0];
        EXPECT_EQ(found[0], mask_) << "all masks of a job must be equal";
        rest = found.suffix().str();
    }
    return WholeJob::plain(text);
}

void CrashMatrix::expect_no_secret_in(const std::vector<std::filesystem::path>& folders) const {
    std::vector<NamedSecret> values;
    values.push_back({"TOKEN", SecretString(WholeJob::secret)});
    const auto set = MaskSet::build(std::move(values));
    ASSERT_TRUE(set) << set.error().message();
    for (const auto& place : folders) {
        for (const auto& file : everything_in(place)) {
            EXPECT_EQ((*set)->mask(file.string()).bytes(), file.string()) << "a file name contains a secret";
            std::error_code error;
            if (!std::filesystem::is_regular_file(std::filesystem::symlink_status(file, error))) continue;
            const auto bytes = text_of(file);
            EXPECT_EQ((*set)->mask(bytes).bytes(), bytes) << file << " contains a secret";
        }
    }
}

TEST_P(CrashMatrix, LosesNothingDoublesNothingAndLeavesNothing) {
    const auto id = whole.post();
    crash(id);
    if (HasFatalFailure()) return;
    expect_made_good(id);
    if (HasFatalFailure()) return;
    const auto next = whole.post();
    ASSERT_TRUE(server.reaches(next, "complete")) << agent.log();
    EXPECT_EQ(server.result(next)["cleanup_status"], 0);
    EXPECT_THAT(server.log(next, "test"), ::testing::HasSubstr("test 39\n"));
}

}  // namespace trebuchet::harness
