#include "tests/integration/harness/board.hpp"
#include "tests/integration/harness/lab_test.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace trebuchet::harness {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Shell function for a job's script: runs a command on the device.
const std::string shell_on_device = R"(dut() {
    ssh -i "$DUT_KEY" -p "$DEVICE_PORT" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
        "ubuntu@$DEVICE_IP" "$@"
}
)";

/// A job on a device that boots in QEMU, without KVM.
class Dut : public LabTest {
  protected:
    Dut() {
        agent.on("provision", stage("provision"));
        agent.on("test", stage("runtest"));
        agent.on("reserve", stage("reserve"));
        agent.on("cleanup", stage("cleanup"));
    }

    void use(const Json& configuration) const {
        agent.folder().write("default.yaml", configuration.dump(2));  // JSON is YAML
    }
    [[nodiscard]] std::string stage(const std::string& name) const {
        return std::string(TREBUCHET_PROVISION) + " qemu " + name + " -c '" +
               (agent.folder() / "default.yaml").string() + "' testflinger.json";
    }
    static std::string first_line(const std::filesystem::path& file) {
        const auto text = text_of(file);
        return text.substr(0, text.find('\n'));
    }
    /// Replaces ssh-import-id, which would download the key from the owner's account.
    void provide_key(const std::string& owner, const std::string& file) {
        const auto program = folder.write(
            "ssh-import-id", "#!/bin/sh\n# -o FILE OWNER\n[ \"$3\" = '" + owner + "' ] && cp '" + file + "' \"$2\"\n");
        std::filesystem::permissions(program, std::filesystem::perms::owner_all);
        const char* const path = std::getenv("PATH");
        agent.set_environment("PATH", folder.path().string() + ":" + (path == nullptr ? "/usr/bin:/bin" : path));
    }
    static std::string image_id() { return first_line(dut_image() / "image-id"); }
    /// The file that ends the reservation, as the banner names it; "" while there is no banner.
    std::string order_file(const std::string& id) {
        const auto banner = server.log(id, "reserve");
        const auto start = banner.find("into /");
        const auto end = banner.find('\n', start);
        if (start == std::string::npos || end == std::string::npos) return "";
        return banner.substr(start + 5, end - start - 5);
    }

    /// Posts a job with the image as an attachment.
    std::string post_with_image(const Json& test_data, const Json& reserve_data = nullptr) {
        const auto attachments = Json::array({Json{{"agent", "image.zst"}}});
        Json fields{{"provision_data", {{"use_attachment", "image.zst"}, {"attachments", attachments}}},
                    {"test_data", test_data}};
        if (!reserve_data.is_null()) fields["reserve_data"] = reserve_data;
        const auto id = server.post_job(job(fields));
        const auto token = server.tokens(clients::submitter)["access_token"].get<std::string>();
        const auto sent =
            run({"/bin/bash",
                 {"-c", R"(set -e
mkdir -p provision
cp "$1/image.zst" provision
tar czf attachments.tar.gz provision
curl -sS --fail-with-body --cacert "$2" -H "Authorization: Bearer $3" -F file=@attachments.tar.gz "$4")",
                  "bash", dut_image(), server.authority(), token, server.url() + "/v1/job/" + id + "/attachments"},
                 {},
                 folder.path()});
        EXPECT_EQ(sent.code, 0) << sent.out << sent.err;
        return id;
    }
    [[nodiscard]] bool completes(const std::string& id) {
        return eventually([&] { return server.job_state(id) == "complete"; }, boot_patience);
    }
};

