#pragma once

#include "tests/fakes/temporary_folder.hpp"
#include "tests/integration/harness/child_program.hpp"
#include "tests/integration/provision/ssh_host.hpp"

#include <string>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet::harness {

/// The device connector against hosts that are real processes: a control host with a card behind a mux, and a device.
/// After each test no secret stands in any command line, and nothing is left of ssh.
class SshBench : public ::testing::Test {
  protected:
    SshBench();
    void TearDown() override;

    /// A file on the control host.
    [[nodiscard]] std::string file(const std::string& name) const { return (control.folder() / name).string(); }
    /// A program beside the connector; "power" appends its arguments to power().
    void here(const std::string& name, const std::string& script) const;
    /// For scripts: notes the power's new state, and that it was switched, for was_switched().
    [[nodiscard]] std::string switch_power() const;
    [[nodiscard]] bool was_switched() const;
    /// For scripts: an end that does not come by itself.
    [[nodiscard]] std::string hang() const;
    /// For scripts: leaves a sign for came_to().
    [[nodiscard]] std::string sign(const std::string& name) const;
    [[nodiscard]] bool came_to(const std::string& name) const;

    [[nodiscard]] Command command(const std::string& type, const std::string& stage) const;
    /// Runs the stage to its end. `log` is for who reads a failure.
    Ending run_stage(const std::string& type, const std::string& stage = "provision");
    /// Runs provision until came_to(sign), and sends it a signal. Returns its exit code.
    int end_at(const std::string& name, const std::string& type, int signal);

    /// The image of the job is an attachment with this content.
    void attach(const std::string& content);
    [[nodiscard]] std::string zstd(const std::string& content) const;

    /// What is on the card.
    [[nodiscard]] std::string card() const { return text_of(control.folder() / "card"); }
    /// The mux's last order.
    [[nodiscard]] std::string mux() const { return text_of(control.folder() / "mux"); }
    /// All orders to the switch of the device's power.
    [[nodiscard]] std::string power() const { return text_of(folder / "power"); }
    [[nodiscard]] bool is_mounted() const;
    /// From device-connector-error.json.
    [[nodiscard]] std::string error_of(const std::string& stage = "provision") const;
    /// Command lines of all programs, here and on both hosts.
    [[nodiscard]] std::string calls() const;

    TemporaryFolder folder;
    SshHost control;
    SshHost device;
    nlohmann::json config;
    nlohmann::json job;
    std::string log;
};

}  // namespace trebuchet::harness
