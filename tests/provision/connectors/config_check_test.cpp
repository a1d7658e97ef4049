#include "provision/connectors/config_check.hpp"

#include "provision/connectors/registry.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

ConfigFindings check(const std::string& text, std::string_view type = "") {
    return check_config(text, "default.yaml", type);
}

TEST(ConfigCheck, AcceptsTheReferencesKeys) {
    const auto findings = check(
        "agent_name: a\ndevice_ip: 10.0.0.7\nserial_port: '2001'\nreboot_script: [a, b]\nenv: {A: b}\n"
        "test_device:\nselect_master_script: [x]\nmaas_user: x\ntimeout_min: 60\n");
    EXPECT_THAT(findings.problems, IsEmpty());
    EXPECT_THAT(findings.warnings, IsEmpty());
}

/// Shapes of the files of real labs, without their names: TYPE-WHAT.yaml.
TEST(ConfigCheck, SaysNothingOfFilesOfRealLabs) {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(CONNECTOR_CONFIGS)) {
        const auto name = entry.path().filename().string();
        const auto findings = check(text_of(entry.path()), name.substr(0, name.find('-')));
        EXPECT_THAT(findings.problems, IsEmpty()) << name;
        EXPECT_THAT(findings.warnings, IsEmpty()) << name;
        ++files;
    }
    EXPECT_GE(files, 12);
}

TEST(ConfigCheck, WarnsAboutUnknownKeys) {
    const auto findings = check("agent_name: a\nserial_prt: 1\nzzzzzzzzzzz: 1\nqemu_kernal: x\n");
    EXPECT_THAT(findings.problems, IsEmpty());
    EXPECT_THAT(findings.warnings,
                ElementsAre(AllOf(StartsWith("default.yaml:2:1: "), HasSubstr("did you mean \"serial_port\"?")),
                            AllOf(StartsWith("default.yaml:3:1: "), Not(HasSubstr("did you mean"))),
                            AllOf(StartsWith("default.yaml:4:1: "), HasSubstr("did you mean \"qemu_kernel\"?"))));
}

TEST(ConfigCheck, WarnsAboutKeysOfAnotherType) {
    EXPECT_THAT(check("qemu_disk: sd.img\n", "fake_connector").warnings,
                ElementsAre(AllOf(StartsWith("default.yaml:1:1: "), HasSubstr("is a key of qemu"))));
    EXPECT_THAT(check("qemu_disk: sd.img\n").warnings, IsEmpty());
}

TEST(ConfigCheck, AcceptsTheSameDurationsAsARun) {
    const auto text =
        "provision_cmds: [make]\nprovision_timeout: 2h30m\ncleanup_timeout: 90\nprovision_retries: \"\"\n";
    EXPECT_THAT(check(text, "command").problems, IsEmpty());
    EXPECT_THAT(check("provision_timeout: 1.5\n", "command").problems, ElementsAre(HasSubstr("default.yaml:1:20: ")));
}

TEST(ConfigCheck, ReportsTheTypesOwnProblems) {
    EXPECT_THAT(check("agent_name: a\ntest_device: sda\n", "muxpi").problems,
                ElementsAre(HasSubstr("control_host is missing"), HasSubstr("test_device: found \"sda\"")));
    EXPECT_THAT(check("agent_name: a\n", "noprovision").problems, ElementsAre(HasSubstr("device_ip is missing")));
}

TEST(ConfigCheck, ReportsWrongValuesWithLineAndColumn) {
    const auto findings = check(
        "agent_name: [a]\nserial_port: http\ndevice_port: 70000\nreboot_script: {a: b}\nenv: [A]\n"
        "qemu_memory: 1G\nqemu_start: perhaps\nqemu_boot_timeout: soon\npower: nuclear\n");
    EXPECT_THAT(
        findings.problems,
        ElementsAre(StartsWith("default.yaml:1:13: agent_name: "), StartsWith("default.yaml:2:14: serial_port: "),
                    StartsWith("default.yaml:3:14: device_port: "), StartsWith("default.yaml:4:16: reboot_script: "),
                    StartsWith("default.yaml:5:6: env: "),
                    AllOf(StartsWith("default.yaml:6:14: qemu_memory: "), HasSubstr("expected a number")),
                    StartsWith("default.yaml:7:13: qemu_start: "), StartsWith("default.yaml:8:20: qemu_boot_timeout: "),
                    AllOf(StartsWith("default.yaml:9:8: power: "), HasSubstr("expected pdudaemon or qmp"))));
}

TEST(ConfigCheck, ReportsMissingRequiredKeys) {
    EXPECT_THAT(check("agent_name: a\n", "qemu").problems,
                ElementsAre(AllOf(StartsWith("default.yaml: qemu needs the key \"qemu_disk\""))));
    EXPECT_THAT(check("qemu_disk: sd.img\n", "qemu").problems, ElementsAre(HasSubstr("no device_ip and device_port")));
    EXPECT_THAT(check("qemu_disk: sd.img\nqemu_start: yes\ndevice_ip: 127.0.0.1\ndevice_port: 2222\n", "qemu").problems,
                IsEmpty());
}

TEST(ConfigCheck, RefusesAnythingButAMap) {
    EXPECT_THAT(check("- a\n").problems, ElementsAre(StartsWith("default.yaml:1:1: ")));
    EXPECT_THAT(check("a: [\n").problems, ElementsAre(StartsWith("default.yaml:")));
    EXPECT_THAT(check("agent_name: a\nagent_name: b\n").warnings, ElementsAre(StartsWith("default.yaml:2:1")));
    EXPECT_THAT(check("").problems, IsEmpty());
}

TEST(KeySpecs, AreDeclaredOncePerType) {
    for (const auto& type : connector_types()) {
        const auto keys = make_connector(type)->keys();
        for (const auto& list : {keys.config, keys.provision_data}) {
            for (const auto& spec : list) {
                EXPECT_EQ(std::count_if(list.begin(), list.end(), [&](const auto& s) { return s.name == spec.name; }),
                          1)
                    << type << ' ' << spec.name;
                EXPECT_FALSE(spec.help.empty()) << type << ' ' << spec.name;
                EXPECT_EQ(spec.kind == KeyKind::choice, !spec.choices.empty()) << type << ' ' << spec.name;
            }
        }
    }
}

}  // namespace
}  // namespace trebuchet
