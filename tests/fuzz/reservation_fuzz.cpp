#include "provision/stages/reservation_keys.hpp"
#include "provision/stages/reservation_order.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

using trebuchet::require;

/// A job's ssh key, and what a user writes into a reservation's control file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    if (trebuchet::is_public_key(text)) {
        require(text.find_first_of(std::string("\n\r\0", 3)) == std::string::npos, "a key is one line");
        require(text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-"),
                "a key has no options");
    }
    const auto order = trebuchet::parse_reservation_order(text);
    if (!order) return 0;
    const auto* extension = std::get_if<trebuchet::ExtendReservation>(&*order);
    require(extension == nullptr || extension->by.count() >= 0, "an extension is not negative");
    return 0;
}
