#pragma once

#include "agent/api/job_server.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// What an administrator or the service manager wants this agent to do.
enum class Order { work, offline, maintenance, restart };

/// The agent's state for this order; "waiting" for work.
[[nodiscard]] std::string_view state_of(Order order);

/// An order to obey when the running job is done.
struct StandingOrder {
    Order order = Order::work;
    std::string comment;
};

/// Reads an administrator's orders from the server's record of this agent. They are in `state`, which the agent also
/// posts, and on newer servers in `mode`, which only the server sets:
///
///     mode               state                    order
///     offline, maint.    any                      as mode says; once mode is online again: work
///     restart            any                      restart, but only once: mode still says so after the restart
///     online or none     offline, maint.          as state says, whether an administrator or exit 46 posted it
///     online or none     restart                  restart
///     online or none     other                    work
class Orders {
  public:
    /// Call this at the agent's start: an order to restart is then done, even one that the reference agent left.
    [[nodiscard]] Order at_start(const AgentRecord& record);
    [[nodiscard]] Order read(const AgentRecord& record);

    /// The same while a job runs: keeps the order until the job is done or the order is withdrawn.
    void note(const AgentRecord& record);
    /// SIGUSR1: the service manager wants a restart, whatever the server says. An order to stay away is kept as well,
    /// and is what the server is told.
    void restart_by_signal() { by_signal_ = true; }
    [[nodiscard]] bool restart_is_signalled() const { return by_signal_; }
    [[nodiscard]] std::optional<StandingOrder> standing() const;
    /// Returns the order and forgets it.
    [[nodiscard]] std::optional<StandingOrder> take_standing();

  private:
    std::optional<StandingOrder> standing_;
    bool restart_is_done_ = false;   ///< of the restart that `mode` shows
    bool state_is_by_mode_ = false;  ///< we posted it because of `mode`
    bool by_signal_ = false;
};

}  // namespace trebuchet