TEST_F(Dut, IsFlashedBootedTestedAndReservedByAJob) {
    const std::string secret = "tk-0d5f8a61c3e7";
    Board board;
    ASSERT_TRUE(board.prints("no system on the SD card")) << "the board must not boot before it is flashed";
    auto configuration = board.configuration();
    configuration["qemu_qmp"] = board.folder() / "qmp";
    configuration["boot_prompt"] = "trebuchet-dut-[0-9a-f]+ is up";
    use(configuration);
    const auto key = (folder / "key").string();
    ASSERT_EQ(run({"/usr/bin/ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-C", "me", "-f", key}}).code, 0);
    provide_key("gh:me", key + ".pub");
    server.store_secret("bench/token", secret);
    const auto id = post_with_image({{"secrets", {{"TOKEN", "bench/token"}}}, {"test_cmds", shell_on_device + R"(set -e
dut cat /etc/image-id
echo "$TOKEN" | dut 'read -r token; echo "signing in with $token" >/dev/ttyS0; echo "report of $token" >report'
mkdir artifacts
dut cat report >artifacts/report.txt
)"}},
                                    {{"ssh_keys", {"gh:me"}}, {"timeout", 7200}});
    agent.start();
    ASSERT_TRUE(eventually([&] { return order_file(id) != "" || server.job_state(id) == "complete"; }, boot_patience));
    EXPECT_EQ(board.shell(key, "true").code, 0) << server.log(id, "reserve");
    std::ofstream(order_file(id)) << "end\n";
    ASSERT_TRUE(completes(id)) << agent.log();
    EXPECT_NE(board.shell(key, "true").code, 0) << "the reservation's key must be removed";
    EXPECT_EQ(board.shell(dut_image() / "id_ed25519", "true").code, 0) << "the lab's own key must stay";

    for (const auto* phase : {"provision", "test", "reserve"}) {
        EXPECT_EQ(server.result(id)[std::string(phase) + "_status"], 0) << server.log(id, phase);
    }
    EXPECT_EQ(server.result(id)["device_info"]["device_ip"], "127.0.0.1");
    EXPECT_THAT(server.log(id, "provision", "serial"), HasSubstr(image_id() + " is up"));
    EXPECT_THAT(server.log(id, "test"), HasSubstr(image_id()));
    EXPECT_THAT(server.log(id, "test", "serial"), AllOf(HasSubstr("signing in with **"), Not(HasSubstr(secret))));
    EXPECT_THAT(server.artifacts(id)["artifacts/report.txt"], AllOf(HasSubstr("report of **"), Not(HasSubstr(secret))));
    EXPECT_THAT(agent.files_holding(secret), IsEmpty());
}

TEST_F(Dut, IsProvisionedAndTestedOnItsConsoleWithoutNetwork) {
    const Board board;
    auto configuration = board.configuration();
    configuration["qemu_qmp"] = board.folder() / "qmp";
    configuration["test_on_console"] = true;
    configuration["console_strategy"] = Json::array({{{"send_line", ""},
                                                      {"every", std::to_string(3)},
                                                      {"expect", "dut# $"},
                                                      {"timeout", std::to_string(boot_patience.count())},
                                                      {"state", "shell"}}});
    use(configuration);
    const auto id = post_with_image({{"test_cmds", "cat /etc/image-id\nhostname\nexit 5\n"}});
    agent.start();
    ASSERT_TRUE(completes(id)) << agent.log();
    EXPECT_EQ(server.result(id)["provision_status"], 0) << server.log(id, "provision");
    EXPECT_EQ(server.result(id)["test_status"], 5) << server.log(id, "test");
    EXPECT_THAT(server.log(id, "provision"), HasSubstr("The device is in the state shell"));
    EXPECT_THAT(server.log(id, "test"), AllOf(HasSubstr(image_id()), HasSubstr("dut\n")));
}

TEST_F(Dut, IsStartedByTheConnectorAndGoesOnFromItsSnapshot) {
    Board board(false);
    auto configuration = board.configuration();
    configuration.update({{"qemu_start", true},
                          {"qemu_snapshot", true},
                          {"qemu_offline", true},
                          {"qemu_memory", 128},
                          {"qemu_disk_size", 64},
                          {"qemu_kernel", dut_image() / "vmlinuz"},
                          {"qemu_initrd", dut_image() / "initrd"},
                          {"qemu_append", "console=ttyS0 quiet panic=-1"}});
    use(configuration);
    agent.start();
    for (const auto* how : {"Writing", "Restoring the snapshot"}) {
        const auto id =
            post_with_image({{"test_cmds", shell_on_device + "dut 'cat mark || echo unmarked; echo x >mark; sync'"}});
        ASSERT_TRUE(completes(id)) << agent.log();
        EXPECT_EQ(server.result(id)["provision_status"], 0) << server.log(id, "provision");
        EXPECT_THAT(server.log(id, "provision"), HasSubstr(how));
        EXPECT_THAT(server.log(id, "test"), HasSubstr("unmarked"));
        EXPECT_THAT(processes_with_argument(board.card().string()), IsEmpty()) << "QEMU must end with the job";
    }
}

}  // namespace
}  // namespace trebuchet::harness
