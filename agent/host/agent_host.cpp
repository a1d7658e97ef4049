#include "agent/host/agent_host.hpp"

#include "common/base/text.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

/// Between two starts, so that a hundred agents do not load their pattern databases at once.
constexpr std::chrono::milliseconds start_pause{30};

}  // namespace

void AgentHost::add_slot(const AgentFolder& folder) {
    auto slot = std::make_unique<AgentSlot>(folder, parts_.draw, parts_.clock.now());
    slot->on_end([this, id = folder.agent_id, raw = slot.get()](ChildEnd end) {
        if (raw->ended(end, version(), parts_.clock.now()) && std::exchange(bad_version_, version()) != version()) {
            log_error("agent " + id + " crashed at its start: no other agent is moved to this version of the program");
        }
        if (!is_stopping_ && !raw->trouble().empty()) log_error("agent " + id + ": " + raw->trouble());
        parts_.changed();
    });
    slots_[folder.agent_id] = std::move(slot);
    log_info("agent " + folder.agent_id + ": found in " + folder.folder);
}

/// `placed`: agent_id → the folder that has it.
void AgentHost::place(const AgentFolder& folder, std::map<std::string, std::string>& placed) {
    const auto [first, is_first] = placed.emplace(folder.agent_id, folder.folder);
    if (!is_first) {
        refused_[folder.folder] = "its agent_id " + folder.agent_id + " is also that of the folder " + first->second +
                                  ", which is served: give it another agent_id, or remove one of the two";
        return;
    }
    const auto known = slots_.find(folder.agent_id);
    if (known == slots_.end()) return add_slot(folder);
    known->second->wants(folder, parts_.clock.now());
}

void AgentHost::find_removed(const AgentTree& tree, const std::map<std::string, std::string>& placed) {
    for (auto& [id, slot] : slots_) {
        if (placed.contains(id)) continue;
        if (const auto wrong = tree.problems.find(slot->folder().folder); wrong != tree.problems.end()) {
            slot->hold(wrong->second);
        } else {
            const bool has_new_id = std::any_of(placed.begin(), placed.end(), [&, &former = *slot](const auto& one) {
                return one.second == former.folder().folder;
            });
            slot->removed(has_new_id ? parts_.clock.now() - parts_.removal_grace : parts_.clock.now());
        }
    }
}

bool AgentHost::is_folder_busy(const std::string& agent_id, const AgentSlot& slot) const {
    return std::any_of(slots_.begin(), slots_.end(), [&](const auto& other) {
        return other.first != agent_id && other.second->is_running() &&
               other.second->folder().folder == slot.folder().folder;
    });
}

/// The agent of the first folder gets the port.
void AgentHost::find_port_clashes() {
    std::map<std::uint16_t, std::string> ports;
    for (auto& [id, slot] : slots_) {
        const auto port = slot->folder().metrics_port;
        if (port == 0) continue;
        const auto [first, is_first] = ports.emplace(port, id);
        if (!is_first) {
            slot->note("its trebuchet.metrics_port " + std::to_string(port) + " is also that of " + first->second +
                       ": its metrics are not served until it has another one");
        }
    }
}

void AgentHost::take_tree(const Result<AgentTree>& tree) {
    if (is_stopping_) return;
    const auto former = std::exchange(problem_, "");
    if (!tree || tree->empty()) {
        if (slots_.empty()) refused_.clear();
        problem_ = (tree ? "the folder of configurations has no testflinger-agent.conf" : tree.error().message()) +
                   (slots_.empty() ? ": waiting for it" : ": the agents that run go on");
        for (auto& [id, slot] : slots_) slot->hold("the folder of configurations is gone");
        if (problem_ != former) log_warning(problem_);
        return parts_.changed();
    }
    const auto formerly_refused = std::exchange(refused_, tree->problems);
    std::map<std::string, std::string> placed;
    // A folder whose agent exists keeps the agent_id, whatever the order of the folders.
    auto agents = tree->agents;
    std::stable_partition(agents.begin(), agents.end(), [&](const AgentFolder& folder) {
        const auto known = slots_.find(folder.agent_id);
        return known != slots_.end() && known->second->folder().folder == folder.folder;
    });
    for (const auto& folder : agents) place(folder, placed);
    find_removed(*tree, placed);
    find_port_clashes();
    for (const auto& [folder, why] : refused_) {
        const auto known = formerly_refused.find(folder);
        if (known == formerly_refused.end() || known->second != why) {
            log_error("folder " + trebuchet::quoted(folder) + ": " + why);
        }
    }
    parts_.changed();
}

