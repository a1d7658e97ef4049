#include "tests/integration/harness/child_program.hpp"

#include "common/process/process_identity.hpp"
#include "common/process/process_tree.hpp"
#include "tests/integration/harness/wait.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet::harness {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void give_up(const std::string& what) {
    throw std::system_error(errno, std::system_category(), what);
}

FileDescriptor memory_file(const char* name) {
    FileDescriptor file(::memfd_create(name, MFD_CLOEXEC));
    if (!file || ::fcntl(file.get(), F_SETFL, O_APPEND) != 0) give_up("memfd_create");
    return file;
}

/// The content of a file in /proc; "" if the process has ended, also while the file is read.
std::string told_of(const fs::path& file) {
    const std::ifstream stream(file);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

std::string whole(const FileDescriptor& file) {
    std::string text;
    std::array<char, 65536> buffer{};
    while (true) {
        const auto count = ::pread(file.get(), buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
        if (count <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    pointers.reserve(strings.size() + 1);
    for (auto& text : strings) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// The programs that were started here and are not reaped yet.
std::set<pid_t>& started() {
    static std::set<pid_t> pids;
    return pids;
}

/// The orphans that this process has adopted as a subreaper.
std::vector<pid_t> adopted() {
    std::vector<pid_t> orphans;
    for (const auto& task : fs::directory_iterator("/proc/self/task")) {
        const auto text = told_of(task.path() / "children");
        const char* next = text.data();
        const char* const end = text.data() + text.size();
        while (next < end) {
            pid_t pid = 0;
            const auto [rest, error] = std::from_chars(next, end, pid);
            if (error == std::errc() && started().count(pid) == 0) orphans.push_back(pid);
            next = rest + 1;
        }
    }
    return orphans;
}

void kill_adopted() {
    for (auto orphans = adopted(); !orphans.empty(); orphans = adopted()) {
        for (const auto pid : orphans) ::kill(pid, SIGKILL);
        for (const auto pid : orphans) ::waitpid(pid, nullptr, 0);
    }
}

/// Called in the child, which has changed its user and kept what it was permitted.
bool keep_capabilities(const std::vector<unsigned>& kept) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    for (const auto capability : kept) {
        const auto bit = 1U << capability;
        sets[0].permitted |= bit;
        sets[0].effective |= bit;
        sets[0].inheritable |= bit;
    }
    if (::syscall(SYS_capset, &header, sets.data()) != 0) return false;
    return std::all_of(kept.begin(), kept.end(), [](unsigned capability) {
        return ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0;
    });
}

/// Called in the child.
bool confine(const Confinement& where) {
    if (!where.cgroup.empty()) {
        const FileDescriptor group(::open((where.cgroup / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
        if (!write_all(group.get(), "0")) return false;
    }
    if (where.user == 0) return true;
    const rlimit processes{where.process_limit, where.process_limit};
    if (where.process_limit > 0 && ::setrlimit(RLIMIT_NPROC, &processes) != 0) return false;
    if (!where.capabilities.empty() && ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return false;
    return ::setgroups(0, nullptr) == 0 && ::setresgid(where.user, where.user, where.user) == 0 &&
           ::setresuid(where.user, where.user, where.user) == 0 &&
           (where.capabilities.empty() || keep_capabilities(where.capabilities));
}

/// Forks and runs the command with these as its stdin, stdout and stderr.
pid_t start(const Command& command, int in, int out, int err) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    std::vector<std::string> arguments{command.program.string()};
    arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
    std::vector<std::string> environment;
    const char* path = std::getenv("PATH");
    if (command.environment.count("PATH") == 0 && path != nullptr) environment.push_back(std::string("PATH=") + path);
    for (const auto& [name, value] : command.environment) environment.push_back(name + "=" + value);
    const auto argv = pointers_to(arguments);
    const auto envp = pointers_to(environment);

    const pid_t test = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) give_up("fork");
    if (pid > 0) {
        started().insert(pid);
        return pid;
    }
    if (!confine(command.confinement)) ::_exit(125);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);  // a change of user clears it
    if (::getppid() != test) ::_exit(126);
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    if (::chdir(command.folder.c_str()) == 0) ::execve(argv.front(), argv.data(), envp.data());
    ::_exit(127);
}

int code_of(int status) {
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

struct Terminal {
    FileDescriptor ours;
    FileDescriptor theirs;
};

Terminal open_terminal() {
    FileDescriptor ours(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!ours || ::grantpt(ours.get()) != 0 || ::unlockpt(ours.get()) != 0) give_up("posix_openpt");
    std::array<char, 128> name{};
    if (::ptsname_r(ours.get(), name.data(), name.size()) != 0) give_up("ptsname_r");
    FileDescriptor theirs(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!theirs) give_up("cannot open the terminal");
    return {std::move(ours), std::move(theirs)};
}

/// Reads until the other side is closed.
std::string shown_on(const FileDescriptor& terminal) {
    std::string text;
    std::array<char, 4096> buffer{};
    while (true) {
        pollfd ready{terminal.get(), POLLIN, 0};
        const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
        if (::poll(&ready, 1, static_cast<int>(limit)) <= 0)
            throw std::runtime_error("the program did not close the terminal in time");
        const auto count = ::read(terminal.get(), buffer.data(), buffer.size());
        if (count <= 0) return text;  // EIO: closed
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

}  // namespace

ChildProgram::ChildProgram(const Command& command) : out_(memory_file("stdout")), err_(memory_file("stderr")) {
    if (::access(command.program.c_str(), X_OK) != 0) give_up(command.program.string());
    const auto in = memory_file("stdin");
    if (!write_all(in.get(), command.input)) give_up("cannot write stdin");
    ::lseek(in.get(), 0, SEEK_SET);
    pid_ = start(command, in.get(), out_.get(), err_.get());
}

ChildProgram::~ChildProgram() {
    if (!reaped_) {
        ::kill(pid_, SIGKILL);
        reap(0);
    }
    kill_adopted();
}

bool ChildProgram::reap(int options) {
    if (reaped_) return true;
    if (::waitpid(pid_, &status_, options) != pid_) return false;
    reaped_ = true;
    started().erase(pid_);
    return true;
}

std::string ChildProgram::out() const {
    return whole(out_);
}

std::string ChildProgram::err() const {
    return whole(err_);
}

bool ChildProgram::prints(std::string_view text) {
    const auto printed = [&] { return out().find(text) != std::string::npos || err().find(text) != std::string::npos; };
    return eventually([&] { return printed() || !is_running(); }) && printed();
}

bool ChildProgram::is_running() {
    return !reap(WNOHANG);
}

void ChildProgram::signal(int number) const {
    if (!reaped_) ::kill(pid_, number);
}

Ending ChildProgram::wait() {
    if (!eventually([&] { return !is_running(); })) throw std::runtime_error("the program did not end in time");
    return {code_of(status_), out(), err(), WCOREDUMP(status_) != 0};
}

Ending run(const Command& command) {
    return ChildProgram(command).wait();
}

Ending run_on_terminal(const Command& command) {
    auto terminal = open_terminal();
    const int theirs = terminal.theirs.get();
    const pid_t pid = start(command, theirs, theirs, theirs);
    terminal.theirs = FileDescriptor();
    Ending ending;
    ending.out = shown_on(terminal.ours);
    int status = 0;
    ::waitpid(pid, &status, 0);
    started().erase(pid);
    kill_adopted();
    ending.code = code_of(status);
    return ending;
}

bool is_alive(pid_t pid) {
    return identity_of(pid).has_value();
}

std::vector<pid_t> living_below(pid_t root) {
    auto pids = descendants_of(root);
    pids.erase(std::remove_if(pids.begin(), pids.end(), [](pid_t pid) { return !is_alive(pid); }), pids.end());
    return pids;
}

namespace {

template <typename Is>
std::vector<pid_t> processes_if(const Is& is_meant) {
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        pid_t pid = 0;
        const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        const bool is_process = error == std::errc() && rest == name.data() + name.size();
        if (is_process && is_meant(entry.path())) found.push_back(pid);
    }
    return found;
}

}  // namespace

std::vector<pid_t> processes_of(uid_t user) {
    return processes_if([&](const fs::path& process) {
        const auto status = told_of(process / "status");
        const auto at = status.find("\nUid:");
        if (at == std::string::npos || status.find("\nState:\tZ") != std::string::npos) return false;
        std::istringstream users(status.substr(at + 5));
        uid_t real = 0;
        uid_t effective = 0;
        users >> real >> effective;
        return real == user || effective == user;
    });
}

std::vector<pid_t> processes_with_argument(std::string_view text) {
    return processes_if(
        [&](const fs::path& process) { return told_of(process / "cmdline").find(text) != std::string::npos; });
}

}  // namespace trebuchet::harness
