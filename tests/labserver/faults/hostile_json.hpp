#pragma once

#include "tests/labserver/faults/fault.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace trebuchet::labserver {

/// A JSON object with what the fault is about in it: of its fields, `job_id` stays as it was. nullopt if `body` is no
/// JSON object, or one without fields.
[[nodiscard]] std::optional<std::string> hostile_json(std::string_view body, const Fault& fault);

}  // namespace trebuchet::labserver
