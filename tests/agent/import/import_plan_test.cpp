#include "agent/import/import_plan.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* environment_file = "/etc/trebuchet/supervise.env";
constexpr const char* variables_file = "/etc/trebuchet/import.env";
constexpr const char* drop_in = "/etc/systemd/system/trebuchet-supervise.service.d/10-import.conf";

std::string config_of(const std::string& name) {
    return "srv/agent-configs/lab-tpe1/" + name + "/testflinger-agent.conf";
}

/// A copy of the sample host, for the test to change.
class ImportPlanTest : public ::testing::Test {
  protected:
    ImportPlanTest() { fs::copy(TREBUCHET_TESTDATA "/samplehost", root.path(), fs::copy_options::recursive); }

    [[nodiscard]] ImportPlan plan() const {
        const auto host = read_charm_host(root.path());
        EXPECT_TRUE(host) << host.error().message();
        return plan_import(*host);
    }
    void change(const std::string& file, const std::string& from, const std::string& to) const {
        auto text = text_of(root / file);
        const auto at = text.find(from);
        ASSERT_NE(at, std::string::npos) << file;
        static_cast<void>(root.write(file, text.replace(at, from.size(), to)));
    }
    TemporaryFolder root;
};

TEST_F(ImportPlanTest, ServesTheLabsOwnTreeWithPortsUserAndEnvironment) {
    const auto made = plan();
    EXPECT_THAT(made.wrong, IsEmpty());
    EXPECT_EQ(made.agents.size(), 4U);
    EXPECT_THAT(made.changes.files.at(environment_file),
                AllOf(HasSubstr("TREBUCHET_TREE=/srv/agent-configs/lab-tpe1\n"), HasSubstr("--port agent-001=8002"),
                      HasSubstr("--port Audino.Lab_7=8003")));
    EXPECT_THAT(made.changes.files.at(drop_in),
                AllOf(HasSubstr("User=ubuntu\n"), HasSubstr("SupplementaryGroups=docker\n"),
                      HasSubstr("EnvironmentFile=/etc/trebuchet/import.env\n"),
                      Not(HasSubstr("SupplementaryGroups=trebuchet-supervise")),
                      HasSubstr("ReadWritePaths=-/srv/tf/audino/run\n"), Not(HasSubstr("HOME="))));
    EXPECT_THAT(made.changes.private_files.at(variables_file), HasSubstr("\nPYTHONIOENCODING=\"utf-8\"\n"));
    EXPECT_EQ(made.changes.renames.size(), 4U);
    EXPECT_TRUE(made.changes.links.empty());
}

TEST_F(ImportPlanTest, SaysWhatItLeavesAlone) {
    EXPECT_THAT(plan().left,
                AllOf(Contains(HasSubstr("agent001 of the agent agent-001 has another name")),
                      Contains(HasSubstr("program ser2net")), Contains(HasSubstr("/srv/agent-configs/lab-other")),
                      Contains(HasSubstr("python3, which is missing")),
                      Contains(HasSubstr("install -d -o ubuntu /srv/tf/audino/run")),
                      Contains(HasSubstr("/tmp/testflinger, which the Python agents share"))));
}

TEST_F(ImportPlanTest, HandsLeftResultsToTheAgentOfTheirQueue) {
    const auto changes = plan().changes;
    const fs::path results = "/var/lib/trebuchet-supervise/rpi4b-001/results";
    EXPECT_EQ(changes.copies.at(results / "0a1b2c3d-0000-4000-8000-000000000001"),
              "/tmp/testflinger/results/0a1b2c3d-0000-4000-8000-000000000001");
    EXPECT_THAT(changes.adopted, ElementsAre(results));
    change("tmp/testflinger/results/0a1b2c3d-0000-4000-8000-000000000001/testflinger.json", "rpi4b-001", "elsewhere");
    EXPECT_TRUE(plan().changes.copies.empty());
    EXPECT_THAT(plan().left, Contains(HasSubstr("of no queue of these agents")));
}