void AgentHost::program_is(const ProgramVersion& version) {
    if (version.empty() || version == std::exchange(program_, version)) return;
    parts_.changed();
}

void AgentHost::restart_all() {
    ++round_;
    parts_.changed();
}

void AgentHost::stop() {
    const bool at_once = std::exchange(is_stopping_, true);
    for (auto& [id, slot] : slots_) slot->stop(parts_.clock.now(), at_once);
    parts_.changed();
}

void AgentHost::restart_outdated(Time now) {
    if (version() == bad_version_) return;
    const auto in_flight = std::count_if(slots_.begin(), slots_.end(),
                                         [&](const auto& slot) { return slot.second->is_in_flight(now, version()); });
    auto room = static_cast<std::ptrdiff_t>(std::max<std::size_t>(1, slots_.size() / 10)) - in_flight;
    for (auto& [id, slot] : slots_) {
        if (room <= 0) return;
        if (slot->is_asked() || !slot->is_outdated(version())) continue;
        slot->ask_to_end(now);
        --room;
    }
}

void AgentHost::start_due(Time now) {
    if (next_start_ && now < *next_start_) return;
    for (auto& [id, slot] : slots_) {
        if (!slot->is_due(now) || is_folder_busy(id, *slot)) continue;
        slot->start(parts_.start, version(), now);
        next_start_ = now + start_pause;
        log_info("agent " + id + ": " +
                 (slot->is_running() ? "started, pid " + std::to_string(slot->pid()) : slot->problem()));
        return;
    }
}

void AgentHost::forget_removed(Time now) {
    for (auto slot = slots_.begin(); slot != slots_.end();) {
        if (slot->second->is_gone(now, parts_.removal_grace) && !slot->second->is_running()) {
            log_info("agent " + slot->first + ": removed");
            slot = slots_.erase(slot);
        } else {
            ++slot;
        }
    }
}

void AgentHost::tick() {
    const auto now = parts_.clock.now();
    for (auto& [id, slot] : slots_) {
        slot->kill_if_late(now);
        if (!is_stopping_ && (slot->is_changed() || slot->is_asked() || slot->is_gone(now, parts_.removal_grace))) {
            slot->ask_to_end(now);
        }
    }
    if (is_stopping_) return;
    restart_outdated(now);
    forget_removed(now);
    start_due(now);
}

std::optional<AgentHost::Time> AgentHost::next_due() const {
    std::optional<Time> next;
    const auto now = parts_.clock.now();
    const auto add = [&](Time time) { next = next ? std::min(*next, time) : time; };
    for (const auto& [id, slot] : slots_) {
        if (is_stopping_) {
            if (const auto due = slot->kill_due()) add(*due);
            continue;
        }
        if (const auto due = slot->next_due(parts_.removal_grace); due && !is_folder_busy(id, *slot)) {
            add(!slot->is_running() && next_start_ ? std::max(*due, *next_start_) : *due);
        }
        if (slot->is_outdated(version()) && version() != bad_version_) add(now + std::chrono::seconds(1));
    }
    return next;
}

std::size_t AgentHost::running() const {
    return static_cast<std::size_t>(
        std::count_if(slots_.begin(), slots_.end(), [](const auto& slot) { return slot.second->is_running(); }));
}

std::vector<AgentReport> AgentHost::reports() const {
    std::vector<AgentReport> all;
    for (const auto& [id, slot] : slots_) all.push_back({id, slot->folder().folder, slot->pid(), slot->problem()});
    const auto is_known = [&](const std::string& folder) {
        return std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.folder == folder; });
    };
    for (const auto& [folder, why] : refused_) {
        if (!is_known(folder)) all.push_back({"", folder, 0, "is not served: " + why});
    }
    return all;
}

}  // namespace trebuchet
