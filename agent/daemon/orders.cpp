#include "agent/daemon/orders.hpp"

#include <utility>

namespace trebuchet {
namespace {

/// The reference agent posts this comment when it goes offline to be restarted. That is not an order.
constexpr std::string_view restart_by_supervisor = "Restart signal detected from supervisor process";

Order order_named(std::string_view name) {
    if (name == "offline") return Order::offline;
    if (name == "maintenance") return Order::maintenance;
    if (name == "restart") return Order::restart;
    return Order::work;
}

}  // namespace

std::string_view state_of(Order order) {
    switch (order) {
        case Order::work:
            return "waiting";
        case Order::offline:
            return "offline";
        case Order::maintenance:
            return "maintenance";
        case Order::restart:
            return "restart";
    }
    return "";
}

Order Orders::at_start(const AgentRecord& record) {
    restart_is_done_ = record.mode == "restart";
    if (record.comment == restart_by_supervisor) return Order::work;
    const auto order = read(record);
    return order == Order::restart ? Order::work : order;
}

Order Orders::read(const AgentRecord& record) {
    if (record.mode != "restart") restart_is_done_ = false;
    const auto by_mode = order_named(record.mode);
    if (by_mode == Order::restart && !restart_is_done_) return by_mode;
    if (by_mode == Order::offline || by_mode == Order::maintenance) {
        state_is_by_mode_ = true;
        return by_mode;
    }
    const auto by_state = order_named(record.state);
    if (by_state == Order::work) state_is_by_mode_ = false;
    return state_is_by_mode_ ? Order::work : by_state;
}

void Orders::note(const AgentRecord& record) {
    const bool was_by_mode = std::exchange(state_is_by_mode_, false);
    const auto order = read(record);
    if (order != Order::work) {
        standing_ = StandingOrder{order, record.comment};
    } else if (was_by_mode || record.state == "waiting") {
        standing_.reset();
    }
}

std::optional<StandingOrder> Orders::standing() const {
    if (standing_ || !by_signal_) return standing_;
    return StandingOrder{Order::restart, std::string(restart_by_supervisor)};
}

std::optional<StandingOrder> Orders::take_standing() {
    auto order = standing();
    standing_.reset();
    return order;
}

}  // namespace trebuchet
