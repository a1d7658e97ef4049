#include "agent/cli/status_table.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using std::chrono::seconds;
using Time = AgentStatus::Time;

constexpr std::size_t columns = 8;
using Line = std::array<std::string, columns>;

std::string since(const std::optional<Time>& time, Time now) {
    return time ? shown_duration(std::chrono::duration_cast<seconds>(now - *time)) : "";
}

std::string with(const std::string& text, const std::string& more) {
    return more.empty() || text.empty() ? text : text + " (" + more + ")";
}

std::string state_of(const AgentRow& row, Time now) {
    const auto& status = row.status;
    if (row.health == Health::running) return with(status.state, since(status.state_since, now));
    if (row.health == Health::unknown) return row.problem.empty() ? "no status" : "unreadable";
    if (row.health == Health::stopped) return with("stopped", since(status.state_since, now));
    return (row.health == Health::dead ? "DEAD, was " : "HANGS in ") + status.state;
}

std::string shown_bytes(std::uint64_t bytes) {
    if (bytes < 1024) return std::to_string(bytes) + " B";
    if (bytes < std::uint64_t{1} << 20) return std::to_string(bytes >> 10) + " KiB";
    return std::to_string(bytes >> 20) + " MiB";
}

std::string joined(const std::vector<std::string>& all) {
    std::string text;
    for (const auto& one : all) text += (text.empty() ? "" : ",") + one;
    return text;
}

Line line_of(const AgentRow& row, Time now) {
    const auto& status = row.status;
    return {row.name,
            state_of(row, now),
            status.job,
            with(status.phase, since(status.phase_since, now)),
            status.job.empty() ? "" : since(status.last_output, now),
            joined(status.queues),
            status.undelivered_bytes == 0
                ? ""
                : with(shown_bytes(status.undelivered_bytes), since(status.undelivered_since, now)),
            status.version};
}

std::string notes_of(const AgentRow& row, Time now) {
    std::string text;
    if (!row.problem.empty()) text += "    " + row.problem + "\n";
    if (!row.status.comment.empty()) text += "    comment: " + row.status.comment + "\n";
    if (row.status.last_error.empty()) return text;
    return text + "    last error, " + since(row.status.last_error_at, now) + " ago: " + row.status.last_error + "\n";
}

std::string text_of(const Line& line, const std::array<std::size_t, columns>& widths) {
    std::string text;
    for (std::size_t i = 0; i < columns; ++i) {
        auto cell = line.at(i);
        cell.resize(std::max(cell.size(), widths.at(i)) + 2, ' ');
        text += cell;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
}

}  // namespace

std::string_view name_of(Health health) {
    switch (health) {
        case Health::running:
            return "running";
        case Health::hangs:
            return "hangs";
        case Health::dead:
            return "dead";
        case Health::stopped:
            return "stopped";
        case Health::unknown:
            return "unknown";
    }
    return "";
}

Health health_of(const AgentStatus& status, seconds silence, bool process_is_there) {
    if (status.state == stopped_state) return Health::stopped;
    if (!process_is_there) return Health::dead;
    return silence > longest_silence ? Health::hangs : Health::running;
}

std::string status_table(const std::vector<AgentRow>& rows, Time now) {
    std::vector<Line> lines{{"AGENT", "STATE", "JOB", "PHASE", "LAST OUTPUT", "QUEUES", "UNDELIVERED", "VERSION"}};
    for (const auto& row : rows) lines.push_back(line_of(row, now));
    std::array<std::size_t, columns> widths{};
    for (const auto& line : lines) {
        for (std::size_t i = 0; i < columns; ++i) widths.at(i) = std::max(widths.at(i), line.at(i).size());
    }
    auto text = text_of(lines.front(), widths);
    for (std::size_t i = 0; i < rows.size(); ++i) text += text_of(lines[i + 1], widths) + notes_of(rows[i], now);
    return text;
}

std::string status_rows_json(const std::vector<AgentRow>& rows) {
    auto list = nlohmann::json::array();
    for (const auto& row : rows) {
        auto object = nlohmann::json::parse(status_json(row.status));
        object["name"] = row.name;
        object["health"] = name_of(row.health);
        if (!row.problem.empty()) object["problem"] = row.problem;
        list.push_back(std::move(object));
    }
    return list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace trebuchet
