#pragma once

#include "agent/api/job_server.hpp"
#include "agent/config/config.hpp"
#include "agent/job/held_back.hpp"
#include "agent/job/own_secrets.hpp"
#include "agent/job/phase_user.hpp"
#include "agent/metrics/agent_metrics.hpp"
#include "agent/metrics/status_board.hpp"
#include "agent/secrets/document_source.hpp"
#include "agent/secrets/job_identity.hpp"
#include "agent/secrets/repository_cache.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace trebuchet {

/// What a Daemon needs. All of it must outlive the daemon.
struct DaemonParts {
    EventLoop& loop;
    const Clock& clock;
    const Config& config;
    JobServer& server;
    AgentMetrics& metrics;
    bool metrics_are_served;            ///< somebody may read them
    std::function<double()> draw;       ///< jitter, in [0, 1)
    std::filesystem::path secret_base;  ///< this agent's folder on tmpfs
    std::filesystem::path state_base;   ///< this agent's state directory
    /// Asked before each poll for a job.
    std::function<std::optional<HeldBack>()> guards = [] { return std::nullopt; };
    /// Gets a text for people that says what the agent is doing: "waiting", "running job …".
    std::function<void(const std::string&)> on_status = [](const std::string&) {};
    /// The user that runs the phases; nullopt: the agent's user.
    std::optional<PhaseUser> phase_user = std::nullopt;
    std::shared_ptr<OwnSecrets> own_secrets = std::make_shared<OwnSecrets>();
    std::shared_ptr<StatusBoard> board = std::make_shared<StatusBoard>(clock);
    /// Makes the source of a job's documents in Vault. `on_accessor` as of JobGrants.
    std::function<std::unique_ptr<DocumentSource>(const JobIdentity& identity,
                                                  std::function<void(const std::string& accessor)> on_accessor)>
        documents =
            [](const auto& /*identity*/, const auto& /*on_accessor*/) { return std::make_unique<NoDocuments>(); };

    /// The files of tested repositories.
    std::shared_ptr<RepositoryCache> repositories = std::make_shared<RepositoryCache>();

    /// The folder of jobs that are running or not delivered.
    [[nodiscard]] std::filesystem::path jobs() const { return state_base / "jobs"; }
};

}  // namespace trebuchet
