#pragma once

#include "provision/connectors/connector.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace trebuchet {

// OEM computers with Ubuntu: a program on the agent's host puts the OEM's image on them. The programs of the reference
// belong to the package testflinger-device-connectors; we run them as they are.

struct OemProgram {
    const char* key;                     ///< of default.yaml: "recovery_script"; its time limit is under KEY_timeout
    std::string fallback;                ///< the program's usual name
    std::chrono::seconds time;           ///< the usual limit
    const char* failed;                  ///< begins the message about its failure
    std::vector<std::string> arguments;  ///< behind the configured words
};
/// Runs it with its output as ours.
[[nodiscard]] StageResult run_oem_program(const OemProgram& program, StageContext& context);
[[nodiscard]] std::vector<KeySpec> oem_program_keys(std::string_view key, std::string_view fallback,
                                                    std::string_view time_key, std::string_view time);

/// How the computer's recovery works; each type of device has one.
enum class OemRecoveryKind {
    dell,    ///< also for computers without a special system
    ubuntu,  ///< Ubuntu's own recovery partition: the program gets --ubr
};

/// Installs the image at `url`. Steps:
///
/// 1. Our key is installed by the job's password; a device that does not let us is power-cycled, and waited for.
/// 2. A device that let us in restarts, and is waited for.
/// 3. The program `recovery_script` installs the image.
/// 4. The device is waited for.
[[nodiscard]] StageResult provision_by_oem_script(OemRecoveryKind kind, const std::string& url, StageContext& context);

/// The types oemscript, dell_oemscript, hp_oemscript and lenovo_oemscript.
[[nodiscard]] std::unique_ptr<Connector> make_oem_script_connector(OemRecoveryKind kind);

/// The keys of default.yaml that provision_by_oem_script reads.
[[nodiscard]] std::vector<KeySpec> oem_script_keys();

}  // namespace trebuchet
