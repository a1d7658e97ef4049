#pragma once

#include "agent/api/job_server.hpp"
#include "agent/config/config.hpp"
#include "agent/job/job.hpp"
#include "common/base/result.hpp"

#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

/// A result that the reference agent could not send, a folder in `results_basedir`:
///
///     testflinger.json           the job, with its secrets
///     testflinger-outcome.json   {"status": {phase: code}}
///     artifacts/                 not masked
///
/// The artifacts are masked and packed into a folder of our own, because a phase may have written to theirs.
struct ReferenceResult {
    std::filesystem::path folder;
    std::filesystem::path packed;  ///< folder for the archives

    [[nodiscard]] std::string job_id() const { return folder.filename().string(); }
    [[nodiscard]] std::filesystem::path archive() const { return packed / (job_id() + ".tar.gz"); }
    /// One of these files marks a result, or one that the reference agent may still finish. Other folders are ignored.
    [[nodiscard]] bool has_job() const;
    [[nodiscard]] bool has_outcome() const;
    [[nodiscard]] bool has_artifacts_to_pack() const;

    /// The exit codes in the outcome file; invalid entries are ignored.
    [[nodiscard]] Result<PhaseStatus> read_status() const;
    /// Creates the archive, masked as configured with the job's secrets and `own`. Fails if the configuration forbids
    /// sending. The Error is final, except for disk errors. May take minutes; runs on any thread; `stop` aborts it.
    [[nodiscard]] Result<void> pack_artifacts(const TrebuchetConfig& config, std::vector<NamedSecret> own,
                                              const std::atomic<bool>* stop) const;
    void remove_artifacts() const;
    void remove() const;
};

}  // namespace trebuchet
