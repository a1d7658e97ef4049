#pragma once

#include "agent/job/job_reporter.hpp"

namespace trebuchet {

/// Passes everything on to another reporter, which must outlive it: what decorators have in common.
class ForwardingReporter : public JobReporter {
  public:
    explicit ForwardingReporter(JobReporter& inner) : inner_(inner) {}

    void job_taken(const Job& job) override { inner_.job_taken(job); }
    void job_resumed(const Job& job) override { inner_.job_resumed(job); }
    void phase_entered(Phase phase) override { inner_.phase_entered(phase); }
    void phase_runs(Phase phase) override { inner_.phase_runs(phase); }
    void process_starts(Phase phase, const std::string& marker) override { inner_.process_starts(phase, marker); }
    void process_started(const ProcessIdentity& supervisor) override { inner_.process_started(supervisor); }
    void output(Phase phase, const MaskedChunk& text) override { inner_.output(phase, text); }
    void serial(Phase phase, const MaskedChunk& text) override { inner_.serial(phase, text); }
    [[nodiscard]] bool is_full() const override { return inner_.is_full(); }
    void on_room(std::function<void()> handler) override { inner_.on_room(std::move(handler)); }
    void wait_for_serial_room() override { inner_.wait_for_serial_room(); }
    void device_info(const MaskedJson& info) override { inner_.device_info(info); }
    void phase_ran(Phase phase, const PhaseStatus& status) override { inner_.phase_ran(phase, status); }
    void event(std::string_view name, const MaskedChunk& detail) override { inner_.event(name, detail); }
    void stay_allocated() override { inner_.stay_allocated(); }
    void provision_log(int exit_code, const MaskedChunk& detail) override { inner_.provision_log(exit_code, detail); }
    void recovery_failed(const std::string& comment) override { inner_.recovery_failed(comment); }
    void artifacts(const std::filesystem::path& archive) override { inner_.artifacts(archive); }
    void secrets_masked(const LeakReport& report) override { inner_.secrets_masked(report); }
    void job_finished(const PhaseStatus& status, bool cancelled) override { inner_.job_finished(status, cancelled); }
    [[nodiscard]] bool is_cancelled() override { return inner_.is_cancelled(); }
    void watch_for_cancel(std::function<void()> handler) override { inner_.watch_for_cancel(std::move(handler)); }
    void unwatch() override { inner_.unwatch(); }
    void hurry() override { inner_.hurry(); }

  private:
    JobReporter& inner_;
};

}  // namespace trebuchet
