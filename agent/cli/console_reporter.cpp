#include "agent/cli/console_reporter.hpp"

#include "agent/job/job_state.hpp"
#include "common/log/log.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <ostream>
#include <utility>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

constexpr const char* bold = "\x1b[1m";
constexpr const char* green = "\x1b[1;32m";
constexpr const char* red = "\x1b[1;31m";
constexpr const char* plain = "\x1b[0m";

std::string local_time(std::chrono::system_clock::time_point time) {
    const auto seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    localtime_r(&seconds, &parts);
    std::array<char, 16> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%H:%M:%S", &parts)};
}

std::string duration_text(std::chrono::steady_clock::duration time) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f s", std::chrono::duration<double>(time).count());
    return text.data();
}

}  // namespace

ConsoleReporter::ConsoleReporter(const Clock& clock, std::ostream& out, bool colour, std::filesystem::path folder)
    : clock_(clock),
      out_(out),
      colour_(colour),
      folder_(std::move(folder)),
      job_began_(clock.now()),
      phase_began_(clock.now()) {}

void ConsoleReporter::heading(std::string_view text, const char* colour_code) {
    if (!at_line_start_) out_ << '\n';
    if (colour_) out_ << colour_code;
    out_ << "=== " << local_time(clock_.wall_time()) << "  " << text;
    if (colour_) out_ << plain;
    out_ << std::endl;
    at_line_start_ = true;
}

void ConsoleReporter::keep(const std::string& file, const MaskedChunk& text) {
    auto& fd = files_[file];
    if (!fd) {
        const auto path = folder_ / file;
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
        auto created = create_new_file(path);
        if (!created) return log_error(created.error().message());
        fd = std::move(*created);
    }
    if (auto written = write_all(fd.get(), text.bytes()); !written) {
        log_error((folder_ / file).string() + ": " + written.error().message());
    }
}

void ConsoleReporter::job_taken(const Job& job) {
    heading("job " + job.id, bold);
}

void ConsoleReporter::phase_runs(Phase phase) {
    phase_began_ = clock_.now();
    heading(name_of(phase), bold);
}

void ConsoleReporter::output(Phase phase, const MaskedChunk& text) {
    if (text.empty()) return;
    out_ << text.bytes() << std::flush;
    at_line_start_ = text.bytes().back() == '\n';
    keep(std::string(name_of(phase)) + ".log", text);
}

void ConsoleReporter::serial(Phase phase, const MaskedChunk& text) {
    keep(std::string(name_of(phase)) + "-serial.log", text);
}

void ConsoleReporter::device_info(const MaskedJson& info) {
    files_.erase("device-info.json");
    keep("device-info.json", info.document("device_info"));
}

void ConsoleReporter::phase_ran(Phase phase, const PhaseStatus& status) {
    const int code = status.at(phase);
    if (first_failure_ == 0) first_failure_ = code;
    const auto took = duration_text(clock_.now() - phase_began_);
    heading(std::string(name_of(phase)) +
                (code == 0 ? ": ok, " : ": failed with exit code " + std::to_string(code) + ", ") + took,
            code == 0 ? green : red);
}

void ConsoleReporter::recovery_failed(const std::string& /*comment*/) {
    heading("the device could not be recovered (exit code 46): somebody has to repair it", red);
}

void ConsoleReporter::device_in_doubt(const MaskedChunk& comment) {
    heading("an agent would go offline now: " + std::string(comment.bytes()), red);
}

void ConsoleReporter::artifacts_packed(const std::filesystem::path& archive) {
    std::error_code error;
    std::filesystem::copy_file(archive, folder_ / "artifacts.tar.gz", std::filesystem::copy_options::overwrite_existing,
                               error);
    if (error) log_error("cannot keep the artifacts: " + error.message());
}

void ConsoleReporter::job_finished(const PhaseStatus& status, bool /*cancelled*/) {
    const nlohmann::json outcome{{"job_state", name_of(JobState::complete)}, {"status", status_json(status)}};
    const auto kept = write_file(folder_ / "testflinger-outcome.json", outcome.dump(2) + "\n");
    if (!kept) log_error("cannot keep the outcome: " + kept.error().message());
    heading("done in " + duration_text(clock_.now() - job_began_) + ", files are in " + folder_.string(),
            first_failure_ == 0 ? green : red);
}

}  // namespace trebuchet
