#pragma once

#include "tests/fakes/temporary_folder.hpp"
#include "tests/integration/harness/child_program.hpp"
#include "tests/integration/provision/ssh_host.hpp"

#include <string>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet::harness {

/// Runs the device connector against two real sshd: a control host with a card behind a mux, and a device. After each
/// test, expects no secret in any command line, in the log or in the connector's error.
class SshBench : public ::testing::Test {
  protected:
    SshBench();
    void TearDown() override;

    /// A file on the control host.
    [[nodiscard]] std::string file(const std::string& name) const { return (control.folder() / name).string(); }
    /// Puts a program into the connector's PATH. "power" appends its arguments to power().
    void here(const std::string& name, const std::string& script) const;
    /// Script text: records the arguments in power() and that the power was switched, for was_switched().
    [[nodiscard]] std::string switch_power() const;
    [[nodiscard]] bool was_switched() const;
    /// Script text: never ends by itself.
    [[nodiscard]] std::string hang() const;
    /// Script text: creates a file for which came_to() waits.
    [[nodiscard]] std::string sign(const std::string& name) const;
    [[nodiscard]] bool came_to(const std::string& name) const;

    [[nodiscard]] Command command(const std::string& type, const std::string& stage) const;
    /// Runs the stage and waits for it to end. Sets `log`.
    Ending run_stage(const std::string& type, const std::string& stage = "provision");
    /// Runs provision until came_to(name), and sends it a signal. Returns its exit code.
    int end_at(const std::string& name, const std::string& type, int signal);

    /// Makes the job's image an attachment with this content.
    void attach(const std::string& content);
    [[nodiscard]] std::string zstd(const std::string& content) const;

    /// The content of the card.
    [[nodiscard]] std::string card() const { return text_of(control.folder() / "card"); }
    /// The last command to the mux.
    [[nodiscard]] std::string mux() const { return text_of(control.folder() / "mux"); }
    /// All commands to the power switch.
    [[nodiscard]] std::string power() const { return text_of(folder / "power"); }
    [[nodiscard]] bool is_mounted() const;
    /// The stage's error in device-connector-error.json.
    [[nodiscard]] std::string error_of(const std::string& stage = "provision") const;
    /// The command lines of all programs, on this and on both other hosts.
    [[nodiscard]] std::string calls() const;

    TemporaryFolder folder;
    SshHost control;
    SshHost device;
    nlohmann::json config;
    nlohmann::json job;
    std::string log;
};

}  // namespace trebuchet::harness
