#pragma once

#include "agent/daemon/daemon.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_job_server.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// A daemon with a server in memory. Unless a test says otherwise it is stopped when it finds no job.
class DaemonFixture : public testing::Test {
  protected:
    DaemonFixture() {
        config_.agent_id = "rpi4-1";
        config_.server_address = "http://lab";
        config_.job_queues = {"rpi4"};
        config_.polling_interval = std::chrono::seconds(0);
        config_.execution_basedir = folder_ / "run";
        config_.results_basedir = folder_ / "results";
        config_.trebuchet.stop_grace = std::chrono::milliseconds(0);
        config_.trebuchet.kill_grace = std::chrono::milliseconds(50);
        server_.on_effect = [this](const nlohmann::json& effect) {
            if (effect == nlohmann::json{"idle"}) daemon_.stop();
        };
    }

    DaemonEnd run() { return daemon_.run(); }
    void command(Phase phase, const std::string& text) { config_.phase_commands[std::string(name_of(phase))] = text; }
    /// Calls `action` once, after this effect.
    void after(const nlohmann::json& effect, std::function<void()> action) {
        server_.on_effect = [before = server_.on_effect, effect, action = std::move(action),
                             done = false](const nlohmann::json& happened) mutable {
            before(happened);
            if (done || happened != effect) return;
            done = true;
            action();
        };
    }
    /// Stops the daemon at this moment, in place of any that was given before.
    void stop_at(const Moment& moment) {
        server_.at(moment, [this, stop = ++stops_] {
            if (stop == stops_) daemon_.stop();
        });
    }
    /// Calls `action` at each poll that finds no job, in place of stopping the daemon.
    void when_idle(std::function<void()> action) {
        server_.on_effect = [action = std::move(action)](const nlohmann::json& effect) {
            if (effect == nlohmann::json{"idle"}) action();
        };
    }
    DaemonParts parts_for(EventLoop& loop, FakeJobServer& server) {
        return {loop,
                clock_,
                config_,
                server,
                metrics_,
                false,
                [] { return no_waiting(); },
                folder_ / "secret",
                folder_ / "state",
                [this] { return held_back_; },
                [this](const std::string& status) { on_status_(status); },
                std::nullopt,
                own_secrets_};
    }
    /// The agent's states that were posted: "STATE COMMENT".
    [[nodiscard]] std::vector<std::string> states() const {
        std::vector<std::string> all;
        for (const auto& effect : server_.effects) {
            if (effect[0] != "agent_state") continue;
            const auto comment = effect[2].get<std::string>();
            all.push_back(effect[1].get<std::string>() + (comment.empty() ? "" : " " + comment));
        }
        return all;
    }

    int stops_ = 0;
    std::optional<HeldBack> held_back_;
    std::shared_ptr<OwnSecrets> own_secrets_ = std::make_shared<OwnSecrets>();
    std::function<void(const std::string&)> on_status_ = [](const std::string&) {};
    EventLoop loop_;
    FakeClock clock_;
    TemporaryFolder folder_;
    Config config_;
    FakeJobServer server_{loop_};
    AgentMetrics metrics_{"rpi4-1", ""};
    Daemon daemon_{parts_for(loop_, server_)};
};

}  // namespace trebuchet
