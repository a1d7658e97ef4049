#pragma once

#include "tests/labserver/faults/fault.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace trebuchet::labserver {

/// The JSON object `body` with the fault applied to it. `job_id` is not changed. Returns nullopt if `body` is not a
/// JSON object or has no fields.
[[nodiscard]] std::optional<std::string> hostile_json(std::string_view body, const Fault& fault);

}  // namespace trebuchet::labserver
