#pragma once

#include "provision/connectors/registry.hpp"
#include "tests/provision/support/fakes.hpp"

#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace trebuchet {

/// A connector with fake commands and a fake clock.
class StageTest : public testing::Test {
  protected:
    StageTest() {
        interrupt_.clock = &clock_;
        config_.agent_name = "board-1";
        config_.device_ip = "10.0.0.7";
    }

    StageResult run(const char* type, Stage stage = Stage::provision) {
        const auto job = JobFile::parse(job_, "job.json");
        if (!job) throw std::runtime_error(job.error().message());
        StageContext context{config_, *job, log_, commands_, interrupt_, clock_, [] { return 0.999999; }, out_};
        return make_connector(type)->run(stage, context);
    }
    /// Sets the result of commands whose last word (or first word, with `first`) contains `text`.
    void when(const std::string& text, CommandEnd end, const std::string& output = "") {
        rules_.push_back({text, std::move(end), output});
        commands_.answer = [this](const Command& command) -> std::optional<CommandResult> {
            std::string line(command.input.value_or(""));
            for (const auto& word : command.argv) line += " " + word;
            for (const auto& rule : rules_) {
                if (line.find(rule.text) != std::string::npos) return CommandResult{rule.end, rule.output};
            }
            return std::nullopt;
        };
    }
    [[nodiscard]] std::size_t count(const std::string& text) const {
        std::size_t found = 0;
        for (std::size_t i = 0; i < commands_.commands.size(); ++i) {
            auto line = commands_.inputs.at(i);
            for (const auto& word : commands_.commands[i]) line += " " + word;
            if (line.find(text) != std::string::npos) ++found;
        }
        return found;
    }

    struct Rule {
        std::string text;
        CommandEnd end;
        std::string output;
    };
    FakeClock clock_;
    ConnectorLog log_{clock_, "board-1", -1};
    ConnectorConfig config_;
    std::string job_ = "{}";
    FakeCommandRunner commands_;
    FakeInterrupt interrupt_;
    std::ostringstream out_;
    std::vector<Rule> rules_;
};

}  // namespace trebuchet
