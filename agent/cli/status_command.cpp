#include "agent/cli/status_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "agent/host/host_status.hpp"
#include "common/base/clock.hpp"
#include "common/base/system_text.hpp"
#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "common/process/process_tree.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <optional>
#include <set>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr std::size_t file_limit = 65536;
constexpr std::size_t host_file_limit = std::size_t{4} << 20U;
constexpr seconds watch_pause{2};

/// A process that /proc hides from this user counts as there.
bool is_there(pid_t pid, std::uint64_t start_time) {
    if (pid <= 0) return false;
    if (const auto stat = read_process_stat(pid)) return stat->start_time == start_time && stat->is_alive;
    return ::kill(pid, 0) == 0 || errno == EPERM;
}

seconds silence_of(const fs::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) return seconds(0);
    return seconds(std::max<std::time_t>(::time(nullptr) - info.st_mtim.tv_sec, 0));
}

/// Everything of a status file is foreign to the terminal, also the control characters from U+0080 on.
void make_harmless(std::string& text) {
    text = to_valid_utf8(text);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte < 0x20 || byte == 0x7F) text[i] = '?';
        const bool is_c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if (is_c1) text.replace(i, 2, "?");
    }
}

void make_harmless(AgentStatus& status) {
    for (auto* text : {&status.agent_id, &status.version, &status.server, &status.state, &status.comment, &status.job,
                       &status.phase, &status.last_error}) {
        make_harmless(*text);
    }
    for (auto& queue : status.queues) make_harmless(queue);
}

AgentRow row_of(const std::string& name, const fs::path& folder) {
    AgentRow row{name};
    const auto file = status_file(folder, name);
    std::error_code error;
    if (!fs::exists(file, error)) {
        if (error) row.problem = "cannot read " + file.string() + ": " + system_text(error.value());
        return row;
    }
    const auto text = read_untrusted(file, file_limit);
    auto status = text ? parse_status(*text) : fail(text.error());
    if (!status) {
        row.problem = status.error().message();
        return row;
    }
    row.health = health_of(*status, silence_of(file), is_there(status->pid, status->start_time));
    make_harmless(*status);
    row.status = std::move(*status);
    return row;
}

void add_names(const fs::path& folder, const char* file, std::set<std::string>& names) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code ignored;
        if (fs::exists(entry->path() / file, ignored)) names.insert(entry->path().filename());
    }
}

/// What `supervise` says in this folder; nothing if it was never there.
std::optional<HostStatus> host_status_in(const fs::path& folder) {
    const auto text = read_untrusted(folder / host_status_file, host_file_limit);
    if (!text) return std::nullopt;
    auto status = parse_host_status(*text);
    if (!status) return std::nullopt;
    if (!is_there(status->pid, status->start_time)) {
        for (auto& agent : status->agents)
            agent = {agent.agent_id, agent.folder, 0, "`trebuchet-agent supervise` does not run"};
    }
    for (auto& agent : status->agents) {
        for (auto* text_of_it : {&agent.agent_id, &agent.folder, &agent.problem}) make_harmless(*text_of_it);
    }
    make_harmless(status->problem);
    return std::move(*status);
}

/// What `supervise` says of an agent is right where its status is old: it does not know that it was not started again.
void add_report(const AgentReport& report, std::vector<AgentRow>& rows, std::size_t first) {
    const auto name = report.agent_id.empty() ? report.folder : report.agent_id;
    auto row = std::find_if(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.end(),
                            [&](const AgentRow& one) { return one.name == name; });
    if (row == rows.end()) row = rows.insert(rows.end(), AgentRow{name});
    if (!report.problem.empty()) row->problem = report.problem;
    if (row->health == Health::unknown && report.pid == 0) row->health = Health::stopped;
}

/// The agents with a status in a folder, those of `supervise`, and further names.
void add_rows(const fs::path& folder, std::set<std::string> names, std::vector<AgentRow>& rows) {
    add_names(folder, "status.json", names);
    const auto first = rows.size();
    for (const auto& name : names) rows.push_back(row_of(name, folder));
    const auto host = host_status_in(folder);
    if (!host) return;
    for (const auto& report : host->agents) add_report(report, rows, first);
}

Result<bool> print_once(const StatusOptions& options) {
    const auto rows = agents_of_host(options);
    if (!rows) return fail(rows.error());
    if (options.json) {
        std::cout << status_rows_json(*rows);
    } else if (rows->empty()) {
        std::cout << "no agent of this host shows a status in " << options.folder.string() << '\n';
    } else {
        std::cout << status_table(*rows, SystemClock().wall_time());
    }
    std::cout << std::flush;
    return std::all_of(rows->begin(), rows->end(), [](const AgentRow& row) { return row.health == Health::running; });
}

}  // namespace

Result<std::vector<AgentRow>> agents_of_host(const StatusOptions& options) {
    std::error_code error;
    if (fs::exists(options.folder, error) && ::access(options.folder.c_str(), R_OK | X_OK) != 0) {
        return fail("cannot read " + options.folder.string() + ": " + system_text(errno) +
                    "; run it as root or as a member of the group trebuchet");
    }
    std::set<std::string> instances;
    add_names(options.root / "etc/trebuchet", "testflinger-agent.conf", instances);
    std::vector<AgentRow> rows;
    add_rows(options.folder, instances, rows);
    add_rows(options.folder / host_status_folder, {}, rows);
    if (!options.name.empty()) std::erase_if(rows, [&](const AgentRow& row) { return row.name != options.name; });
    if (rows.empty() && !options.name.empty()) {
        return fail("there is no agent " + trebuchet::quoted(options.name) + " on this host: it has no status in " +
                    options.folder.string() + ", and is no instance");
    }
    return rows;
}

int status_command(const StatusOptions& options) {
    for (;;) {
        if (options.watch && ::isatty(STDOUT_FILENO) != 0) std::cout << "\x1b[H\x1b[2J";
        const auto all_run = print_once(options);
        if (!all_run) {
            std::cerr << "trebuchet-agent status: " << all_run.error().message() << '\n';
            return exit_usage;
        }
        if (!options.watch) return *all_run ? 0 : exit_not_running;
        if (!std::cout) return 0;
        std::this_thread::sleep_for(watch_pause);
    }
}

}  // namespace trebuchet
