#pragma once

#include "common/file/safe_file.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace trebuchet::harness {

/// Confines a program: another user, a limit on processes, a cgroup.
struct Confinement {
    uid_t user = 0;                  ///< user id, and the only group id; 0: the test's own
    std::size_t process_limit = 0;   ///< how many processes that user may have; 0: no limit
    std::filesystem::path cgroup{};  ///< the cgroup's folder; "": the test's own cgroup
    /// What that user may do (CAP_…), as with systemd's AmbientCapabilities=.
    std::vector<unsigned> capabilities{};
};

/// A program to start. From the test's environment it inherits only PATH.
struct Command {
    std::filesystem::path program;
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment{};
    std::filesystem::path folder = "/";
    std::string input{};  ///< the whole stdin
    Confinement confinement{};
};

/// How a program ended. `code`: the exit code, or the negated number of the signal that killed it.
struct Ending {
    int code = 0;
    std::string out;
    std::string err;
    bool dumped_core = false;
};

/// A running program under test. Its output goes to files in memory, so it never blocks on the test. The destructor
/// kills and reaps the program and everything that it left running.
class ChildProgram {
  public:
    /// Throws if it cannot be started.
    explicit ChildProgram(const Command& command);
    ~ChildProgram();
    ChildProgram(const ChildProgram&) = delete;
    ChildProgram& operator=(const ChildProgram&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// The output so far.
    [[nodiscard]] std::string out() const;
    [[nodiscard]] std::string err() const;

    /// Waits until stdout or stderr contains `text`. Returns false if the program ended without it, or after
    /// harness::patience.
    [[nodiscard]] bool prints(std::string_view text);
    [[nodiscard]] bool is_running();
    void signal(int number) const;
    /// Waits for the program to end. Throws after harness::patience.
    Ending wait();

  private:
    bool reap(int options);

    pid_t pid_ = -1;
    int status_ = 0;
    bool reaped_ = false;
    FileDescriptor out_;
    FileDescriptor err_;
};

/// Runs a program and waits for it to end.
[[nodiscard]] Ending run(const Command& command);

/// The same, with a terminal as stdin, stdout and stderr. `out` is what the terminal showed.
[[nodiscard]] Ending run_on_terminal(const Command& command);

/// The living descendants of `root`, without zombies.
[[nodiscard]] std::vector<pid_t> living_below(pid_t root);
[[nodiscard]] bool is_alive(pid_t pid);
/// All living processes with this real or effective user.
[[nodiscard]] std::vector<pid_t> processes_of(uid_t user);
/// All processes whose arguments contain `text`.
[[nodiscard]] std::vector<pid_t> processes_with_argument(std::string_view text);

}  // namespace trebuchet::harness
