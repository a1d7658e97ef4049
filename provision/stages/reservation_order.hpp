#pragma once

#include "common/base/result.hpp"

#include <chrono>
#include <string_view>
#include <variant>

namespace trebuchet {

struct EndReservation {};
struct ExtendReservation {
    std::chrono::seconds by{};
};
using ReservationOrder = std::variant<EndReservation, ExtendReservation>;

/// Parses the content of the reservation file: "end", or "extend 2h30m".
[[nodiscard]] Result<ReservationOrder> parse_reservation_order(std::string_view text);

}  // namespace trebuchet
