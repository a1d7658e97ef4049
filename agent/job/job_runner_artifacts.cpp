#include "agent/job/job_runner.hpp"
#include "agent/job/job_step.hpp"
#include "agent/job/pack_artifacts.hpp"
#include "common/event/beside.hpp"
#include "common/log/log.hpp"

namespace trebuchet {

void JobRunner::upload_artifacts(const RunFolder& folder) {
    std::optional<std::filesystem::path> archive;
    with_masks("the artifacts are", [&] { archive = make_archive(folder); });
    report_leaks();
    if (!archive) return;
    reporter_.artifacts(*archive);
    reached("artifacts posted");
}

std::optional<std::filesystem::path> JobRunner::make_archive(const RunFolder& folder) {
    const auto artifacts = folder.artifacts();
    if (!artifacts) return std::nullopt;
    const auto archive = archive_folder.value_or(folder.path()) / "artifacts.tar.gz";
    reached("packing artifacts");
    tl::expected<PackedArtifacts, Error> packed;
    run_beside(loop_, [&, masks = masks_.current()] {
        packed = pack_artifacts(*artifacts, archive, config_.trebuchet.artifacts_masking, masks, &stop_packing_);
    });
    if (!packed) {
        log_error("the artifacts are not sent: " + packed.error().message());
        return std::nullopt;
    }
    leaks_.at("artifacts")->merge(packed->found);
    for (const auto& note : packed->left_out) log_warning("an artifact is left out: " + note);
    std::string lines;
    for (const auto& line : packed->withheld) lines += line + "\n";
    if (!lines.empty()) add_to_log("\n" + lines);
    if (!packed->may_be_sent) {
        log_warning("the artifacts of job " + job_.id + " are not sent: a secret stands in them");
        event("artifacts_refused", lines);
        return std::nullopt;
    }
    reached("artifacts packed");
    return archive;
}

void JobRunner::report_leaks() {
    if (leaks_.empty()) return;
    with_masks("the list of masked secrets is", [&] {
        const auto lines = leaks_.text();
        add_to_log("\nSecrets that were masked in this job:\n" + lines);
        reporter_.event("secrets_masked", mask(lines));
        reporter_.secrets_masked(leaks_);
    });
}

}  // namespace trebuchet
