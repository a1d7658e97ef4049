#pragma once

#include "agent/config/config.hpp"
#include "agent/job/job.hpp"
#include "agent/server/job_server.hpp"
#include "common/base/result.hpp"

#include <filesystem>
#include <string>

namespace trebuchet {

/// A result that the reference agent could not send, a folder in `results_basedir`:
///
///     testflinger.json           the job, with its secrets
///     testflinger-outcome.json   {"status": {phase: code}}
///     artifacts/                 not masked
///
/// Packed, the artifacts stand beside them as artifacts.tar.gz, masked.
struct ReferenceResult {
    std::filesystem::path folder;

    [[nodiscard]] std::string job_id() const { return folder.filename().string(); }
    [[nodiscard]] std::filesystem::path archive() const { return folder / "artifacts.tar.gz"; }
    [[nodiscard]] bool has_outcome() const;
    [[nodiscard]] bool has_artifacts_to_pack() const;

    /// What can be understood of it; codes of phases that nobody knows are left out.
    [[nodiscard]] Result<PhaseStatus> read_status() const;
    /// Makes the archive, masked with the job's secrets as the configuration has it; an Error also if it has that none
    /// is sent. Takes its time; on any thread.
    [[nodiscard]] Result<void> pack_artifacts(const TrebuchetConfig& config) const;
    void remove_artifacts() const;
};

}  // namespace trebuchet
