#pragma once

#include "common/base/clock.hpp"
#include "provision/config/connector_config.hpp"
#include "provision/job/job_file.hpp"
#include "provision/log/connector_log.hpp"
#include "provision/process/command.hpp"
#include "provision/process/exit_codes.hpp"
#include "provision/process/interrupt.hpp"

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace trebuchet {

class SerialCapture;

enum class Stage { provision, firmware_update, runtest, allocate, reserve, cleanup };

/// The command line's names, in the order of a job. stage_from_name also accepts "test" for runtest.
[[nodiscard]] const std::vector<std::string>& stage_names();
[[nodiscard]] std::optional<Stage> stage_from_name(std::string_view name);
[[nodiscard]] const std::string& name_of(Stage stage);

/// What a stage works with. Commands run in, and file names are relative to, the current folder: the job's run folder.
struct StageContext {
    const ConnectorConfig& config;
    const JobFile& job;
    const ConnectorLog& log;
    CommandRunner& commands;
    Interrupt& interrupt;
    const Clock& clock;
    std::function<double()> jitter;   ///< numbers in [0, 1), for Backoff
    std::ostream& out;                ///< for the submitter, beside the commands' own output
    SerialCapture* serial = nullptr;  ///< the device's console while it is captured, else null
};

/// Why a stage failed; written to device-connector-error.json.
struct StageError {
    std::string name;  ///< kind of error, such as "ProvisioningError"
    std::string message;
    std::optional<std::string> cause;
    int exit_code = exit_failure;
};

/// The stage's exit code. A failed test command is an exit code, not a StageError.
using StageResult = tl::expected<int, StageError>;

[[nodiscard]] tl::unexpected<StageError> stage_error(std::string name, std::string message);
[[nodiscard]] tl::unexpected<StageError> job_error(std::string message);

}  // namespace trebuchet
