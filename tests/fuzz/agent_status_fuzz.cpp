#include "agent/cli/status_table.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

/// A status file that a job may have written: never a crash, and what is understood is written the same way again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trebuchet;
    const auto status = parse_status({reinterpret_cast<const char*>(data), size});
    if (!status) return 0;
    const auto again = parse_status(status_json(*status));
    require(again && *again == *status, "a status is written as it was read");
    const AgentRow row{"a", health_of(*status, std::chrono::seconds(1), true), *status};
    static_cast<void>(status_table({row}, AgentStatus::Time()));
    static_cast<void>(status_rows_json({row}));
    return 0;
}
