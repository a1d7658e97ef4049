#include "agent/results/undelivered_results.hpp"

#include "agent/results/unsent_log_file.hpp"
#include "common/archive/tar_gz_writer.hpp"
#include "common/event/beside.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* job_file = "testflinger.json";
constexpr const char* outcome_file = "testflinger-outcome.json";
constexpr const char* archive_file = "artifacts.tar.gz";
constexpr std::size_t outcome_limit = 1U << 20;
/// Of a rest as a file: its uploader held a tenth of it at most, before it was escaped.
constexpr std::size_t rest_limit = std::size_t{1} << 30;
/// What takes longer goes on at the next try.
constexpr std::chrono::seconds log_limit{15};
constexpr std::size_t job_limit = 16U << 20;

constexpr std::chrono::seconds first_wait{10};
constexpr std::chrono::minutes longest_wait{5};
constexpr std::chrono::seconds longest_pass{60};
/// The reference agent may still be there and leave something.
constexpr std::chrono::minutes look_again{1};

struct Outcome {
    PhaseStatus status;
    std::string state = "complete";
};

const char* rest_file(LogSeries series) {
    return series == LogSeries::output ? "output-rest.json" : "serial-rest.json";
}

/// What can be understood of it; codes of phases that nobody knows are left out.
Result<Outcome> read_outcome(const fs::path& file) {
    const auto text = read_untrusted(file, outcome_limit);
    if (!text) return fail(text.error());
    const auto document = json::parse(*text, nullptr, false);
    if (!document.is_object()) return fail(file.string() + " is not a JSON object");
    Outcome outcome;
    if (const auto status = document.find("status"); status != document.end() && status->is_object()) {
        for (const auto& [name, code] : status->items()) {
            const auto phase = phase_named(name);
            if (phase && code.is_number_integer()) outcome.status[*phase] = code.get<int>();
        }
    }
    if (document.value("job_state", json()) == "cancelled") outcome.state = "cancelled";
    return outcome;
}

/// What is in there can't be sent: it says so, and counts as done.
Result<void> give_up(const fs::path& what, const Error& reason) {
    log_error("an old result can't be delivered and is deleted: " + what.string() + ": " + reason.message());
    return {};
}

bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::symlink_status(path, error).type() != fs::file_type::not_found && !error;
}

}  // namespace

UndeliveredResults::UndeliveredResults(EventLoop& loop, const Config& config, JobServer& server, const Clock& clock,
                                       std::function<double()> draw)
    : loop_(loop),
      config_(config),
      server_(server),
      clock_(clock),
      draw_(draw),
      backoff_(first_wait, longest_wait, std::move(draw)) {}

Result<fs::path> UndeliveredResults::folder_of(const Job& job) {
    if (auto made = make_folder(config_.results_basedir); !made) return fail(made.error());
    auto folder = config_.results_basedir / job.id;
    if (auto made = make_private_folder(folder); !made) return fail(made.error());
    if (auto written = write_file(folder / job_file, job.public_document); !written) return fail(written.error());
    next_try_.reset();
    backoff_.reset();
    return folder;
}

Result<void> UndeliveredResults::keep_log(const Job& job, LogSeries series, const UnsentLog& left) {
    const auto folder = folder_of(job);
    if (!folder) return fail(folder.error());
    return write_file(*folder / rest_file(series), unsent_log_text(left));
}

Result<void> UndeliveredResults::keep_outcome(const Job& job, const PhaseStatus& status, std::string_view state) {
    const auto folder = folder_of(job);
    if (!folder) return fail(folder.error());
    json outcome{{"status", json::object()}, {"job_state", state}};
    for (const auto& [phase, code] : status) outcome["status"][std::string(name_of(phase))] = code;
    return write_file(*folder / outcome_file, outcome.dump());
}

Result<void> UndeliveredResults::keep_artifacts(const Job& job, const fs::path& archive) {
    const auto folder = folder_of(job);
    if (!folder) return fail(folder.error());
    std::error_code error;
    run_beside(loop_,
               [&] { fs::copy_file(archive, *folder / archive_file, fs::copy_options::overwrite_existing, error); });
    if (error) return fail("can't copy " + archive.string() + " to " + folder->string() + ": " + error.message());
    return {};
}

