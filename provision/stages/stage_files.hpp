#pragma once

#include "common/base/result.hpp"
#include "provision/stages/stage.hpp"

#include <filesystem>

namespace trebuchet {

/// Writes `{"device_info": {"device_ip": …, "agent_name": …}}` without empty values.
[[nodiscard]] Result<void> write_device_info(const std::filesystem::path& file, const ConnectorConfig& config);

/// Adds `{"<stage>_exception_info": {exception_name, exception_message, exception_cause}}` to the JSON object in the
/// file. Replaces a file that does not contain a JSON object.
[[nodiscard]] Result<void> append_stage_error(const std::filesystem::path& file, Stage stage, const StageError& error);

}  // namespace trebuchet
