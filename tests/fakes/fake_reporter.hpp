#pragma once

#include "agent/job/job_control.hpp"
#include "agent/job/job_listener.hpp"
#include "agent/job/log_sink.hpp"
#include "agent/secrets/granted_secrets.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// Records reports in order as "what: …" lines in `reports`, and texts by phase. `calls` contains the same lines and
/// the other calls of the runner.
class FakeReporter final : public LogSink, public JobListener, public JobControl {
  public:
    std::vector<std::string> reports;
    std::vector<std::string> calls;
    std::map<Phase, std::string> outputs;
    std::map<Phase, std::string> serials;
    std::vector<std::pair<std::string, std::string>> events;
    std::vector<nlohmann::json> device_infos;
    PhaseStatus last_status;
    std::string marker;  ///< the marker of the last process
    std::optional<ProcessIdentity> supervisor;

    bool full = false;
    bool cancelled = false;
    /// Called for each line of `reports`, and for each piece of output and serial log: "output: PHASE", "serial:
    /// PHASE".
    std::function<void(const std::string&)> on_report = [](const std::string&) {};
    /// Called with the archive before it is deleted.
    std::function<void(const std::filesystem::path&)> on_artifacts = [](const std::filesystem::path&) {};

    /// Handlers that the runner has set, for the test to call.
    std::function<void()> room_handler;
    std::function<void()> cancel_handler;

    void job_taken(const Job& job) override { note("job_taken: " + job.id); }
    void job_resumed(const Job& job) override { note("job_resumed: " + job.id); }
    void phase_entered(Phase phase) override { note("entered: " + name(phase)); }
    void phase_runs(Phase phase) override { note("runs: " + name(phase)); }
    void process_starts(Phase /*phase*/, const std::string& phase_marker) override { marker = phase_marker; }
    void process_started(const ProcessIdentity& identity) override { supervisor = identity; }
    void output(Phase phase, const MaskedChunk& text) override {
        outputs[phase] += text.bytes();
        on_report("output: " + name(phase));
    }
    void serial(Phase phase, const MaskedChunk& text) override {
        serials[phase] += text.bytes();
        on_report("serial: " + name(phase));
    }
    [[nodiscard]] bool is_full() const override { return full; }
    void on_room(std::function<void()> handler) override { room_handler = std::move(handler); }
    void wait_while_allocated() override { note("allocated"); }
    void wait_for_log_upload() override { calls.emplace_back("log uploaded"); }
    void post_status(const PhaseStatus& /*status*/) override { calls.emplace_back("status posted"); }
    void artifacts_packed(const std::filesystem::path& /*archive*/) override { calls.emplace_back("artifacts packed"); }
    void job_finished(const PhaseStatus& /*status*/, bool /*was_cancelled*/) override {
        calls.emplace_back("job finished");
    }
    void stop() override { note("stop"); }
    void stop_now() override { note("stop now"); }
    void device_info(const MaskedJson& info) override {
        device_infos.push_back(info.value());
        note("device_info");
    }
    void phase_ran(Phase phase, const PhaseStatus& status) override {
        last_status = status;
        note("ran: " + name(phase) + " " + std::to_string(status.at(phase)));
    }
    void event(std::string_view event_name, const MaskedChunk& detail) override {
        events.emplace_back(event_name, detail.bytes());
        note("event: " + std::string(event_name));
    }
    void provision_log(int exit_code, const MaskedChunk& detail) override {
        note("provision_log: " + std::to_string(exit_code) + " " + std::string(detail.bytes()));
    }
    void secret_access(const SecretAccess& access) override {
        calls.push_back("secret: " + access.name + " " + std::string(name_of(access.outcome)));
    }
    void recovery_failed(const std::string& comment) override { note("recovery_failed: " + comment); }
    void device_in_doubt(const MaskedChunk& comment) override { note("in doubt: " + std::string(comment.bytes())); }
    void upload_artifacts(const std::filesystem::path& archive) override {
        on_artifacts(archive);
        note("artifacts");
    }
    void deliver_outcome(const PhaseStatus& status, bool was_cancelled) override {
        last_status = status;
        note(was_cancelled ? "finished: cancelled" : "finished");
    }
    [[nodiscard]] bool is_cancelled() override { return cancelled; }
    void watch_for_cancel(std::function<void()> handler) override { cancel_handler = std::move(handler); }
    void unwatch() override { cancel_handler = nullptr; }

    /// Returns the detail of an event, or "none" if there was no such event.
    [[nodiscard]] std::string detail_of(const std::string& event_name) const {
        for (const auto& [known, detail] : events) {
            if (known == event_name) return detail;
        }
        return "none";
    }

  private:
    static std::string name(Phase phase) { return std::string(name_of(phase)); }
    void note(const std::string& line) {
        reports.push_back(line);
        calls.push_back(line);
        on_report(line);
    }
};

}  // namespace trebuchet
