#include "agent/import/rehearsal.hpp"

#include "agent/import/sealed_namespace.hpp"
#include "agent/import/user_entry.hpp"
#include "common/base/system_text.hpp"
#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <regex>
#include <set>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t shown_log = 15;
constexpr std::size_t longest_line = 1000;
constexpr std::size_t notes_limit = std::size_t{1} << 20U;
constexpr const char* docker_places[] = {"/usr/bin/docker", "/usr/local/bin/docker", "/snap/bin/docker"};

/// Both doubles: a call is a line of `calls`, what is missing a line of `differs`.
constexpr const char* connector_double = R"sh(#!/bin/sh
printf 'testflinger-device-connector %s\n' "$*" >> NOTES/calls
config=
while [ $# -gt 0 ]; do
    [ "$1" = -c ] && config=$2
    job=$1
    shift
done
[ -r "$config" ] || echo "testflinger-device-connector gets the configuration $config, which is not there or cannot be read" >> NOTES/differs
[ -r "$job" ] || echo "testflinger-device-connector gets the job file $job, which is not there or cannot be read" >> NOTES/differs
)sh";

constexpr const char* docker_double = R"sh(#!/bin/sh
printf 'docker %s\n' "$*" >> NOTES/calls
[ "$1" = run ] || exit 0
while [ $# -gt 0 ]; do
    case "$1" in
    -v | --volume) volume=$2 ;;
    --volume=*) volume=${1#--volume=} ;;
    *) volume= ;;
    esac
    from=${volume%%:*}
    case "$from" in
    /*) [ -e "$from" ] || echo "docker mounts $from, which is not there: docker would make a folder of root's" >> NOTES/differs
        [ ! -e "$from" ] || [ -r "$from" ] || echo "docker mounts $from, which this user cannot read" >> NOTES/differs ;;
    esac
    shift
done
)sh";

constexpr const char* canned_job =
    R"({"job_queue": "rehearsal", "provision_data": {"url": "http://rehearsal.invalid/image"},
 "firmware_update_data": {"version": "latest"}, "test_data": {"test_cmds": "true"}, "reserve_data": {"ssh_keys": []}})";

std::string with_notes(std::string script, const fs::path& notes) {
    for (auto at = script.find("NOTES"); at != std::string::npos; at = script.find("NOTES", at)) {
        script.replace(at, 5, notes.string());
    }
    return script;
}

/// For a terminal, with the run folder's path as the scripts name it.
std::string harmless(std::string line) {
    static const std::regex run_folder("/tmp/trebuchet-rehearsal-[^/ ]*/tmp/trebuchet-run-[^/ ]*/run/local-[0-9]*");
    line = std::regex_replace(line.substr(0, longest_line), run_folder, "$$PWD");
    for (char& c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
    }
    return to_valid_utf8(line);
}

std::vector<std::string> lines_of(const fs::path& file) {
    std::vector<std::string> lines;
    std::istringstream text(read_untrusted(file, notes_limit).value_or(""));
    for (std::string line; std::getline(text, line);) lines.push_back(harmless(line));
    return lines;
}

std::vector<std::string> last_lines(const fs::path& file) {
    auto lines = lines_of(file);
    if (lines.size() > shown_log) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(shown_log));
    return lines;
}

/// A folder for everything of a rehearsal; removed at its end.
class Stage {
  public:
    static Result<Stage> make(const UserEntry& user) {
        std::string pattern = "/tmp/trebuchet-rehearsal-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr) return fail("cannot make a folder in /tmp: " + system_text(errno));
        Stage stage(pattern, user);
        ::chmod(pattern.c_str(), 0755);
        const std::array scripts{std::pair{"docker", docker_double},
                                 std::pair{"testflinger-device-connector", connector_double}};
        if (auto made = stage.make_folder_for_user("notes"); !made) return fail(made.error());
        if (auto made = stage.make_folder_for_user("tmp"); !made) return fail(made.error());
        if (auto made = stage.make_folder_for_user("memory"); !made) return fail(made.error());
        if (::mkdir((stage.path_ / "bin").c_str(), 0755) != 0 || ::mkdir((stage.path_ / "dev").c_str(), 0755) != 0)
            return fail("cannot make a folder in " + pattern);
        for (const auto& [name, script] : scripts) {
            const auto file = stage.path_ / "bin" / name;
            if (auto written = write_file(file, with_notes(script, stage.path_ / "notes")); !written)
                return fail(written.error());
            ::chmod(file.c_str(), 0755);
        }
        if (auto written = write_file(stage.path_ / "job.json", canned_job); !written) return fail(written.error());
        ::chmod((stage.path_ / "job.json").c_str(), 0644);
        // In /tmp the agent takes only a folder of its own user.
        if (::chown(pattern.c_str(), user.user, user.group) != 0) return fail("cannot give away the folder " + pattern);
        return stage;
    }
    Stage(Stage&& other) noexcept : path_(std::exchange(other.path_, {})), user_(std::move(other.user_)) {}
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    Stage& operator=(Stage&&) = delete;
    ~Stage() {
        if (!path_.empty()) static_cast<void>(remove_tree(path_));
    }
    [[nodiscard]] const fs::path& path() const { return path_; }
    [[nodiscard]] const UserEntry& user() const { return user_; }

