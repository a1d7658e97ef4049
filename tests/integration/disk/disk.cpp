#include "tests/integration/disk/disk.hpp"

#include "tests/integration/disk/disk_fault.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace trebuchet::harness {

DiskTest::DiskTest() {
    agent.set_environment("LD_PRELOAD", TREBUCHET_DISK_FAULT);
    agent.set_environment(disk_fault_folder, agent.folder().path());
    agent.set_environment(disk_fault_order, folder / "order");
}

void DiskTest::refuse(int error, int from, const std::string& calls) {
    const auto order = folder.write("order.new", std::to_string(error) + " " + std::to_string(from) + " " + calls);
    std::filesystem::rename(order, folder / "order");
}

void DiskTest::relent() {
    std::filesystem::remove(folder / "order");
}

void DiskTest::run_job_while(int error, int from, const std::string& calls) {
    agent.start();
    ASSERT_TRUE(agent.is_ready()) << agent.log();
    refuse(error, from, calls);
    const auto id = whole.post();
    const auto is_held_back = [&] {
        return server.agent(agent_id).value("comment", "").find("No jobs are taken") != std::string::npos;
    };
    ASSERT_TRUE(eventually([&] { return server.job_state(id) == "complete" || is_held_back(); })) << agent.log();
    relent();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    for (const std::string phase : WholeJob::phases) expect_output_or_error(id, phase);
    const auto next = whole.post();
    ASSERT_TRUE(server.reaches(next, "complete")) << agent.log();
    EXPECT_EQ(server.result(next)["test_status"], 0) << server.result(next);
    EXPECT_TRUE(server.agent_is(agent_id, "waiting"));
    EXPECT_TRUE(agent.program().is_running());
    EXPECT_THAT(everything_in(agent.runs()), ::testing::IsEmpty());
}

void DiskTest::expect_output_or_error(const std::string& job_id, const std::string& phase) {
    const auto text = WholeJob::plain(server.log(job_id, phase));
    const auto status = server.result(job_id).value(phase + "_status", -1);
    if (status == -1) {
        EXPECT_EQ(text, "") << phase;
    } else if (status == 0) {
        const auto whole_output = WholeJob::banner(phase) + WholeJob::output_of(phase);
        const auto refusal = text.substr(0, text.size() - std::min(text.size(), whole_output.size()));
        EXPECT_EQ(text, refusal + whole_output) << phase;
        EXPECT_TRUE(refusal.empty() || refusal.find("ERROR: the run folder cannot be used") == 0) << refusal;
        EXPECT_TRUE(refusal.empty() || phase == "cleanup") << refusal;
    } else {
        EXPECT_THAT(text, ::testing::HasSubstr("ERROR: ")) << phase << " ended with " << status << "\n" << agent.log();
    }
}

TEST_P(DiskFullFrom, SomeMomentOnLosesNoLogAndNeedsNoRestart) {
    run_job_while(ENOSPC, GetParam());
}

}  // namespace trebuchet::harness
