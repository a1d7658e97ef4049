#include "agent/job/artifact_step.hpp"

#include "agent/job/job_step.hpp"
#include "agent/job/pack_artifacts.hpp"
#include "common/event/beside.hpp"
#include "common/log/log.hpp"

#include <string>

namespace trebuchet {
namespace {

/// How long packing may continue after stop_now().
constexpr std::chrono::seconds packing_limit{1};

}  // namespace

ArtifactStep::ArtifactStep(RunningJob& job) : job_(job), limit_(job.parts.loop) {}

void ArtifactStep::stop_now() {
    limit_.start(packing_limit, [this] { stop_packing_ = true; });
}

void ArtifactStep::run(const RunFolder& folder) {
    std::optional<std::filesystem::path> archive;
    job_.with_masks("the artifacts are", [&] { archive = pack(folder); });
    job_.report_masks();
    if (!archive) return;
    job_.parts.listeners.tell(&JobListener::artifacts_packed, *archive);
    job_.parts.control.upload_artifacts(*archive);
    reached("artifacts posted");
}

std::optional<std::filesystem::path> ArtifactStep::pack(const RunFolder& folder) {
    const auto artifacts = folder.artifacts();
    if (!artifacts) return std::nullopt;
    const auto& id = job_.parts.job.id;
    const auto masking = job_.parts.config.trebuchet.artifacts_masking;
    const auto archive = job_.parts.archive_folder.value_or(folder.path()) / "artifacts.tar.gz";
    reached("packing artifacts");
    tl::expected<PackedArtifacts, Error> packed;
    run_beside(job_.parts.loop, [&, masks = job_.masks.current()] {
        packed = pack_artifacts(*artifacts, archive, masking, masks, &stop_packing_);
    });
    if (!packed) {
        log_error("job " + id + ": cannot pack the artifacts, they are not sent: " + packed.error().message());
        return std::nullopt;
    }
    job_.mask_report.at("artifacts")->merge(packed->found);
    std::string lines;
    for (const auto& note : packed->left_out) lines += "artifact left out: " + note + "\n";
    for (const auto& line : packed->withheld) lines += line + "\n";
    if (!lines.empty()) job_.add_to_log("\n" + lines);
    if (!packed->may_be_sent) {
        log_warning("job " + id + ": the artifacts are not sent, because they contain a secret");
        job_.event("artifacts_refused", lines);
        return std::nullopt;
    }
    reached("artifacts packed");
    return archive;
}

}  // namespace trebuchet