  private:
    Stage(fs::path path, UserEntry user) : path_(std::move(path)), user_(std::move(user)) {}
    [[nodiscard]] Result<void> make_folder_for_user(const char* name) const {
        const auto folder = path_ / name;
        if (::mkdir(folder.c_str(), 0700) == 0 && ::chown(folder.c_str(), user_.user, user_.group) == 0) return {};
        return fail("cannot make the folder " + folder.string() + ": " + system_text(errno));
    }

    fs::path path_;
    UserEntry user_;
};

/// In a child, before it becomes the agent. Errors end it with a message on stderr.
class Scene {
  public:
    Scene(const CharmHost& host, const CharmAgent& agent, const fs::path& root, const Stage& stage)
        : host_(host), agent_(agent), root_(root), stage_(stage) {}

    [[noreturn]] void play(int program, int log) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        ::setpgid(0, 0);
        ::dup2(log, STDOUT_FILENO);
        ::dup2(log, STDERR_FILENO);
        if (auto sealed = enter_sealed_namespace(stage_.path() / "dev"); !sealed) end_with(sealed.error().message());
        if (root_ != "/") {
            for (const auto* place : {"/srv", "/home", "/usr/local/bin"})
                put(root_ / fs::path(place).relative_path(), place);
        }
        put_doubles();
        make_memory();
        become_user();
        set_environment();
        const auto output = (stage_.path() / "tmp/output").string();
        const auto job = (stage_.path() / "job.json").string();
        const std::array<const char*, 8> arguments{"trebuchet-agent",     "run",      job.c_str(),    "-c",
                                                   agent_.config.c_str(), "--output", output.c_str(), nullptr};
        ::fexecve(program, const_cast<char* const*>(arguments.data()), environ);
        give_up("start trebuchet-agent");
    }

  private:
    [[noreturn]] static void give_up(const std::string& what) {
        end_with("cannot " + what + ": " + system_text(errno));
    }
    [[noreturn]] static void end_with(const std::string& message) {
        const auto text = message + "\n";
        if (::write(STDERR_FILENO, text.data(), text.size()) < 0) ::_exit(126);
        ::_exit(126);
    }
    static void put(const fs::path& what, const fs::path& place) {
        std::error_code error;
        if (!fs::exists(what, error) || !fs::exists(place, error)) return;
        if (::mount(what.c_str(), place.c_str(), nullptr, MS_BIND, nullptr) != 0)
            give_up("put " + what.string() + " in the place of " + place.string());
    }
    void put_doubles() {
        std::set<fs::path> connectors{"/srv/testflinger-venv/bin/testflinger-device-connector"};
        for (const auto& script : host_.scripts) connectors.insert(script.connectors.begin(), script.connectors.end());
        for (const auto& connector : connectors) put(stage_.path() / "bin/testflinger-device-connector", connector);
        for (const auto* docker : docker_places) put(stage_.path() / "bin/docker", docker);
    }
    /// For the job's secrets; it goes with the namespace.
    void make_memory() const {
        const auto& user = stage_.user();
        const auto options = "mode=0700,uid=" + std::to_string(user.user) + ",gid=" + std::to_string(user.group);
        if (::mount("tmpfs", memory().c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
            give_up("mount a folder in memory");
        }
    }
    [[nodiscard]] std::string memory() const { return stage_.path() / "memory"; }
    void become_user() {
        const auto& user = stage_.user();
        if (::initgroups(user.name.c_str(), user.group) != 0 || ::setgid(user.group) != 0 || ::setuid(user.user) != 0)
            give_up("become the agents' user");
        if (::chdir((stage_.path() / "tmp").c_str()) != 0) give_up("enter the rehearsal's folder");
    }
    void set_environment() {
        ::clearenv();
        ::setenv("HOME", stage_.user().home.c_str(), 1);
        for (const auto* name : {"USER", "LOGNAME"}) ::setenv(name, stage_.user().name.c_str(), 1);
        for (const auto& [name, value] : agent_.environment) ::setenv(name.c_str(), value.c_str(), 1);
        ::setenv("PATH",
                 (stage_.path() / "bin")
                     .string()
                     .append(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
                     .c_str(),
                 1);
        ::setenv("TMPDIR", (stage_.path() / "tmp").c_str(), 1);
        ::setenv("RUNTIME_DIRECTORY", memory().c_str(), 1);
    }

    const CharmHost& host_;
    const CharmAgent& agent_;
    const fs::path& root_;
    const Stage& stage_;
};

/// The exit code of the child, or nothing if it took too long; its processes are killed then.
std::optional<int> wait_for(pid_t child) {
    const timespec pause{0, 20'000'000};
    int status = 0;
    for (int left = longest_rehearsal * 50; left > 0; --left) {
        if (::waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        ::nanosleep(&pause, nullptr);
    }
    ::kill(-child, SIGKILL);
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);  // at once, after SIGKILL
    return std::nullopt;
}

void read_phases(const Stage& stage, RehearsedAgent& rehearsed) {
    const auto outcome = nlohmann::json::parse(
        read_untrusted(stage.path() / "tmp/output/testflinger-outcome.json", notes_limit).value_or(""), nullptr, false);
    if (!outcome.is_object() || !outcome.contains("status") || !outcome["status"].is_object()) return;
    for (const auto& [phase, code] : outcome["status"].items()) {
        if (!code.is_number_integer()) continue;
        rehearsed.phases[phase] = code.get<int>();
        if (code != 0)
            rehearsed.differs.push_back("the phase " + phase + " ends with " + std::to_string(code.get<int>()));
    }
}

Result<RehearsedAgent> rehearse_one(const CharmHost& host, const CharmAgent& agent, const fs::path& root) {
    RehearsedAgent rehearsed{agent.loaded->agent_id, {}, {}, {}, {}};
    const auto user = find_user_entry(agent.user.empty() ? "root" : agent.user, root);
    if (!user) return fail(user.error());
    const auto stage = Stage::make(*user);
    if (!stage) return fail(stage.error());
    const FileDescriptor program(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    const auto log = create_new_file(stage->path() / "log");
    if (!program || !log) return fail("cannot open this program, or a file in " + stage->path().string());
    const pid_t child = ::fork();
    if (child < 0) return fail("cannot start a process: " + system_text(errno));
    if (child == 0) Scene(host, agent, root, *stage).play(program.get(), log->get());
    const auto code = wait_for(child);
    rehearsed.calls = lines_of(stage->path() / "notes/calls");
    rehearsed.differs = lines_of(stage->path() / "notes/differs");
    read_phases(*stage, rehearsed);
    if (!code) rehearsed.differs.push_back("the job took more than " + std::to_string(longest_rehearsal) + " s");
    if (code && rehearsed.phases.empty()) rehearsed.differs.emplace_back("the job did not run");
    const bool has_failed = rehearsed.phases.empty() || std::any_of(rehearsed.phases.begin(), rehearsed.phases.end(),
                                                                    [](const auto& one) { return one.second != 0; });
    if (has_failed) rehearsed.log = last_lines(stage->path() / "log");
    return rehearsed;
}

}  // namespace

Result<std::vector<RehearsedAgent>> rehearse(const CharmHost& host, const fs::path& root) {
    if (::geteuid() != 0) return fail("--rehearse needs root for a mount namespace: run it with sudo");
    std::signal(SIGCHLD, SIG_DFL);  // with adopt_orphans() the exit code is lost
    std::vector<RehearsedAgent> all;
    for (const auto& agent : host.agents) {
        if (!agent.loaded) continue;
        auto rehearsed = rehearse_one(host, agent, root);
        if (!rehearsed) return fail(rehearsed.error());
        all.push_back(std::move(*rehearsed));
    }
    return all;
}

std::string shown(const std::vector<RehearsedAgent>& agents) {
    std::string text;
    for (const auto& agent : agents) {
        text += agent.agent_id + ":";
        for (const auto& [phase, code] : agent.phases) text += " " + phase + "=" + std::to_string(code);
        text += "\n";
        for (const auto& call : agent.calls) text += "  called " + call + "\n";
        for (const auto& line : agent.log) text += "  log: " + line + "\n";
        const std::set<std::string> once(agent.differs.begin(), agent.differs.end());
        for (const auto& line : once) text += "  DIFFERS: " + line + "\n";
    }
    return text;
}

}  // namespace trebuchet
