#include "provision/connectors/registry.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/fakes.hpp"
#include "tests/provision/support/qmp_server.hpp"
#include "tests/provision/support/tcp_server.hpp"

#include <csignal>
#include <filesystem>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Sends an ssh banner to every client.
class SshServer {
  public:
    SshServer() : thread_([this] { greet(); }) {}
    ~SshServer() {
        server_.shut_down();
        thread_.join();
    }
    SshServer(const SshServer&) = delete;
    SshServer& operator=(const SshServer&) = delete;
    [[nodiscard]] std::uint16_t port() const { return server_.port(); }

  private:
    void greet() const {
        while (const auto client = server_.accept()) send_text(client, "SSH-2.0-test\r\n");
    }

    TcpServer server_;
    std::thread thread_;
};

/// An independent board: only its control socket and ssh server exist.
class QemuConnector : public testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::current_path(folder_.path());
        std::filesystem::create_directories("attachments/provision");
        folder_.write("attachments/provision/image", "the image");
        folder_.write("sd.img", std::string(64, '.'));
        interrupt_.clock = &clock_;
        device_port_ = ssh_.port();
    }
    void TearDown() override { std::filesystem::current_path("/"); }

    StageResult provision(const std::string& provision_data = R"({"use_attachment": "image"})") {
        const auto config =
            parse_connector_config("device_ip: 127.0.0.1\ndevice_port: " + std::to_string(device_port_) +
                                       "\nqemu_disk: sd.img\nqemu_qmp: qmp\nqemu_boot_timeout: 10\n" + further_keys_,
                                   "default.yaml")
                .value();
        const auto job = JobFile::parse(R"({"provision_data": )" + provision_data + "}", "job.json").value();
        StageContext context{config, job, log_, commands_, interrupt_, clock_, [] { return 0.0; }, out_};
        return make_connector("qemu")->run(Stage::provision, context);
    }

    TemporaryFolder folder_;
    std::optional<QmpServer> board_{std::in_place, folder_ / "qmp"};
    SshServer ssh_;
    std::uint16_t device_port_ = 0;
    std::string further_keys_;
    FakeClock clock_;
    ConnectorLog log_{clock_, "board-1", -1};
    FakeCommandRunner commands_;
    FakeInterrupt interrupt_;
    std::ostringstream out_;
};

TEST_F(QemuConnector, WritesTheImageWhileTheBoardIsOff) {
    EXPECT_EQ(provision().value(), 0);
    EXPECT_EQ(text_of("sd.img"), "the image" + std::string(55, '.'));
    EXPECT_THAT(board_->actions(), ElementsAre("stop", "stop", "system_reset", "cont"));
}

TEST_F(QemuConnector, LeavesTheBoardOffWhenTheImageCannotBeWritten) {
    EXPECT_THAT(provision(R"({"use_attachment": "missing"})").error().message, HasSubstr("missing"));
    EXPECT_TRUE(board_->actions().empty()) << "that is known before";
    std::filesystem::create_directories("attachments/provision/folder");
    const auto result = provision(R"({"use_attachment": "folder"})");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1);
    EXPECT_THAT(result.error().message, HasSubstr("is not a file"));
    EXPECT_THAT(board_->actions(), ElementsAre("stop"));
}

TEST_F(QemuConnector, ChangesNothingForAJobWithoutAnImage) {
    for (const auto* data :
         {"{}", R"({"url": "http://a", "use_attachment": "image"})", R"({"use_attachment": "../x"})"}) {
        const auto result = provision(data);
        ASSERT_FALSE(result) << data;
        EXPECT_EQ(result.error().name, "JobError") << data;
    }
    EXPECT_THAT(board_->actions(), IsEmpty());
}

TEST_F(QemuConnector, FailsWhenTheBoardDoesNotBoot) {
    TcpServer closed;
    device_port_ = closed.port();
    closed.close();
    const auto result = provision();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1) << "another image may boot";
    EXPECT_THAT(result.error().message, HasSubstr("waited 10 s for ssh"));
}

TEST_F(QemuConnector, GoesOfflineWhenItsPowerCannotBeSwitched) {
    board_.reset();
    const auto result = provision();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().name, "RecoveryError");
    EXPECT_EQ(result.error().exit_code, exit_recovery_failed);
    EXPECT_THAT(result.error().message, HasSubstr("is it running?"));
}

TEST_F(QemuConnector, EndsOnAStopSignal) {
    TcpServer closed;
    device_port_ = closed.port();
    closed.close();
    interrupt_.signal = SIGTERM;
    interrupt_.waits_before_signal = 2;
    EXPECT_EQ(provision().value(), 128 + SIGTERM);
}

TEST_F(QemuConnector, SaysWhatIsWrongWithItsConfiguration) {
    further_keys_ = "qemu_memory: 1G\n";
    const auto result = provision();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().name, "ConfigError");
    EXPECT_THAT(result.error().message, HasSubstr("qemu_memory"));
    further_keys_ = "boot_prompt: 'login: '\nconsole_strategy:\n  - {expect: '# '}\n";
    EXPECT_THAT(provision().error().message, HasSubstr("found boot_prompt and console_strategy"));
}

TEST_F(QemuConnector, ARestoredDeviceIsNotBroughtUpAgain) {
    const std::string sum(64, 'a');
    further_keys_ =
        "qemu_start: true\nqemu_disk_size: 1\nqemu_snapshot: true\n"
        "console_strategy:\n  - {expect: '# ', timeout: 1}\n";
    folder_.write("sd.img.snapshot", sum);
    EXPECT_EQ(provision(R"({"use_attachment": "image", "checksum": ")" + sum + "\"}").value(), 0);
}

TEST_F(QemuConnector, StartsQemuWithTheImageOnItsDisk) {
    further_keys_ = "qemu_start: true\nqemu_disk_size: 1\n";
    EXPECT_EQ(provision().value(), 0);
    EXPECT_THAT(text_of("sd.img"), testing::StartsWith("the image..."));
    EXPECT_EQ(std::filesystem::file_size("sd.img"), 1024U * 1024U);
    EXPECT_THAT(commands_.commands, ElementsAre(testing::Contains("-daemonize")));
    EXPECT_THAT(board_->actions(), ElementsAre("quit", "cont"));
}

TEST_F(QemuConnector, RestoresOnlyASnapshotOfTheSameImage) {
    further_keys_ = "qemu_start: true\nqemu_disk_size: 1\nqemu_snapshot: true\n";
    const std::string sum(64, 'a');
    const std::string same = R"({"use_attachment": "image", "checksum": ")" + sum + "\"}";
    folder_.write("sd.img.snapshot", sum);
    EXPECT_EQ(provision(same).value(), 0);
    EXPECT_THAT(commands_.commands.back(), testing::Contains("-loadvm"));
    EXPECT_EQ(text_of("sd.img"), std::string(64, '.'));

    commands_.answer = [](const Command& command) -> std::optional<CommandResult> {
        if (command.argv.front() != "sha256sum") return std::nullopt;
        return CommandResult{CommandExited{0}, std::string(64, 'b') + " *image\n"};
    };
    EXPECT_EQ(provision().value(), 0);
    EXPECT_THAT(commands_.commands.back(), testing::Not(testing::Contains("-loadvm")));
    EXPECT_THAT(text_of("sd.img"), testing::StartsWith("the image"));
    EXPECT_EQ(text_of("sd.img.snapshot"), std::string(64, 'b'));
}

}  // namespace
}  // namespace trebuchet
