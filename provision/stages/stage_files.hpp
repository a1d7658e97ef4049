#pragma once

#include "common/base/result.hpp"
#include "provision/stages/stage.hpp"

#include <filesystem>

namespace trebuchet {

/// `{"device_info": {"device_ip": …, "agent_name": …}}`, empty values left out.
[[nodiscard]] Result<void> write_device_info(const std::filesystem::path& file, const ConnectorConfig& config);

/// Adds `{"<stage>_exception_info": {exception_name, exception_message, exception_cause}}` to the object in the file.
/// What is no such object is replaced.
[[nodiscard]] Result<void> append_stage_error(const std::filesystem::path& file, Stage stage, const StageError& error);

}  // namespace trebuchet