void UndeliveredResults::deliver_if_due() {
    if (next_try_ && clock_.now() < *next_try_) return;
    next_try_ = clock_.now() + look_again;
    std::vector<fs::path> folders;
    std::error_code error;
    for (fs::directory_iterator entry(config_.results_basedir, error), end; !error && entry != end;
         entry.increment(error)) {
        if (is_folder(entry->path()) && is_job_id(entry->path().filename().string())) folders.push_back(entry->path());
    }
    std::sort(folders.begin(), folders.end());
    // One that fails does not keep the others back, unless all of it takes long: then the server is away.
    const auto give_up_at = clock_.now() + longest_pass;
    bool all_delivered = true;
    for (const auto& folder : folders) {
        if (clock_.now() > give_up_at) break;
        delivering_ = true;
        const auto delivered = deliver(folder);
        delivering_ = false;
        if (!delivered) {
            log_warning("the result of job " + folder.filename().string() +
                        " is still not delivered: " + delivered.error().message());
            all_delivered = false;
            continue;
        }
        log_info("delivered the result of job " + folder.filename().string());
        if (auto removed = remove_tree(folder); !removed) log_warning(removed.error().message());
    }
    if (all_delivered) return backoff_.reset();
    next_try_ = clock_.now() + backoff_.next();
}

Result<void> UndeliveredResults::deliver(const fs::path& folder) {
    const auto job_id = folder.filename().string();
    for (const auto series : {LogSeries::output, LogSeries::serial}) {
        if (auto sent = deliver_log(folder, job_id, series); !sent) return sent;
    }
    if (auto sent = deliver_artifacts(folder, job_id); !sent) return sent;
    return deliver_outcome(folder, job_id);
}

Result<void> UndeliveredResults::deliver_log(const fs::path& folder, const std::string& job_id, LogSeries series) {
    const auto file = folder / rest_file(series);
    if (!is_there(file)) return {};
    const auto text = read_untrusted(file, rest_limit);
    auto left = text ? parse_unsent_log(*text, series) : Result<UnsentLog>(fail(text.error()));
    if (!left) return give_up(file, left.error());
    LogUploader uploader(loop_, clock_, server_, series, job_id, draw_);
    uploader.resume(std::move(*left));
    auto sent = uploader.flush(log_limit);
    const auto rest = uploader.give_up();
    std::error_code ignored;
    if (rest.empty()) fs::remove(file, ignored);
    if (!rest.empty()) {
        if (auto kept = write_file(file, unsent_log_text(rest)); !kept) return kept;
    }
    return sent;
}

Result<void> UndeliveredResults::deliver_outcome(const fs::path& folder, const std::string& job_id) {
    const auto file = folder / outcome_file;
    if (!is_there(file)) return {};
    auto outcome = read_outcome(file);
    if (!outcome) return give_up(file, outcome.error());
    const auto state = server_.read_job_state(job_id);
    if (!state) return fail(state.error());
    if (*state == "cancelled") outcome->state = "cancelled";  // it must not be overwritten
    auto sent = server_.post_outcome(job_id, outcome->status, outcome->state);
    return !sent && sent.error().is_final() ? give_up(file, sent.error()) : sent;
}

Result<void> UndeliveredResults::deliver_artifacts(const fs::path& folder, const std::string& job_id) {
    const auto archive = folder / archive_file;
    if (!is_there(archive)) {
        const auto unmasked = folder / "artifacts";
        if (!is_folder(unmasked)) return {};
        // Without the job nobody knows what has to be masked.
        const auto document = read_untrusted(folder / job_file, job_limit);
        if (!document) return give_up(unmasked, document.error());
        const auto job = parse_job(*document);
        if (!job) return give_up(unmasked, job.error());
        const auto masks = MaskSet::build(job->secrets(), config_.trebuchet.mask);
        if (!masks) return give_up(unmasked, masks.error());
        const auto packed = pack(unmasked, archive, *masks);
        if (!packed) return give_up(unmasked, packed.error());
    }
    if (auto opened = open_untrusted(archive); !opened) return give_up(archive, opened.error());
    if (auto sent = server_.post_artifacts(job_id, archive); !sent) {
        if (!sent.error().is_final()) return sent;
        static_cast<void>(give_up(archive, sent.error()));
    }
    std::error_code ignored;
    fs::remove(archive, ignored);
    static_cast<void>(remove_tree(folder / "artifacts"));
    return {};
}

Result<void> UndeliveredResults::pack(const fs::path& folder, const fs::path& archive,
                                      const std::shared_ptr<const MaskSet>& masks) {
    const auto temporary = fs::path(archive).concat(".new");
    if (auto removed = remove_tree(temporary); !removed) return removed;
    Result<void> done;
    run_beside(loop_, [&] {
        const auto file = create_new_file(temporary);
        if (!file) {
            done = fail(file.error());
            return;
        }
        if (auto report = write_tar_gz(folder, file->get(), masks); !report) done = fail(report.error());
    });
    if (!done) return done;
    std::error_code error;
    fs::rename(temporary, archive, error);
    if (error) return fail("can't rename " + temporary.string() + ": " + error.message());
    return {};
}

}  // namespace trebuchet
