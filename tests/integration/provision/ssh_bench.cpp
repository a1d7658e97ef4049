#include "tests/integration/provision/ssh_bench.hpp"

#include "tests/integration/harness/wait.hpp"

#include <gmock/gmock.h>

namespace trebuchet::harness {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

SshBench::SshBench() {
    folder.write("never", "");
    control.program("stm", "echo \"$1\" >'" + file("mux") + "'");
    // The tests may run without root, so these programs only pretend.
    for (const auto* host : {&control, &device}) host->program("sudo", "exec \"$@\"");
    control.program("lsblk",
                    "case $* in\n"
                    "  *MOUNTPOINT*) ;;\n"
                    "  *) echo '{\"blockdevices\": [{\"name\": \"card\", \"children\": ["
                    "{\"name\": \"card1\", \"label\": \"system-boot\"},"
                    "{\"name\": \"card2\", \"label\": \"writable\"}]}]}' ;;\n"
                    "esac");
    control.program("mount", "mkdir -p '" + file("") + "'\"${1#/dev/}\"; rmdir \"$2\"; ln -s '" + file("") +
                                 "'\"${1#/dev/}\" \"$2\"");
    control.program("mountpoint", "test -L \"$2\"");
    control.program("umount", "rm \"$1\"; mkdir \"$1\"");
    control.program("blockdev", "exit 0");
    fs::create_directories(control.folder() / "card2/etc");
    control.folder().write("card", std::string(1000, '-'));

    for (const auto* name : {"ssh", "curl"}) here(name, "exec /usr/bin/" + std::string(name) + " \"$@\"");
    here("power", switch_power());
    config = {{"agent_name", "board-1"},
              {"device_ip", "127.0.0.1"},
              {"device_port", device.port()},
              {"device_key_file", device.key()},
              {"control_host", "127.0.0.1"},
              {"control_port", control.port()},
              {"control_user", SshHost::user()},
              {"control_key_file", control.key()},
              {"control_mount_folder", file("mnt")},
              {"test_device", file("card")},
              {"reboot_script", {"power cycle"}},
              {"poweroff_script", {"power off"}},
              {"boot_poll_interval", 1},
              {"boot_first_look", 0}};
    job = {{"test_data", {{"test_username", SshHost::user()}, {"test_password", "pass-w0rd"}}}};
}

void SshBench::TearDown() {
    for (const auto* secret : {"pass-w0rd", "hunter22", "s1gn4ture"}) {
        EXPECT_THAT(calls(), Not(HasSubstr(secret)));
        EXPECT_THAT(log, Not(HasSubstr(secret)));
        EXPECT_THAT(text_of(folder / "device-connector-error.json"), Not(HasSubstr(secret)));
    }
}

void SshBench::here(const std::string& name, const std::string& script) const {
    write_noting_program(folder / "bin", name, script, folder / "calls");
}

std::string SshBench::switch_power() const {
    return "echo \"$@\" >>'" + (folder / "power").string() + "'\n" + sign("switched");
}

bool SshBench::was_switched() const {
    return came_to("switched");
}

std::string SshBench::hang() const {
    return "exec tail -f '" + (folder / "never").string() + "'\n";
}

std::string SshBench::sign(const std::string& name) const {
    return "touch '" + (folder / name).string() + "'\n";
}

bool SshBench::came_to(const std::string& name) const {
    return eventually([&] { return fs::exists(folder / name); });
}

Command SshBench::command(const std::string& type, const std::string& stage) const {
    folder.write("default.yaml", config.dump(2));  // JSON is YAML
    folder.write("testflinger.json", job.dump());
    return {
        TREBUCHET_PROVISION,
        {type, stage, "-c", "default.yaml", "testflinger.json"},
        {{"PATH", (folder / "bin").string() + ":/usr/sbin:/usr/bin:/sbin:/bin"}, {"TMPDIR", folder.path().string()}},
        folder.path()};
}

Ending SshBench::run_stage(const std::string& type, const std::string& stage) {
    auto ending = run(command(type, stage));
    log = ending.out + ending.err;
    return ending;
}

int SshBench::end_at(const std::string& name, const std::string& type, int signal) {
    auto program = ChildProgram(command(type, "provision"));
    EXPECT_TRUE(came_to(name)) << program.err();
    // Like the agent's supervisor, signals every process, also the shared ssh connection.
    for (const auto pid : living_below(program.pid())) ::kill(pid, signal);
    program.signal(signal);
    const auto ending = program.wait();
    log = ending.out + ending.err;
    return ending.code;
}

void SshBench::attach(const std::string& content) {
    fs::create_directories(folder / "attachments/provision");
    folder.write("attachments/provision/image", content);
    job["provision_data"]["use_attachment"] = "image";
}

std::string SshBench::zstd(const std::string& content) const {
    folder.write("plain", content);
    return run({"/usr/bin/zstd", {"-qc", (folder / "plain").string()}}).out;
}

bool SshBench::is_mounted() const {
    return fs::exists(control.folder() / "mnt/board-1");
}

std::string SshBench::error_of(const std::string& stage) const {
    const auto errors = Json::parse(text_of(folder / "device-connector-error.json"), nullptr, false);
    const auto found = errors.is_object() ? errors.find(stage + "_exception_info") : errors.end();
    return found == errors.end() ? "" : found->value("exception_message", "");
}

std::string SshBench::calls() const {
    return text_of(folder / "calls") + control.calls() + device.calls();
}

}  // namespace trebuchet::harness
