#pragma once

#include "common/base/result.hpp"
#include "common/event/event_loop.hpp"
#include "common/process/environment.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

namespace trebuchet {

/// A program that runs beside this one, as its direct child.
struct DirectChildSpec {
    std::filesystem::path program;
    std::vector<std::string> arguments;  ///< without the program's name; no secrets
    Environment environment;             ///< complete: nothing is inherited
    int cgroup = -1;                     ///< descriptor of the folder of its cgroup, not owned; -1: this program's
};

/// How it ended.
struct ChildEnd {
    int code = 0;    ///< 0 to 255; 127: it could not be started
    int signal = 0;  ///< not 0: the signal that killed it
};

/// A running child, with a session of its own, so that no Ctrl+C reaches it. It inherits stdout and stderr, and no
/// other descriptor. The kernel sends it SIGTERM if this program dies. Not thread-safe: use it on the loop's thread.
class DirectChild {
  public:
    /// Call keep_exit_codes() before the first one. `ended` is called once, on the loop, and may destroy the object.
    static Result<std::unique_ptr<DirectChild>> start(EventLoop& loop, const DirectChildSpec& spec,
                                                      std::function<void(ChildEnd)> ended);
    virtual ~DirectChild() = default;  ///< leaves a running child alone

    [[nodiscard]] virtual pid_t pid() const = 0;
    /// Reaches this child or nobody.
    virtual void signal(int number) = 0;
};

/// Undoes adopt_orphans(): a program that wants to know how its children end cannot let the kernel reap them.
void keep_exit_codes();

}  // namespace trebuchet
