#include "provision/firmware/fwupd.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

using trebuchet::require;

/// The output of fwupdmgr on a device.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    if (const auto parts = trebuchet::parse_fwupd_devices(text)) {
        for (const auto& part : *parts) {
            const bool is_hex = part.id.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
            require(!part.id.empty() && is_hex, "an id is hexadecimal, so it needs no quotes");
            require(part.newest.empty() || part.newest != part.version,
                    "the newest version differs from the installed one");
        }
    }
    const auto results = trebuchet::check_fwupd_results(text, "1.4");
    require(results || !results.error().message().empty(), "a failure has a reason");
    return 0;
}
