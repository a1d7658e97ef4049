#include "agent/import/phase_script.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PhaseScriptTest : public ::testing::Test {
  protected:
    PhaseScript look(const std::string& text) { return look_at_script("/usr/local/bin/tf-x", text, root.path()); }
    TemporaryFolder root;
};

TEST_F(PhaseScriptTest, NamesProgramsThatCannotRun) {
    std::filesystem::create_directories(root / "srv/venv/bin");
    static_cast<void>(root.write("srv/venv/bin/tool", "#!/srv/venv/bin/python3\n"));
    static_cast<void>(root.write("srv/venv/bin/binary",
                                 "\x7f"
                                 "ELF"));
    const auto script = look(
        "#!/nowhere/bin/bash\n# /comment/bin/x\n/srv/venv/bin/tool a\n/srv/venv/bin/binary\n\"/opt/lab/bin/gone\" x\n"
        "/usr/bin/env; /srv/$name/bin/x; http://host/bin/x\n");
    EXPECT_THAT(script.broken_programs,
                ElementsAre("/opt/lab/bin/gone is missing",
                            "/srv/venv/bin/tool has the interpreter /srv/venv/bin/python3, which is missing"));
}

TEST_F(PhaseScriptTest, KnowsWhatAScriptNeeds) {
    const auto script = look("conf=/srv/x/$agent_id/default.yaml\nsudo docker run x\n");
    EXPECT_TRUE(script.uses_docker);
    EXPECT_TRUE(script.uses_sudo);
    EXPECT_TRUE(script.finds_folder_by_agent_id);
    EXPECT_THAT(script.connectors, IsEmpty());
    const auto other = look("# sudo docker\necho dockerfile pseudo-sudo-x $agent_id\n");
    EXPECT_FALSE(other.uses_docker);
    EXPECT_FALSE(other.uses_sudo);
    EXPECT_FALSE(other.finds_folder_by_agent_id);
    EXPECT_THAT(look("exec /v/bin/testflinger-device-connector x").connectors,
                ElementsAre("/v/bin/testflinger-device-connector"));
    EXPECT_THAT(look("").broken_programs, IsEmpty());
}

}  // namespace
}  // namespace trebuchet
