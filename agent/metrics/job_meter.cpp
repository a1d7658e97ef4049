#include "agent/metrics/job_meter.hpp"

#include "agent/secrets/granted_secrets.hpp"

#include <utility>

namespace trebuchet {

void JobMeter::job_taken(const Job& /*job*/) {
    metrics_.release_known("");
}

void JobMeter::phase_entered(Phase phase) {
    metrics_.state_is(name_of(phase));
}

void JobMeter::phase_runs(Phase phase) {
    metrics_.state_is(name_of(phase));
    began_ = clock_.now();
}

void JobMeter::phase_ran(Phase phase, const PhaseStatus& status) {
    if (const auto began = std::exchange(began_, std::nullopt)) metrics_.phase_took(phase, clock_.now() - *began);
    if (const auto code = status.find(phase); code != status.end() && code->second != 0) metrics_.job_failed(phase);
}

void JobMeter::secrets_masked(const MaskReport& report) {
    metrics_.secrets_masked(report);
}

void JobMeter::secret_access(const SecretAccess& access) {
    metrics_.secret_accessed(access.source(), name_of(access.outcome));
}

void JobMeter::recovery_failed(const std::string& /*comment*/) {
    metrics_.recovery_failed();
}

void JobMeter::cpu_used(Phase phase, std::chrono::microseconds time) {
    cpu_time_ += time;
    metrics_.cpu_used(phase, time);
}

void MeteredLog::output(Phase phase, const MaskedChunk& text) {
    metrics_.masked(text.size());
    inner_.output(phase, text);
}

void MeteredLog::serial(Phase phase, const MaskedChunk& text) {
    metrics_.masked(text.size());
    inner_.serial(phase, text);
}

}  // namespace trebuchet
