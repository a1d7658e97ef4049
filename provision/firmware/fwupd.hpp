#pragma once

#include "common/base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// A part of a computer whose firmware fwupd can write.
struct FirmwarePart {
    std::string id;       ///< fwupd's DeviceId, hex digits
    std::string name;     ///< for people
    std::string version;  ///< "": fwupd doesn't know it
    std::string newest;   ///< "": none that is newer than `version`
};

/// Of `fwupdmgr get-devices --json`. Releases come newest first.
[[nodiscard]] Result<std::vector<FirmwarePart>> parse_fwupd_devices(std::string_view json);

/// Of `fwupdmgr get-results ID --json`: whether the part has this version now. If not, the Error says why.
[[nodiscard]] Result<void> check_fwupd_results(std::string_view json, std::string_view version);

}  // namespace trebuchet
