#include "tests/labserver/labserver.hpp"

#include "tests/labserver/api/api.hpp"
#include "tests/labserver/control/control_api.hpp"

#include <stdexcept>
#include <utility>

namespace trebuchet::labserver {
namespace {

/// How long the real server keeps jobs, logs and files, and agents and queues that are not updated.
constexpr std::chrono::hours kept_for{7 * 24};
constexpr std::chrono::minutes between_sweeps{1};

constexpr std::uint64_t largest_body = (16U << 20U) - 1;
constexpr std::uint64_t largest_file = 512U << 20U;

bool is_control(std::string_view target) {
    const auto path = path_of(target);
    return path == "/control" || path.starts_with("/control/");
}

}  // namespace

Labserver::Labserver(const Clock& clock, TokenLifetimes lifetimes)
    : clock_(clock),
      lifetimes_(lifetimes),
      state_(std::in_place, clock, lifetimes),
      api_(*state_),
      faults_(api_),
      recorder_(faults_, clock),
      control_(*state_) {
    add_auth_routes(api_, *state_);
    add_job_routes(api_, *state_);
    add_file_routes(api_, *state_);
    add_result_routes(api_, *state_);
    add_agent_routes(api_, *state_);
    add_queue_routes(api_, *state_);
    add_secret_routes(api_, *state_);
    add_control_routes(control_, *state_, recorder_);
    add_fault_routes(control_, faults_);
}

Response Labserver::handle(const Request& request) {
    forget_what_is_old();
    auto response = is_control(request.target) ? control_.handle(request) : recorder_.handle(request);
    if (data_ == nullptr) return response;
    if (const auto kept = data_->check(); !kept) return problem(500, kept.error().message());
    return response;
}

Result<void> Labserver::keep_in(DataFile& data) {
    data_ = &data;
    return state_->keep_in(data);
}

void Labserver::restart() {
    auto clients = std::move(state_->clients);
    auto keys = std::move(state_->keys);
    state_.emplace(clock_, lifetimes_);
    state_->clients = std::move(clients);
    state_->keys = std::move(keys);
    if (data_ == nullptr) return;
    const auto kept = state_->keep_in(*data_);
    if (!kept) throw std::runtime_error(kept.error().message());
}

std::optional<Cut> Labserver::cut(std::string_view method, std::string_view target) {
    if (is_control(target)) return std::nullopt;
    const auto fault = faults_.before_reading(method, target);
    if (!fault) return std::nullopt;
    if (fault->kind == FaultKind::restart) restart();
    return Cut{fault->kind != FaultKind::close_unread, std::chrono::milliseconds(fault->value)};
}

std::uint64_t Labserver::body_limit(std::string_view target) {
    const auto path = path_of(target);
    return path.ends_with("/artifact") || path.ends_with("/attachments") ? largest_file : largest_body;
}

void Labserver::forget_what_is_old() {
    const auto now = state_->clock.wall_time();
    if (now < next_sweep_) return;
    next_sweep_ = now + between_sweeps;
    const auto limit = now - kept_for;
    state_->jobs.forget_before(limit);
    state_->results.forget_before(limit);
    state_->agents.forget_before(limit);
    state_->queues.forget_before(limit);
}

}  // namespace trebuchet::labserver
