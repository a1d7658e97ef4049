#pragma once

#include "agent/job/run_folder.hpp"
#include "agent/job/running_job.hpp"

#include <atomic>
#include <filesystem>
#include <optional>

namespace trebuchet {

/// Packs and masks what a job left in `artifacts/` of its run folder, and uploads it. Before the upload, reports what
/// was masked in the whole job, because nothing is masked after the artifacts.
class ArtifactStep {
  public:
    explicit ArtifactStep(RunningJob& job);

    void run(const RunFolder& folder);
    /// Lets packing run for 1 more second, enough to keep small artifacts for the next start.
    void stop_now();

  private:
    /// Returns the archive to send, if any. The job's log says which files are withheld.
    std::optional<std::filesystem::path> pack(const RunFolder& folder);

    RunningJob& job_;
    std::atomic<bool> stop_packing_{false};  ///< read by the thread that packs
    Timer limit_;
};

}  // namespace trebuchet