TEST_F(ImportPlanTest, LinksTheFoldersWhereTheTreeHasMore) {
    fs::rename(root / "etc/supervisor/conf.d/agent001.conf", root / "etc/supervisor/agent001.conf");
    const auto made = plan();
    EXPECT_THAT(made.changes.files.at(environment_file), HasSubstr("TREBUCHET_TREE=/etc/trebuchet/agents\n"));
    EXPECT_EQ(made.changes.links.at("/etc/trebuchet/agents/rpi4b-001"), "/srv/agent-configs/lab-tpe1/rpi4b-001");
    EXPECT_FALSE(made.changes.links.contains("/etc/trebuchet/agents/agent001"));
    EXPECT_THAT(made.changes.files.at(drop_in), HasSubstr("\nSupplementaryGroups=trebuchet-supervise\n"));
    EXPECT_THAT(made.left, Contains(HasSubstr("agent001 is served by no program of this host")));
}

TEST_F(ImportPlanTest, TakesALinkBesideAFolderForItsSecondName) {
    fs::create_directory_symlink("agent001", root / "srv/agent-configs/lab-tpe1/agent-001");
    EXPECT_THAT(plan().changes.files.at(environment_file), HasSubstr("TREBUCHET_TREE=/srv/agent-configs/lab-tpe1\n"));
    EXPECT_THAT(plan().left, Not(Contains(HasSubstr("has another name"))));
}

TEST_F(ImportPlanTest, RefusesWhatOneServiceCannotHave) {
    change("etc/supervisor/conf.d/agent001.conf", "user=ubuntu", "user=other");
    change("etc/supervisor/conf.d/dell-xps-02.conf", "-p 8001", "--token-file /srv/token");
    change("srv/agent-configs/lab-tpe1/rpi4b-001/testflinger-agent.conf", "polling_interval: 10",
           "polling_interval: no");
    static_cast<void>(
        root.write("etc/supervisor/conf.d/Audino.Lab_7.conf",
                   text_of(root / "etc/supervisor/conf.d/Audino.Lab_7.conf") + "[program:x]\ncommand=/bin/x\n"));
    EXPECT_THAT(plan().wrong, AllOf(Contains(HasSubstr("several users (other, ubuntu)")),
                                    Contains(HasSubstr("several token files")), Contains(HasSubstr("polling_interval")),
                                    Contains(HasSubstr("move the agent to a file of its own"))));
}

TEST_F(ImportPlanTest, TellsOfVariablesThatNotAllHave) {
    change("etc/supervisor/conf.d/agent001.conf", "PYTHONIOENCODING=utf-8",
           "PYTHONIOENCODING=latin1,LAB=\"a \\\" 50%\"");
    const auto made = plan();
    EXPECT_THAT(made.left, Contains(HasSubstr("the variable LAB of program agent001")));
    EXPECT_TRUE(made.changes.private_files.empty());
}

TEST_F(ImportPlanTest, AVariableOfOneAgentIsNotGivenToAll) {
    change("etc/supervisor/conf.d/agent001.conf", ",PYTHONIOENCODING=utf-8", "");
    EXPECT_TRUE(plan().changes.private_files.empty());
    EXPECT_THAT(plan().left, Contains(HasSubstr("the variable PYTHONIOENCODING of program rpi4b-001")));
}

TEST_F(ImportPlanTest, ReadsVariablesAsSupervisordDoesAndShowsNoValue) {
    for (const auto* name : {"Audino.Lab_7", "agent001", "dell-xps-02", "rpi4b-001"}) {
        change("etc/supervisor/conf.d/" + std::string(name) + ".conf", "PYTHONIOENCODING=utf-8", "TOKEN=\"50%%$x\"");
    }
    const auto made = plan();
    EXPECT_THAT(made.changes.private_files.at(variables_file), HasSubstr("TOKEN=\"50%\\$x\"\n"));
    EXPECT_THAT(shown(made), AllOf(HasSubstr("with the variables TOKEN"), Not(HasSubstr("50%"))));
    change("etc/supervisor/conf.d/agent001.conf", "50%%", "%(ENV_X)s");
    EXPECT_THAT(plan().wrong, Contains(HasSubstr("the variable TOKEN of program agent001")));
}

