#pragma once

#include "provision/power/outlet_power.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// A port of a USB hub, switched by uhubctl on this machine. `program`: "uhubctl", or words such as "sudo uhubctl".
/// `hub`: its location, "1-1.4".
[[nodiscard]] std::unique_ptr<Outlet> make_uhubctl(std::vector<std::string> program, std::string hub, std::string port);

/// The state of the port in uhubctl's output: the last line "Port 2: 0507 power …" or "Port 2: 0000 off". Only lines
/// behind the last "status for hub" count, because uhubctl prints the old and the new state.
[[nodiscard]] PowerState parse_uhubctl(std::string_view output, const std::string& port);

}  // namespace trebuchet
