#pragma once

#include "agent/job/job_listener.hpp"
#include "agent/job/log_sink.hpp"
#include "common/base/clock.hpp"
#include "common/file/safe_file.hpp"

#include <filesystem>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>

namespace trebuchet {

/// Shows a job live on the console, and writes what the server would get to a folder: `<phase>.log`,
/// `<phase>-serial.log`, `device-info.json`, `artifacts.tar.gz`, `testflinger-outcome.json`.
class ConsoleReporter final : public LogSink, public JobListener {
  public:
    /// `colour`: use terminal colours in `out`.
    ConsoleReporter(const Clock& clock, std::ostream& out, bool colour, std::filesystem::path folder);

    void output(Phase phase, const MaskedChunk& text) override;
    void serial(Phase phase, const MaskedChunk& text) override;

    void job_taken(const Job& job) override;
    void phase_runs(Phase phase) override;
    void device_info(const MaskedJson& info) override;
    void phase_ran(Phase phase, const PhaseStatus& status) override;
    void recovery_failed(const std::string& comment) override;
    void device_in_doubt(const MaskedChunk& comment) override;
    void artifacts_packed(const std::filesystem::path& archive) override;
    void job_finished(const PhaseStatus& status, bool cancelled) override;

    /// The exit code of the phase that failed first; 0 if none failed.
    [[nodiscard]] int first_failure() const { return first_failure_; }

  private:
    void heading(std::string_view text, const char* colour_code);
    void keep(const std::string& file, const MaskedChunk& text);

    const Clock& clock_;
    std::ostream& out_;
    bool colour_;
    std::filesystem::path folder_;
    std::map<std::string, FileDescriptor> files_;
    std::chrono::steady_clock::time_point job_began_;
    std::chrono::steady_clock::time_point phase_began_;
    bool at_line_start_ = true;
    int first_failure_ = 0;
};

}  // namespace trebuchet
