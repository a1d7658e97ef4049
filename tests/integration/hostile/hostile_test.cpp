#include "tests/integration/harness/lab_test.hpp"
#include "tests/integration/hostile/attack.hpp"

#include <csignal>
#include <fstream>
#include <regex>
#include <sstream>

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet::harness {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::size_t process_limit = 150;

/// A spare user of a test that runs beside others.
uid_t spare_user() {
    return 300'000 + 2 * (static_cast<uid_t>(::getpid()) % 100'000);
}

/// A cgroup that is handed over to a user, as systemd does it with Delegate=yes.
class DelegatedCgroup {
  public:
    explicit DelegatedCgroup(uid_t user) {
        for (const fs::path mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
            const auto group = mount / ("trebuchet-hostile-" + std::to_string(::getpid()));
            if (!fs::exists(mount / "cgroup.procs") || ::mkdir(group.c_str(), 0755) != 0) continue;
            path_ = group;
            for (const auto* file : {"", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"}) {
                if (::chown((group / file).c_str(), user, user) != 0) path_.clear();
            }
            return;
        }
    }
    ~DelegatedCgroup() {
        if (path_.empty()) return;
        std::ofstream(path_ / "cgroup.kill") << "1";
        static_cast<void>(eventually([&] { return remove(path_); }, std::chrono::seconds(5)));
    }
    DelegatedCgroup(const DelegatedCgroup&) = delete;
    DelegatedCgroup& operator=(const DelegatedCgroup&) = delete;

    [[nodiscard]] const fs::path& path() const { return path_; }
    /// Groups that the agent has left in it.
    [[nodiscard]] std::vector<std::string> groups() const {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator(path_)) {
            if (entry.is_directory()) found.push_back(entry.path().filename());
        }
        return found;
    }

  private:
    static bool remove(const fs::path& group) {
        std::error_code gone;
        for (const auto& entry : fs::directory_iterator(group, gone)) {
            if (entry.is_directory()) remove(entry.path());
        }
        return ::rmdir(group.c_str()) == 0;
    }

    fs::path path_;
};

