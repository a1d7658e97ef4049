#include "agent/metrics/metered_reporter.hpp"

#include <utility>

namespace trebuchet {

void MeteredReporter::job_taken(const Job& job) {
    metrics_.release_known("");
    ForwardingReporter::job_taken(job);
}

void MeteredReporter::phase_entered(Phase phase) {
    metrics_.state_is(name_of(phase));
    ForwardingReporter::phase_entered(phase);
}

void MeteredReporter::phase_runs(Phase phase) {
    metrics_.state_is(name_of(phase));
    ForwardingReporter::phase_runs(phase);
    began_ = clock_.now();
}

void MeteredReporter::output(Phase phase, const MaskedChunk& text) {
    metrics_.masked(text.bytes().size());
    ForwardingReporter::output(phase, text);
}

void MeteredReporter::serial(Phase phase, const MaskedChunk& text) {
    metrics_.masked(text.bytes().size());
    ForwardingReporter::serial(phase, text);
}

void MeteredReporter::phase_ran(Phase phase, const PhaseStatus& status) {
    if (const auto began = std::exchange(began_, std::nullopt)) metrics_.phase_took(phase, clock_.now() - *began);
    if (const auto code = status.find(phase); code != status.end() && code->second != 0) metrics_.job_failed(phase);
    ForwardingReporter::phase_ran(phase, status);
}

void MeteredReporter::secrets_masked(const LeakReport& report) {
    metrics_.secrets_masked(report);
    ForwardingReporter::secrets_masked(report);
}

void MeteredReporter::recovery_failed(const std::string& comment) {
    metrics_.recovery_failed();
    ForwardingReporter::recovery_failed(comment);
}

}  // namespace trebuchet
