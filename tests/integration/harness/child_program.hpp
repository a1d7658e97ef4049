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

/// Where a program runs that is to be attacked.
struct Confinement {
    uid_t user = 0;                  ///< its user and only group; 0: the test's own
    std::size_t process_limit = 0;   ///< of that user; 0: none
    std::filesystem::path cgroup{};  ///< its folder; "": the test's own
};

/// A program to start. Of the test's own environment it gets PATH only.
struct Command {
    std::filesystem::path program;
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment{};
    std::filesystem::path folder = "/";
    std::string input{};  ///< stdin, whole
    Confinement confinement{};
};

/// How a program ended. `code`: what it exited with, or minus the signal that killed it.
struct Ending {
    int code = 0;
    std::string out;
    std::string err;
    bool dumped_core = false;
};

/// A program under test that runs. Its output goes to files in memory, so that it never waits for the test. When this
/// object goes, the program and everything that it left running is killed and reaped.
class ChildProgram {
  public:
    /// Throws if it can't be started.
    explicit ChildProgram(const Command& command);
    ~ChildProgram();
    ChildProgram(const ChildProgram&) = delete;
    ChildProgram& operator=(const ChildProgram&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// All that it printed so far.
    [[nodiscard]] std::string out() const;
    [[nodiscard]] std::string err() const;

    /// Waits until stdout or stderr holds `text`. False if it ended without that, or after harness::patience.
    [[nodiscard]] bool prints(std::string_view text);
    [[nodiscard]] bool is_running();
    void signal(int number) const;
    /// Waits for its end; throws after harness::patience.
    Ending wait();

  private:
    bool reap(int options);

    pid_t pid_ = -1;
    int status_ = 0;
    bool reaped_ = false;
    FileDescriptor out_;
    FileDescriptor err_;
};

/// Runs a program to its end.
[[nodiscard]] Ending run(const Command& command);

/// The same with a terminal as stdin, stdout and stderr: `out` is what the terminal showed.
[[nodiscard]] Ending run_on_terminal(const Command& command);

/// The processes below `root` that are alive; zombies are not.
[[nodiscard]] std::vector<pid_t> living_below(pid_t root);
[[nodiscard]] bool is_alive(pid_t pid);
/// Processes of this machine of that user, real or effective, that are alive.
[[nodiscard]] std::vector<pid_t> processes_of(uid_t user);
/// Processes of this machine that show `text` among their arguments.
[[nodiscard]] std::vector<pid_t> processes_with_argument(std::string_view text);

}  // namespace trebuchet::harness