/// An agent of a user of its own, and what must hold after an attack.
class HostileJob : public LabTest, public ::testing::WithParamInterface<Attack> {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give the agent a user of its own";
        fs::permissions(folder.path(), fs::perms::others_exec, fs::perm_options::add);
        agent.set_environment("HOLD", hold());
        agent.set_environment("AGENT", TREBUCHET_AGENT);
        agent.configure({{"trebuchet", {{"kill_grace", 1}, {"metrics_address", "127.0.0.1"}}}});
        agent.add_argument("-p0");
        agent.on("test", ". \"$HOLD/test.sh\"");
        agent.on("cleanup",
                 "echo $$ > \"$HOLD/cleanup.pid\"; sleep 0.1; sleep 0.1; echo cleaned >> \"$HOLD/cleanups\"");
    }

    void attack(const fs::path& cgroup) {
        agent.confine({user_, process_limit, cgroup});
        const auto& attack = GetParam();
        agent.folder().write("test.sh", attack.script);
        attacked_ = server.post_job(small_job());
        agent.start();
        agent_runs_ = true;
        plant_other_user();
        end_attack(attack.end);
        if (cgroup.empty() && attack.offline_without_cgroup) come_back_online();
        agent.folder().write("test.sh", "echo quiet");
        const auto next = server.post_job(small_job());
        ASSERT_TRUE(server.reaches(next, "complete")) << agent.log();
        EXPECT_THAT(server.log(next, "test"), HasSubstr("quiet"));
        EXPECT_EQ(server.result(next)["cleanup_status"], 0);
    }

    void end_attack(AttackEnd end) {
        switch (end) {
            case AttackEnd::by_itself:
                ASSERT_TRUE(server.reaches(attacked_, "complete")) << agent.log();
                return;
            case AttackEnd::cancelled:
                ASSERT_TRUE(server.shows(attacked_, "test", "ready")) << agent.log();
                server.cancel(attacked_);
                return;
            case AttackEnd::agent_killed:
                static_cast<void>(agent.program().wait());
                agent.start();
                ASSERT_TRUE(server.reaches(attacked_, "complete")) << agent.log();
        }
    }

    void expect_that_all_is_well(const Attack::Texts& also_told, bool may_outlive) {
        auto told = GetParam().told;
        told.insert(told.end(), also_told.begin(), also_told.end());
        const auto log = server.log(attacked_, "test") + server.log(attacked_, "cleanup");
        for (const auto& text : told) {
            if (text[0] == '!') {
                EXPECT_THAT(log, Not(HasSubstr(text.substr(1))));
            } else {
                EXPECT_THAT(log, HasSubstr(text));
            }
        }
        EXPECT_EQ(text_of(agent.folder() / "cleanups"), "cleaned\ncleaned\n") << agent.log();
        EXPECT_EQ(server.result(attacked_)["cleanup_status"], 0);
        EXPECT_THAT(fetch(metrics_origin() + "/healthz"), HasSubstr("ok"));
        EXPECT_TRUE(fs::is_empty(agent.runs()));
        if (!GetParam().kept.empty()) {
            EXPECT_TRUE(fs::exists(hold() / GetParam().kept));
        }
        if (!may_outlive) {
            EXPECT_TRUE(eventually([&] { return of_the_job().empty(); }, std::chrono::seconds(5)))
                << ::testing::PrintToString(of_the_job());
        }
    }

    void TearDown() override {
        for (const auto pid : of_the_job()) ::kill(pid, SIGKILL);
    }

    /// As an administrator does it who has ended what the agent could not.
    void come_back_online() {
        ASSERT_TRUE(server.agent_is(agent_id, "offline")) << agent.log();
        EXPECT_THAT(server.agent(agent_id)["comment"], HasSubstr("could not be ended"));
        EXPECT_THAT(server.agent(agent_id)["comment"], HasSubstr("(user " + std::to_string(user_ + 1) + ", sleep)"));
        for (const auto pid : processes_of(user_ + 1)) ::kill(pid, SIGKILL);
        static_cast<void>(server.ask(clients::administrator, "POST", "/v1/agents/data/" + std::string(agent_id),
                                     {{"state", "waiting"}, {"comment", ""}}));
    }

    uid_t user_ = spare_user();

  private:
    [[nodiscard]] fs::path hold() const { return agent.folder().path(); }
    static Json small_job() { return job({{"test_data", {{"test_cmds", "x"}}}}); }

    /// $HOLD/other-user COMMAND…: as sudo does it, a program that becomes another user.
    void plant_other_user() {
        const auto program = hold() / "setpriv";
        fs::copy_file("/usr/bin/setpriv", program);
        ::chmod(program.c_str(), 04755);
        const auto id = std::to_string(user_ + 1);
        const auto script =
            agent.folder().write("other-user", "#!/bin/sh\nexec \"" + program.string() + "\" --reuid=" + id +
                                                   " --regid=" + id + " --clear-groups \"$@\"\n");
        ::chmod(script.c_str(), 0755);
    }

    [[nodiscard]] std::vector<pid_t> of_the_job() {
        auto pids = processes_of(user_);
        const auto others = processes_of(user_ + 1);
        pids.insert(pids.end(), others.begin(), others.end());
        if (agent_runs_) std::erase(pids, agent.program().pid());
        return pids;
    }

    std::string metrics_origin() {
        const auto log = agent.program().out() + agent.program().err();
        std::smatch found;
        std::regex_search(log, found, std::regex("metrics at (http://[0-9.]+:[0-9]+)/metrics\n"));
        return found[1];
    }

    static std::string fetch(const std::string& url) {
        return run({"/usr/bin/curl", {"-sS", "--max-time", "10", "--noproxy", "*", url}}).out;
    }

    std::string attacked_;
    bool agent_runs_ = false;
};

TEST_P(HostileJob, IsEndedWithoutACgroup) {
    ASSERT_NO_FATAL_FAILURE(attack(""));
    expect_that_all_is_well(GetParam().told_without_cgroup, GetParam().outlives_without_cgroup);
}

TEST_P(HostileJob, IsEndedWithACgroup) {
    const DelegatedCgroup cgroup(user_);
    if (cgroup.path().empty()) GTEST_SKIP() << "NOT TESTED: no cgroup can be made below /sys/fs/cgroup";
    ASSERT_NO_FATAL_FAILURE(attack(cgroup.path()));
    expect_that_all_is_well(GetParam().told_with_cgroup, false);
    EXPECT_THAT(cgroup.groups(), ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Attacks, HostileJob, ::testing::ValuesIn(attacks()),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace trebuchet::harness
