#include "tests/fakes/temporary_folder.hpp"
#include "tests/integration/harness/child_program.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace trebuchet::harness {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string minimal = "agent_id: a\nserver_address: https://lab\njob_queues: [q]\n";

TEST(CheckConfigShow, PrintsEachSettingWithItsValueAndSource) {
    const TemporaryFolder folder;
    const auto file = folder.write("agent.conf", minimal + "polling_interval: 3\n").string();
    const auto beside = folder.write("trebuchet.yaml", "drain: finish\n").string();
    const auto ending =
        run({TREBUCHET_AGENT, {"check-config", "-c", file, "--show"}, {{"REQUESTS_CA_BUNDLE", "/lab/ca.pem"}}});
    EXPECT_EQ(ending.code, 0);
    EXPECT_THAT(ending.err, Not(HasSubstr("agent.conf")));
    EXPECT_THAT(ending.out, AllOf(HasSubstr("polling_interval = 3  (" + file + ":4)\n"),
                                  HasSubstr("global_timeout = 14400  (default)\n"),
                                  HasSubstr("trebuchet.drain = finish  (" + beside + ":1)\n"),
                                  HasSubstr("trebuchet.tls.ca_file = /lab/ca.pem  (environment variable "
                                            "REQUESTS_CA_BUNDLE)\n")));
}

TEST(CheckConfigShow, PrintsNoSecret) {
    const TemporaryFolder folder;
    const auto key = folder.write("key", "hunter22-in-a-file").string();
    const auto file = folder.write("agent.conf", minimal +
                                                     "test_command: curl https://user:hunter22-in-a-url@lab/x\n"
                                                     "setup_command: |\n"
                                                     "  login <<END\n"
                                                     "  gh"
                                                     "p_hunter22hunter22hunter22hunter22hunt\n"
                                                     "  END\n"
                                                     "lab_password: hunter22-of-the-lab\n"
                                                     "advertised_images: {q: {x: 'url: ftp://u:hunter22-too@h/'}}\n"
                                                     "trebuchet: {client_id: c, secret_key_file: " +
                                                     key + ", mask_credentials_off: [url_password]}\n");
    const auto ending = run({TREBUCHET_AGENT, {"check-config", "-c", file, "--show"}});
    EXPECT_EQ(ending.code, 0);
    EXPECT_THAT(ending.out, Not(HasSubstr("hunter22")));
    EXPECT_THAT(ending.err, Not(HasSubstr("hunter22")));
    EXPECT_THAT(ending.out, AllOf(HasSubstr("test_command = curl https://user:**"), HasSubstr("lab_password = (not"),
                                  HasSubstr("trebuchet.secret_key_file = " + key)));
}

TEST(CheckConfigShow, StillPrintsProblemsAndWarnings) {
    const TemporaryFolder folder;
    const auto odd = folder.write("odd.conf", minimal + "odd: 7\n");
    const auto with_warning = run({TREBUCHET_AGENT, {"check-config", "-c", odd, "--show"}});
    EXPECT_EQ(with_warning.code, 0);
    EXPECT_THAT(with_warning.err, HasSubstr("odd.conf:4:1: unknown key \"odd\""));

    const auto wrong = folder.write("wrong.conf", minimal + "polling_interval: soon\n");
    const auto with_problem = run({TREBUCHET_AGENT, {"check-config", "-c", wrong, "--show"}});
    EXPECT_EQ(with_problem.code, 2);
    EXPECT_EQ(with_problem.out, "");
    EXPECT_THAT(with_problem.err, HasSubstr("wrong.conf:4:19: polling_interval"));
}

TEST(CheckConfig, WarnsOfWhatMakesTheHostWeakAgainstItsJobs) {
    const TemporaryFolder folder;
    std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
    const auto file = folder.write("agent.conf", minimal + "trebuchet: {limits: {memory: 1000000000}}\n");
    const auto token = folder.write("refresh_token", "{}");
    std::filesystem::permissions(file, std::filesystem::perms(0644));
    std::filesystem::permissions(token, std::filesystem::perms(0644));
    Command check{TREBUCHET_AGENT, {"check-config", "-c", file, "--token-file", token}};
    const bool is_root = ::geteuid() == 0;
    if (is_root) {
        EXPECT_THAT(run(check).err, HasSubstr("warning: this user is root"));
        check.confinement.user = 300'001;
    }
    const auto weak = run(check);
    EXPECT_EQ(weak.code, 0);
    EXPECT_THAT(weak.err, AllOf(HasSubstr("warning: " + token.string() + " is readable by every user"),
                                Not(HasSubstr("this user is root"))));
    if (is_root) {
        EXPECT_THAT(weak.err, AllOf(HasSubstr("warning: cannot create a cgroup here"),
                                    HasSubstr("warning: trebuchet.limits.memory has no effect here")));
    }
    std::filesystem::permissions(token, std::filesystem::perms(0600));
    EXPECT_THAT(run(check).err, Not(HasSubstr("readable by every user")));
}

}  // namespace
}  // namespace trebuchet::harness
