#include "provision/boot/boot_probes.hpp"

#include "tests/provision/support/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(BootProbes, AUrlGoesToCurlByStdin) {
    FakeCommandRunner commands;
    commands.results = {{CommandExited{0}, "200"}, {CommandExited{0}, "503"}, {CommandExited{7}, "curl: (7) no\n"}};
    const auto probe = url_probe("https://me:hunter22@board/ready?token=s3cr3t", commands);
    EXPECT_EQ(probe.what, "status 200 from https://board/ready?…");
    EXPECT_TRUE(probe.check());
    EXPECT_THAT(commands.inputs.back(), HasSubstr("url = \"https://me:hunter22@board/ready?token=s3cr3t\"\n"));
    for (const auto& word : commands.commands.back()) EXPECT_THAT(word, Not(HasSubstr("hunter22")));
    EXPECT_EQ(probe.check().error().message(), "status \"503\", expected 200");
    EXPECT_EQ(probe.check().error().message(), "exit code 7, it said: \"curl: (7) no\"");
}

TEST(BootProbes, EachLoginIsANewConnection) {
    FakeCommandRunner commands;
    Ssh ssh({"10.0.0.7", 0, "ubuntu", "", SecretString()}, commands);
    const auto probe = ssh_login_probe(ssh);
    EXPECT_EQ(probe.what, "a login as ubuntu@10.0.0.7");
    EXPECT_TRUE(probe.check());
    EXPECT_EQ(commands.commands.back().back(), "/bin/true");
}

}  // namespace
}  // namespace trebuchet