TEST_F(ImportPlanTest, RefusesFoldersOfTheHostsTmp) {
    static_cast<void>(root.write(config_of("rpi4b-001"), text_of(root / config_of("rpi4b-001")) +
                                                             "results_basedir: /tmp/testflinger/results\n"));
    EXPECT_THAT(plan().wrong,
                ElementsAre(HasSubstr("names /tmp/testflinger/results, and the service has a /tmp of its own")));
}

TEST_F(ImportPlanTest, RefusesFoldersThatWouldWriteLinesOfTheUnit) {
    change(config_of("Audino.Lab_7"), "results_basedir: /srv/tf/audino/results",
           "results_basedir: \"/srv/x\\nExecStartPre=+/bin/evil\"");
    EXPECT_THAT(plan().wrong, ElementsAre(HasSubstr("expected an absolute path")));
}

TEST_F(ImportPlanTest, RefusesAnotherNameOfTheConfiguration) {
    fs::copy_file(root / config_of("rpi4b-001"), root / "srv/agent-configs/lab-tpe1/rpi4b-001/agent.yaml");
    change("etc/supervisor/conf.d/rpi4b-001.conf", "testflinger-agent.conf", "agent.yaml");
    EXPECT_THAT(plan().wrong, ElementsAre(HasSubstr("serves only files of the name testflinger-agent.conf")));
}

TEST_F(ImportPlanTest, DoesNotServeWhatSupervisordDoesNotStart) {
    change("etc/supervisor/conf.d/agent001.conf", "startsecs=0", "autostart=False");
    const auto made = plan();
    EXPECT_EQ(made.agents.size(), 3U);
    EXPECT_FALSE(made.changes.links.contains("/etc/trebuchet/agents/agent001"));
    EXPECT_FALSE(made.changes.renames.contains("/etc/supervisor/conf.d/agent001.conf"));
    EXPECT_THAT(made.left,
                Contains(HasSubstr("program agent001 (/etc/supervisor/conf.d/agent001.conf) has autostart")));
}

TEST_F(ImportPlanTest, RefusesAnAgentThatAnInstanceServes) {
    fs::create_directories(root / "etc/trebuchet/dev1");
    fs::copy_file(root / config_of("rpi4b-001"), root / "etc/trebuchet/dev1/testflinger-agent.conf");
    EXPECT_THAT(plan().wrong, ElementsAre(HasSubstr("instance trebuchet-agent@dev1, and would run twice")));
}

TEST_F(ImportPlanTest, NamesAgentsThatRun) {
    const auto host = read_charm_host(root.path());
    EXPECT_THAT(running_programs(*host, root.path()), IsEmpty());
    fs::create_directories(root / "proc/4711");
    const auto command =
        std::string("/srv/testflinger-venv/bin/python3 /srv/testflinger-venv/bin/testflinger-agent -c /") +
        config_of("rpi4b-001") + " -p 8000 ";
    auto line = command;
    std::replace(line.begin(), line.end(), ' ', '\0');
    static_cast<void>(root.write("proc/4711/cmdline", line));
    EXPECT_THAT(running_programs(*host, root.path()), ElementsAre("rpi4b-001"));
}

TEST_F(ImportPlanTest, AHostWithoutAgentsHasNothingToImport) {
    EXPECT_THAT(read_charm_host(root / "srv").error().message(),
                HasSubstr("expected a host on which supervisord runs"));
    for (const auto& name : {"Audino.Lab_7", "agent001", "dell-xps-02", "rpi4b-001"}) {
        fs::remove(root.path() / "etc/supervisor/conf.d" / (std::string(name) + ".conf"));
    }
    EXPECT_THAT(read_charm_host(root.path()).error().message(), HasSubstr("nothing to import"));
}

}  // namespace
}  // namespace trebuchet
