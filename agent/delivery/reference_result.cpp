#include "agent/delivery/reference_result.hpp"

#include "agent/job/pack_artifacts.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"
#include "common/record_file/record_file.hpp"

#include <iterator>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* job_file = "testflinger.json";
constexpr const char* outcome_file = "testflinger-outcome.json";
constexpr std::size_t outcome_limit = 1U << 20;
constexpr std::size_t job_limit = 16U << 20;

bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::symlink_status(path, error).type() != fs::file_type::not_found && !error;
}

tl::unexpected<Error> for_good(const Error& reason) {
    return tl::unexpected(Error(reason.message(), true));
}

}  // namespace

bool ReferenceResult::has_job() const {
    return is_there(folder / job_file);
}

bool ReferenceResult::has_outcome() const {
    return is_there(folder / outcome_file);
}

bool ReferenceResult::has_artifacts_to_pack() const {
    return !is_there(archive()) && is_folder(folder / "artifacts");
}

Result<PhaseStatus> ReferenceResult::read_status() const {
    const auto file = folder / outcome_file;
    const auto text = read_untrusted(file, outcome_limit);
    if (!text) return fail(text.error());
    const auto document = json::parse(*text, nullptr, false);
    if (!document.is_object()) return fail(file.string() + " is not a JSON object");
    PhaseStatus status;
    if (const auto codes = document.find("status"); codes != document.end() && codes->is_object()) {
        for (const auto& [name, code] : codes->items()) {
            const auto phase = phase_named(name);
            if (phase && code.is_number_integer() && std::in_range<int>(code.get<std::int64_t>()))
                status[*phase] = code.get<int>();
        }
    }
    return status;
}

Result<void> ReferenceResult::pack_artifacts(const TrebuchetConfig& config, std::vector<NamedSecret> own,
                                             const std::atomic<bool>* stop) const {
    // Only the job document says what to mask.
    const auto document = read_untrusted(folder / job_file, job_limit);
    if (!document) return for_good(document.error());
    const auto job = parse_job(*document);
    if (!job) return for_good(job.error());
    auto secrets = job->secrets();
    std::move(own.begin(), own.end(), std::back_inserter(secrets));
    const auto masks = MaskSet::build(std::move(secrets), config.mask);
    if (!masks) return for_good(masks.error());
    if (auto made = make_private_folder(packed); !made) return made;
    const auto temporary = fs::path(archive()).concat(".new");
    const auto report =
        trebuchet::pack_artifacts(folder / "artifacts", temporary, config.artifacts_masking, *masks, stop);
    if (!report) return fail(report.error());
    for (const auto& line : report->withheld) log_warning("job " + job_id() + ": " + line);
    if (!report->may_be_sent) return for_good(Error("they contain a secret, and artifacts_masking is fail"));
    std::error_code error;
    fs::rename(temporary, archive(), error);
    if (error) return fail("cannot rename " + temporary.string() + ": " + error.message());
    return sync_folder(packed);
}

void ReferenceResult::remove_artifacts() const {
    for (const auto& path : {archive(), folder / "artifacts"}) {
        if (auto removed = remove_tree(path); !removed) log_warning(removed.error().message());
    }
}

void ReferenceResult::remove() const {
    for (const auto& path : {archive(), folder}) {
        if (auto removed = remove_tree(path); !removed) log_warning(removed.error().message());
    }
}

}  // namespace trebuchet
