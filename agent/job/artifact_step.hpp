#pragma once

#include "agent/job/run_folder.hpp"
#include "agent/job/running_job.hpp"

#include <atomic>
#include <filesystem>
#include <optional>

namespace trebuchet {

/// Packs what a job left in `artifacts/` of its run folder, masked, and hands it over. Reports what was masked in the
/// whole job in between: the artifacts are the last place where something is masked.
class ArtifactStep {
  public:
    explicit ArtifactStep(RunningJob& job);

    void run(const RunFolder& folder);
    /// Packing has only a moment left: small artifacts are still kept for the next start.
    void stop_now();

  private:
    /// The archive to send, or nothing; the job's log says which files are withheld.
    std::optional<std::filesystem::path> pack(const RunFolder& folder);

    RunningJob& job_;
    std::atomic<bool> stop_packing_{false};  ///< read by the thread that packs
    Timer limit_;
};

}  // namespace trebuchet
