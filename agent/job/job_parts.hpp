#pragma once

#include "agent/config/config.hpp"
#include "agent/job/job.hpp"
#include "agent/job/job_control.hpp"
#include "agent/job/job_listener.hpp"
#include "agent/job/log_sink.hpp"
#include "agent/job/own_secrets.hpp"
#include "agent/job/phase_user.hpp"
#include "agent/secrets/granted_secrets.hpp"
#include "agent/secrets/repository_of_job.hpp"
#include "common/event/event_loop.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace trebuchet {

/// What a JobRunner needs. Everything referred to must outlive it.
struct JobParts {
    EventLoop& loop;
    const Config& config;
    const Job& job;
    std::shared_ptr<const MaskSet> masks;
    std::filesystem::path secret_base;  ///< this agent's folder on tmpfs
    LogSink& log;
    JobListeners listeners;
    JobControl& control;
    /// The user that runs the phases; nullopt: the agent's user.
    std::optional<PhaseUser> phase_user = std::nullopt;
    /// The folder for the packed artifacts; nullopt: the run folder.
    std::optional<std::filesystem::path> archive_folder = std::nullopt;
    /// Downloads the job's attachments, a gzip tar, into this new file; null: attachments are not available.
    std::function<Result<void>(const std::filesystem::path& file)> fetch_attachments = nullptr;
    std::shared_ptr<OwnSecrets> own_secrets = std::make_shared<OwnSecrets>();
    /// The lab's secrets for this job; null: it gets none.
    GrantedSecrets* granted = nullptr;
    /// The values of the tested repository for this job; null: none.
    RepositoryOfJob* repository = nullptr;
    /// Called when the run folder is about to be created.
    std::function<void()> on_run_folder = [] {};
    /// Called for each value that a phase registers.
    std::function<void(std::string_view value)> on_mask_added = [](std::string_view) {};
};

}  // namespace trebuchet
