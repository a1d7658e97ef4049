#include "agent/metrics/status_board.hpp"

#include "common/log/log_line.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

/// Of comments and errors: a table shows no more.
constexpr std::size_t longest_text = 500;

}  // namespace

void StatusBoard::begin(AgentStatus identity) {
    identity.state = status_.state.empty() ? "starting" : status_.state;
    identity.comment = status_.comment;
    identity.state_since = status_.state_since ? status_.state_since : clock_.wall_time();
    identity.last_error = status_.last_error;
    identity.last_error_at = status_.last_error_at;
    status_ = std::move(identity);
    changed();
}

void StatusBoard::state_is(std::string_view state, const MaskedChunk& comment) {
    auto text = one_line(comment, longest_text);
    if (status_.state == state && status_.comment == text) return;
    if (status_.state != state) status_.state_since = clock_.wall_time();
    status_.state = state;
    status_.comment = std::move(text);
    changed();
}

void StatusBoard::error(const MaskedChunk& text) {
    auto line = one_line(text, longest_text);
    status_.last_error = std::move(line);
    status_.last_error_at = clock_.wall_time();
    changed(Change::soon);
}

void StatusBoard::undelivered(std::uint64_t bytes) {
    if (bytes == status_.undelivered_bytes) return;
    if (status_.undelivered_bytes == 0) status_.undelivered_since = clock_.wall_time();
    if (bytes == 0) status_.undelivered_since.reset();
    status_.undelivered_bytes = bytes;
    changed(Change::soon);
}

void StatusBoard::output_came() {
    status_.last_output = clock_.wall_time();
    changed(Change::soon);
}

void StatusBoard::job_taken(const Job& job) {
    status_.job = job.id;
    status_.last_output.reset();
    phases_.clear();
    changed();
}

void StatusBoard::phase_runs(Phase phase) {
    status_.phase = name_of(phase);
    status_.phase_since = clock_.wall_time();
    phases_.push_back({phase, clock_.wall_time()});
    state_is(name_of(phase), {});
    changed();
}

void StatusBoard::phase_ran(Phase phase, const PhaseStatus& status) {
    if (!phases_.empty() && phases_.back().phase == phase && !phases_.back().ended) {
        phases_.back().ended = clock_.wall_time();
        const auto code = status.find(phase);
        phases_.back().exit_code = code == status.end() ? 0 : code->second;
    }
    status_.phase.clear();
    status_.phase_since.reset();
    changed();
}

void StatusBoard::job_finished(const PhaseStatus& /*status*/, bool /*cancelled*/) {
    status_.job.clear();
    changed();
}

std::chrono::system_clock::duration StatusBoard::quiet_time() const {
    if (status_.job.empty() || !status_.phase_since) return {};
    const auto last = std::max(*status_.phase_since, status_.last_output.value_or(*status_.phase_since));
    return std::max(clock_.wall_time() - last, std::chrono::system_clock::duration::zero());
}

void StatusBoard::changed(Change change) const {
    if (on_change_) on_change_(change);
}

void WatchedLog::output(Phase phase, const MaskedChunk& text) {
    board_.output_came();
    inner_.output(phase, text);
}

}  // namespace trebuchet
