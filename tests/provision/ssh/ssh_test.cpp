#include "provision/ssh/ssh.hpp"

#include "provision/ssh/connection_watch.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/fakes.hpp"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

SshTarget board(const std::string& password = "") {
    return {"10.0.0.7", 2222, "ubuntu", "", SecretString(password)};
}

std::string option_of(const std::vector<std::string>& argv, const std::string& name) {
    for (const auto& word : argv) {
        if (word.starts_with(name + "=")) return word.substr(name.size() + 1);
    }
    return "";
}

class SshTest : public testing::Test {
  protected:
    [[nodiscard]] const std::vector<std::string>& last() const { return commands_.commands.back(); }
    FakeCommandRunner commands_;
};

TEST_F(SshTest, RunsACommandLineWithoutCheckingTheHostsKey) {
    Ssh ssh(board(), commands_);
    EXPECT_TRUE(succeeded(ssh.run("sudo reboot")));
    EXPECT_EQ(last().front(), "ssh");
    EXPECT_EQ(last().back(), "sudo reboot");
    EXPECT_EQ(option_of(last(), "StrictHostKeyChecking"), "no");
    EXPECT_EQ(option_of(last(), "UserKnownHostsFile"), "/dev/null");
    EXPECT_EQ(option_of(last(), "BatchMode"), "yes");
    EXPECT_THAT(last(), Contains("ubuntu@10.0.0.7"));
    EXPECT_THAT(last(), Contains("2222"));
    EXPECT_EQ(ssh.name(), "ubuntu@10.0.0.7 port 2222");
}

TEST_F(SshTest, SharesOneConnectionWithAPrivateSocket) {
    Ssh ssh(board(), commands_);
    (void)ssh.run("true");
    const std::filesystem::path socket = option_of(last(), "ControlPath");
    EXPECT_LT(socket.string().size() + 17, 104U);
    EXPECT_EQ(std::filesystem::status(socket.parent_path()).permissions(), std::filesystem::perms::owner_all);
    (void)ssh.run("true");
    EXPECT_EQ(option_of(last(), "ControlPath"), socket);
}

TEST_F(SshTest, LeavesNoFolderBehind) {
    std::filesystem::path folder;
    {
        Ssh ssh(board(), commands_);
        (void)ssh.run("true");
        folder = std::filesystem::path(option_of(last(), "ControlPath")).parent_path();
        ASSERT_TRUE(std::filesystem::exists(folder));
        std::ofstream(folder / "mux") << "in place of the socket";
    }
    EXPECT_FALSE(std::filesystem::exists(folder));
    EXPECT_THAT(last(), testing::IsSupersetOf({"-O", "exit"})) << "the shared connection is ended";
}

TEST_F(SshTest, PassesThePasswordOnlyInTheEnvironment) {
    std::string seen;
    commands_.answer = [&](const Command& command) -> std::optional<CommandResult> {
        seen = command.environment->variables().at("SSHPASS").reveal();
        return std::nullopt;
    };
    Ssh ssh(board("hunter22"), commands_);
    (void)ssh.run("true");
    EXPECT_EQ(seen, "hunter22");
    EXPECT_EQ(last().at(0), "sshpass");
    EXPECT_EQ(last().at(1), "-e");
    for (const auto& word : last()) EXPECT_THAT(word, Not(HasSubstr("hunter22")));
}

TEST_F(SshTest, PassesAScriptOnStdin) {
    Ssh ssh(board(), commands_);
    EXPECT_TRUE(succeeded(ssh.run_script("wifi connect --password hunter22")));
    EXPECT_EQ(last().back(), "/bin/sh -s");
    EXPECT_EQ(commands_.inputs.back(),
              std::string(connection_watch()) + "{\nwifi connect --password hunter22\n} </dev/null\n");
}

TEST_F(SshTest, DistinguishesATransportFailureFromTheCommandsOwn) {
    EXPECT_TRUE(is_transport_failure(CommandExited{255}));
    EXPECT_FALSE(is_transport_failure(CommandExited{1}));
    EXPECT_FALSE(is_transport_failure(CommandTimedOut{}));
    commands_.results = {{CommandExited{255}, "ssh: connect to host 10.0.0.7 port 2222: No route to host\r\n"}};
    Ssh ssh(board(), commands_);
    EXPECT_EQ(ssh.check_login().error().message(),
              "cannot log in to ubuntu@10.0.0.7 port 2222: no ssh connection, exit code 255, it said: "
              "\"ssh: connect to host 10.0.0.7 port 2222: No route to host\"");
}

TEST_F(SshTest, WritesARemoteFileFromStdin) {
    Ssh ssh(board(), commands_);
    EXPECT_TRUE(ssh.upload("secret text", "/tmp/a b", "0640"));
    EXPECT_EQ(last().back(), "umask 077; cat > '/tmp/a b' && chmod 0640 '/tmp/a b'");
    EXPECT_EQ(commands_.inputs.back(), "secret text");
}

TEST_F(SshTest, CopiesFilesBothWays) {
    const TemporaryFolder folder;
    commands_.answer = [](const Command& command) -> std::optional<CommandResult> {
        if (command.output_fd >= 0 && !write_all(command.output_fd, "from the device")) return std::nullopt;
        return CommandResult{CommandExited{command.input_fd >= 0 || command.output_fd >= 0 ? 0 : 1}, ""};
    };
    Ssh ssh(board(), commands_);
    EXPECT_TRUE(ssh.upload_file(folder.write("image", "x"), "/tmp/image", std::chrono::seconds(1)));
    EXPECT_TRUE(ssh.download("/tmp/log", folder / "log", std::chrono::seconds(1)));
    EXPECT_EQ(text_of(folder / "log"), "from the device");
}

TEST_F(SshTest, RemovesAPartialDownload) {
    const TemporaryFolder folder;
    commands_.answer = [](const Command& command) -> std::optional<CommandResult> {
        (void)write_all(command.output_fd, "a part");
        return CommandResult{CommandExited{255}, ""};
    };
    Ssh ssh(board(), commands_);
    EXPECT_FALSE(ssh.download("/tmp/log", folder / "log", std::chrono::seconds(1)));
    EXPECT_FALSE(std::filesystem::exists(folder / "log"));
}

}  // namespace
}  // namespace trebuchet
