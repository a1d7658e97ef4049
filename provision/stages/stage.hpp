#pragma once

#include "common/base/clock.hpp"
#include "provision/config/connector_config.hpp"
#include "provision/job/job_file.hpp"
#include "provision/log/connector_log.hpp"
#include "provision/process/command.hpp"
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

/// In the order in which a job meets them, by the names that the command line takes. `test` is another name of runtest.
[[nodiscard]] const std::vector<std::string>& stage_names();
[[nodiscard]] std::optional<Stage> stage_from_name(std::string_view name);
[[nodiscard]] const std::string& name_of(Stage stage);

/// What a stage works with. Its commands, and the names of its files, are relative to the current folder: the job's run
/// folder.
struct StageContext {
    const ConnectorConfig& config;
    const JobFile& job;
    const ConnectorLog& log;
    CommandRunner& commands;
    Interrupt& interrupt;
    const Clock& clock;
    std::function<double()> jitter;   ///< numbers in [0, 1), for Backoff
    std::ostream& out;                ///< what the submitter reads, beside the commands' own output
    SerialCapture* serial = nullptr;  ///< the device's console, while it is captured
};

/// Why a stage failed, as it is written into device-connector-error.json.
struct StageError {
    std::string name;  ///< a class of errors, such as "ProvisioningError"
    std::string message;
    std::optional<std::string> cause;
    int exit_code = 1;
};

/// The device can't be brought back to a known state: the agent takes it offline.
inline constexpr int recovery_failed_exit_code = 46;

/// The stage's exit code. A command's own failure is not an error of the stage.
using StageResult = tl::expected<int, StageError>;

[[nodiscard]] tl::unexpected<StageError> stage_error(std::string name, std::string message);
[[nodiscard]] tl::unexpected<StageError> job_error(std::string message);

}  // namespace trebuchet
