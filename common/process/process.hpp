#pragma once

#include "common/base/result.hpp"
#include "common/event/event_loop.hpp"
#include "common/process/environment.hpp"
#include "common/process/process_identity.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace trebuchet {

/// A command to run, apart from running it.
struct ProcessSpec {
    std::string title;    ///< what `ps` shows of its supervisor, such as "test": no secrets
    std::string command;  ///< run by /bin/sh -c, stdin from /dev/null
    std::filesystem::path folder;
    Environment environment;  ///< all of it: nothing is inherited
    std::chrono::milliseconds kill_grace{10'000};
};

struct Exited {
    int code = 0;  ///< 0 to 255
};
struct Signalled {
    int signal = 0;
};
struct CouldNotStart {
    std::string reason;
};

/// How the command itself ended.
using ProcessEnd = std::variant<Exited, Signalled, CouldNotStart>;

/// A running command and all of its descendants, under a supervisor of their own (`supervise_phase`): whatever happens
/// to this process, or to this object, none of them outlives it.
///
///     running ──command exits──▶ ended ──last descendant gone──▶ gone
///     running or ended ──stop()──▶ TERM to the tree, grace, KILL ──▶ gone
///
/// Handlers are called on the loop's thread. Lives on one thread.
class Process {
  public:
    struct Handlers {
        /// Output of the whole tree, stdout and stderr as one. Not called any more once `ended` was.
        std::function<void(std::string_view)> output;
        /// The command has ended and what it printed was read. `left` of its descendants still run, and go on until
        /// stop().
        std::function<void(const ProcessEnd&, std::size_t left)> ended;
        /// The supervisor is gone, and with it every descendant. Comes after `ended`.
        std::function<void()> gone;
    };

    static std::unique_ptr<Process> start(EventLoop& loop, const ProcessSpec& spec, Handlers handlers);

    /// Kills what is left of the tree and waits for it.
    virtual ~Process() = default;

    /// TERM to the tree, then, after the grace, KILL. Again: no effect.
    virtual void stop() = 0;
    /// KILL to the tree, now.
    virtual void kill() = 0;
    /// Back-pressure: the pipe is not read until resumed, so that the tree blocks once it is full.
    virtual void pause_output() = 0;
    virtual void resume_output() = 0;
    [[nodiscard]] virtual bool is_gone() const = 0;
    /// Who it is, for a next life of this program; nothing if it could not be started or is gone.
    [[nodiscard]] virtual std::optional<ProcessIdentity> supervisor() const = 0;
};

}  // namespace trebuchet
