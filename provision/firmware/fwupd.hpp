#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// A component whose firmware fwupd can update.
struct FirmwarePart {
    std::string id;       ///< fwupd's DeviceId, hex digits
    std::string name;     ///< for messages
    std::string version;  ///< "": unknown to fwupd
    std::string newest;   ///< "": nothing newer than `version`
};

/// Parses the output of `fwupdmgr get-devices --json`, which lists releases newest first.
[[nodiscard]] Result<std::vector<FirmwarePart>> parse_fwupd_devices(std::string_view json);

/// Checks in the output of `fwupdmgr get-results ID --json` that the component now has this version.
[[nodiscard]] Result<void> check_fwupd_results(std::string_view json, std::string_view version);

}  // namespace trebuchet
