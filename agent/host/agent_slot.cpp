#include "agent/host/agent_slot.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <utility>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds first_crash_pause{1'000};
constexpr milliseconds longest_crash_pause{60'000};
/// A wrong configuration, or a folder of it, is seldom mended within a minute, and its change is noticed anyway.
constexpr milliseconds first_refusal_pause{60'000};
constexpr milliseconds longest_refusal_pause{900'000};

constexpr seconds young{10};
constexpr seconds time_to_end{30};
/// What an agent takes at most after its second SIGTERM, and something on top.
constexpr seconds stop_at_once{10};
constexpr seconds stop_margin{10};
/// A wait for a job has no limit; asked again in between, in case the signal came before the agent could take it.
constexpr seconds ask_pause{60};

constexpr int wrong_configuration = 2;
constexpr int already_served = 3;

std::string shown(ChildEnd end) {
    if (end.signal != 0) return "it was killed by signal " + std::to_string(end.signal);
    if (end.code == 127) return "it could not be started (exit code 127)";
    return "it ended with exit code " + std::to_string(end.code);
}

std::string trouble_of(ChildEnd end, const AgentFolder& folder) {
    if (end.signal == 0 && end.code == wrong_configuration) {
        return "does not run: its configuration is wrong, or a folder or file that it names (exit code 2); see: "
               "trebuchet-agent check-config -c " +
               folder.config.string() + " --online";
    }
    if (end.signal == 0 && end.code == already_served) {
        return "does not run: another process already serves this device (exit code 3)";
    }
    return "does not run: " + shown(end);
}

bool is_normal(ChildEnd end) {
    return end.signal == 0 && (end.code == 0 || end.code == 1);
}

}  // namespace

AgentSlot::AgentSlot(AgentFolder folder, const std::function<double()>& draw, Time now)
    : folder_(std::move(folder)),
      due_(now),
      after_crash_(first_crash_pause, longest_crash_pause, draw),
      after_refusal_(first_refusal_pause, longest_refusal_pause, draw) {}

void AgentSlot::wants(const AgentFolder& folder, Time now) {
    const bool is_new = !(folder == folder_) || is_held_ || gone_since_;
    folder_ = folder;
    is_held_ = false;
    gone_since_.reset();
    note_.clear();
    if (!is_new) return;
    after_crash_.reset();
    after_refusal_.reset();
    due_ = std::min(due_, now);
}

void AgentSlot::hold(const std::string& why) {
    is_held_ = true;
    gone_since_.reset();
    note_ = is_running() ? why + "; the agent goes on with its former configuration" : "does not run: " + why;
}

void AgentSlot::removed(Time now) {
    if (gone_since_) return;
    gone_since_ = now;
    note_ = "its folder is gone: it ends when no job runs";
}

std::optional<AgentSlot::Time> AgentSlot::next_due(milliseconds grace) const {
    if (kill_at_) return kill_at_;
    if (is_asked()) return *asked_at_ + ask_pause;
    if (gone_since_) return *gone_since_ + grace;
    if (is_running() || is_held_) return std::nullopt;
    return due_;
}

bool AgentSlot::is_changed() const {
    return is_running() && !is_held_ && !gone_since_ && !(folder_ == started_with_);
}

bool AgentSlot::is_outdated(const ProgramVersion& version) const {
    return is_running() && !is_held_ && version != version_;
}

bool AgentSlot::is_in_flight(Time now, const ProgramVersion& version) const {
    if (asked_at_) return now - *asked_at_ < time_to_end;
    if (is_running()) return version == version_ && now - started_at_ < young;
    return trouble_.empty() && !is_held_ && !gone_since_;
}

void AgentSlot::start(const StartAgent& start, const ProgramVersion& version, Time now) {
    started_at_ = now;
    started_with_ = folder_;
    version_ = version;
    auto child = start(folder_, [this](ChildEnd end) {
        const auto handler = on_end_;
        if (handler) handler(end);
    });
    if (child) {
        child_ = std::move(*child);
        return;
    }
    due_ = now + after_crash_.next();
    trouble_ = "does not run: " + child.error().message();
}

void AgentSlot::ask_to_end(Time now) {
    if (!is_running() || kill_at_ || (asked_at_ && now - *asked_at_ < ask_pause)) return;
    asked_at_ = now;
    child_->signal(SIGUSR1);
}

void AgentSlot::stop(Time now, bool at_once) {
    if (!is_running()) return;
    child_->signal(SIGTERM);
    if (at_once) {
        kill_at_ = now + stop_at_once;
    } else if (started_with_.longest_stop) {
        kill_at_ = now + *started_with_.longest_stop + stop_margin;
    }
}

void AgentSlot::kill_if_late(Time now) {
    if (is_running() && kill_at_ && now >= *kill_at_) {
        kill_at_ = now + stop_at_once;
        child_->signal(SIGKILL);
    }
}

/// Asked ends are no trouble. 0 and 1 are an administrator's wish, at the host or the server.
void AgentSlot::plan_start(ChildEnd end, Time now, bool was_asked, bool was_steady) {
    if (was_steady || was_asked) {
        after_crash_.reset();
        after_refusal_.reset();
    }
    if (was_asked && (is_normal(end) || end.signal == SIGUSR1)) {
        due_ = now;
        trouble_.clear();
    } else if (end.signal == 0 && end.code == wrong_configuration) {
        due_ = now + after_refusal_.next();
        trouble_ = trouble_of(end, folder_);
    } else {
        due_ = now + after_crash_.next();
        trouble_ = trouble_of(end, folder_);
    }
}

bool AgentSlot::ended(ChildEnd end, const ProgramVersion& version, Time now) {
    const auto age = now - started_at_;
    const bool was_asked = asked_at_.has_value();
    child_.reset();
    asked_at_.reset();
    kill_at_.reset();
    plan_start(end, now, was_asked, age >= steady_after);
    return age < young && version == version_ && !was_asked && (end.signal != 0 || end.code > already_served);
}

}  // namespace trebuchet
