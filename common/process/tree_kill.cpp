#include "common/process/tree_kill.hpp"

#include <csignal>
#include <utility>

namespace trebuchet {
namespace {

constexpr int most_walks = 20;

std::uint64_t key_of(pid_t pid, std::uint64_t start_time) {
    return (start_time << 22U) ^ static_cast<std::uint64_t>(pid);  // pid_max is 2^22 at most
}

}  // namespace

TreeKill::TreeKill(pid_t root, std::function<bool(pid_t)> is_spared) : walk_(root, std::move(is_spared)) {}

void TreeKill::visit(const HeldProcess& process) {
    const auto key = key_of(process.pid(), process.start_time());
    if (met_before_.insert(key).second) ++new_ones_;
    process.signal(freezes_ ? SIGSTOP : SIGKILL);
    if (process.is_alive()) {
        alive_.push_back({process.pid(), process.start_time()});
    } else if (dead_before_.insert(key).second) {
        ++newly_dead_;
    }
}

TreeKill::Progress TreeKill::step(std::size_t count) {
    if (walk_.step(count, [this](const HeldProcess& process) { visit(process); })) return Progress::working;
    return end_walk();
}

TreeKill::Progress TreeKill::end_walk() {
    left_ = std::exchange(alive_, {});
    const bool anybody_new = std::exchange(new_ones_, 0) > 0;
    const bool anybody_missed = std::exchange(newly_dead_, 0) > 0 || walk_.may_have_missed();
    ++walks_;
    if (left_.empty() && !anybody_new && !anybody_missed) return Progress::empty;
    if (freezes_) {
        if (!anybody_new || walks_ >= most_walks) {
            freezes_ = false;
            walks_ = 0;
        }
        return Progress::working;
    }
    if (walks_ >= most_walks) {
        freezes_ = true;
        walks_ = 0;
        met_before_.clear();
    }
    return anybody_new || left_.empty() ? Progress::working : Progress::waiting;
}

std::vector<Survivor> TreeKill::survivors() const {
    std::vector<Survivor> found;
    for (const auto& [pid, start_time] : left_) {
        if (auto survivor = look_at_survivor(pid, start_time)) found.push_back(std::move(*survivor));
    }
    return found;
}

}  // namespace trebuchet
