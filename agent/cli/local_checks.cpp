#include "agent/cli/local_checks.hpp"

#include "agent/cli/host_check.hpp"
#include "agent/daemon/disk_space.hpp"
#include "agent/job/phase_user.hpp"
#include "common/base/text.hpp"

#include <set>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t enough_locked = std::uint64_t{64} << 20;
constexpr const char* connectors = "trebuchet-provision";
const std::set<std::string> without_ssh{"fake_connector", "noprovision", "command"};

std::string mebibytes(std::uint64_t bytes) {
    return std::to_string(bytes >> 20U) + " MiB";
}

bool everybody_may_write(const fs::path& folder) {
    struct stat info {};
    return ::stat(folder.c_str(), &info) == 0 && (info.st_mode & S_IWOTH) != 0;
}

void check_folder(const std::string& key, const fs::path& folder, std::uint64_t least, Findings& findings) {
    const auto text = key + " " + folder.string();
    const auto space = disk_space(folder);
    std::error_code ignored;
    if (fs::exists(folder, ignored) && !fs::is_directory(folder, ignored)) {
        findings.push_back({Verdict::error, "folders", text + " is not a folder: correct the configuration"});
    } else if (!space) {
        findings.push_back({Verdict::error, "folders", key + ": " + space.error().message()});
    } else if (everybody_may_write(folder)) {
        findings.push_back(
            {Verdict::error, "folders",
             text + " can be written by every user: another user may replace what is in it; run chmod o-w"});
    } else if (space->bytes < least) {
        findings.push_back({Verdict::error, "folders",
                            text + " has " + mebibytes(space->bytes) + " free, trebuchet.min_free_disk wants " +
                                mebibytes(least) + ": make room"});
    } else {
        findings.push_back({Verdict::ok, "folders", text + " is writable, " + mebibytes(space->bytes) + " are free"});
    }
}

/// Where the shell would find the program; "" if nowhere.
fs::path find_program(const std::string& name, const std::string& path) {
    if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0 ? fs::path(name) : fs::path();
    std::istringstream folders(path);
    for (std::string folder; std::getline(folders, folder, ':');) {
        auto file = fs::path(folder) / name;
        std::error_code ignored;
        if (fs::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0) return file;
    }
    return {};
}

/// Only a plain word is a program: the shell has assignments, builtins and more.
bool is_plain(const std::string& word) {
    return !word.empty() &&
           word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+") ==
               std::string::npos;
}

const std::set<std::string>& shell_words() {
    static const std::set<std::string> words{"if",   "for",    "while", "until", "case",   "exec",  "set",     "export",
                                             "cd",   ".",      "eval",  "exit",  "true",   "false", "test",    "echo",
                                             "trap", "ulimit", "umask", "read",  "printf", "wait",  "command", ":"};
    return words;
}

}  // namespace

void check_folders(const Config& config, Findings& findings) {
    const auto least = config.trebuchet.min_free_disk;
    check_folder("execution_basedir", config.execution_basedir, least, findings);
    check_folder("results_basedir", config.results_basedir, least, findings);
    check_folder("logging_basedir", config.logging_basedir, 0, findings);
}

void check_locked_memory(std::uint64_t limit, Findings& findings) {
    if (limit >= enough_locked) return findings.push_back({Verdict::ok, "memlock", "secrets can be locked in memory"});
    findings.push_back({Verdict::warning, "memlock",
                        "only " + std::to_string(limit >> 10U) +
                            " KiB may be locked in memory: secrets of a job beyond that may be swapped to disk; set "
                            "LimitMEMLOCK=64M in the agent's unit"});
}

void check_programs(const Config& config, const std::string& path, Findings& findings) {
    std::set<std::string> wanted;
    for (const auto& [phase, command] : config.phase_commands) {
        std::istringstream words(command);
        std::string program;
        std::string connector;
        words >> program >> connector;
        if (!is_plain(program) || shell_words().contains(program)) continue;
        wanted.insert(program);
        if (fs::path(program).filename() == connectors && !without_ssh.contains(connector)) wanted.insert("ssh");
    }
    for (const auto& program : wanted) {
        const auto found = find_program(program, path);
        findings.push_back(found.empty()
                               ? Finding{Verdict::error, "programs",
                                         "there is no program " + trebuchet::quoted(program) +
                                             ", which a phase needs: install it, or correct the phase's command"}
                               : Finding{Verdict::ok, "programs", program + " is " + found.string()});
    }
}

void check_host(const Config& config, const fs::path& config_file, const fs::path& token_file, Findings& findings) {
    const auto weaknesses = host_weaknesses(config, config_file, token_file);
    for (const auto& weakness : weaknesses) findings.push_back({Verdict::warning, "host", weakness});
    if (const auto& name = config.trebuchet.phase_user; !name.empty()) {
        if (const auto user = find_phase_user(name); !user) {
            findings.push_back({Verdict::error, "host", user.error().message()});
        }
    }
    if (weaknesses.empty())
        findings.push_back({Verdict::ok, "host", "cgroups, user and modes of credentials are fine"});
}

}  // namespace trebuchet
