#include "provision/stages/reservation_order.hpp"

#include "common/base/text.hpp"
#include "provision/job/duration.hpp"

namespace trebuchet {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const auto start = text.find_first_not_of(blanks);
    if (start == std::string_view::npos) return {};
    return text.substr(start, text.find_last_not_of(blanks) - start + 1);
}

}  // namespace

Result<ReservationOrder> parse_reservation_order(std::string_view text) {
    const auto order = trimmed(text);
    if (order == "end") return EndReservation{};
    constexpr std::string_view extend = "extend";
    if (!order.starts_with(extend) || order.size() == extend.size() ||
        blanks.find(order[extend.size()]) == std::string_view::npos) {
        return fail("found " + trebuchet::quoted(order) + R"(, expected "end" or "extend 1h")");
    }
    const auto by = parse_duration(trimmed(order.substr(extend.size())));
    if (!by) return fail(by.error().with_context("extend"));
    return ExtendReservation{*by};
}

}  // namespace trebuchet
