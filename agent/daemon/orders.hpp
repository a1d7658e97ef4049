#pragma once

#include "agent/api/job_server.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// What an administrator, or the service manager, wants of this agent.
enum class Order { work, offline, maintenance, restart };

/// As the agent's state that shows it: "waiting" for work.
[[nodiscard]] std::string_view state_of(Order order);

/// An order to be obeyed when the job in hand is done.
struct StandingOrder {
    Order order = Order::work;
    std::string comment;
};

/// Reads an administrator's orders from the server's record of this agent. They are in `state`, which the agent posts
/// as well, and with newer servers in `mode`, which only the server sets:
///
///     mode               state                    order
///     offline, maint.    any                      as mode says; when mode is online again, work
///     restart            any                      restart, but once: it stays there when we come back
///     online or none     offline, maint.          as state says, whether an administrator or exit 46 posted it
///     online or none     restart                  restart
///     online or none     other                    work
class Orders {
  public:
    /// At the agent's start: an order to restart is done by now, also one that the reference agent left.
    [[nodiscard]] Order at_start(const AgentRecord& record);
    [[nodiscard]] Order read(const AgentRecord& record);

    /// The same while a job is in hand: the order is kept until the job is done, or until it is taken back.
    void note(const AgentRecord& record);
    /// SIGUSR1: the service manager wants a restart, whatever the server says. An order to stay away is kept beside it,
    /// and is what the server is told.
    void restart_by_signal() { by_signal_ = true; }
    [[nodiscard]] bool restart_is_signalled() const { return by_signal_; }
    [[nodiscard]] std::optional<StandingOrder> standing() const;
    /// Takes it, to be obeyed.
    [[nodiscard]] std::optional<StandingOrder> take_standing();

  private:
    std::optional<StandingOrder> standing_;
    bool restart_is_done_ = false;   ///< the one that `mode` shows
    bool state_is_by_mode_ = false;  ///< we posted it because of `mode`
    bool by_signal_ = false;
};

}  // namespace trebuchet
