#pragma once

#include "provision/power/outlet_power.hpp"

#include <memory>
#include <string>

namespace trebuchet {

// Plugs in the network, switched by their HTTP interface with the system's curl. `url` is "http://HOST", with
// "USER:PASSWORD@" where the plug wants a login; neither a command line nor a message shows it.

/// Tasmota: `GET /cm?cmnd=Power2%20On`. `outlet`: 1 and up.
/// Source of the interface: the commands of Tasmota's documentation.
[[nodiscard]] std::unique_ptr<Outlet> make_tasmota(const std::string& url, unsigned outlet);

/// Shelly: `GET /rpc/Switch.Set?id=0&on=true`, or `GET /relay/0?turn=on` for a plug of the first generation, as `GET
/// /shelly` tells. `outlet`: 0 and up. Source of the interface: Shelly's API documentation.
[[nodiscard]] std::unique_ptr<Outlet> make_shelly(std::string url, unsigned outlet);

}  // namespace trebuchet
