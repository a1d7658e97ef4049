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
/// The artifacts are packed, masked, into a folder of ours: a phase may have written to theirs.
struct ReferenceResult {
    std::filesystem::path folder;
    std::filesystem::path packed;  ///< folder of the archives

    [[nodiscard]] std::string job_id() const { return folder.filename().string(); }
    [[nodiscard]] std::filesystem::path archive() const { return packed / (job_id() + ".tar.gz"); }
    /// It is a result, or may become one when the reference agent goes on. Other folders are left alone.
    [[nodiscard]] bool has_job() const;
    [[nodiscard]] bool has_outcome() const;
    [[nodiscard]] bool has_artifacts_to_pack() const;

    /// The exit codes of the outcome file; entries that make no sense are ignored.
    [[nodiscard]] Result<PhaseStatus> read_status() const;
    /// Makes the archive, masked with the job's secrets and `own` as the configuration says. Fails also if the
    /// configuration forbids sending. The Error is final, unless the disk is at fault. May take minutes, on any thread;
    /// `stop` ends it.
    [[nodiscard]] Result<void> pack_artifacts(const TrebuchetConfig& config, std::vector<NamedSecret> own,
                                              const std::atomic<bool>* stop) const;
    void remove_artifacts() const;
    void remove() const;
};

}  // namespace trebuchet
