#pragma once

#include "common/secret/secret_json.hpp"
#include "provision/connectors/device.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace trebuchet {

/// What the service at port 8000 of a control host (a Zapper) is asked to do.
struct ServiceRequest {
    std::string_view method;         ///< "ProvisioningIoT", "ProvisioningKVM" or "ProvisioningOEM"
    SecretJson arguments;            ///< an object; add_device_arguments() completes it
    std::string boot_binary{};       ///< a file to send along; "": none
    std::chrono::seconds silence{};  ///< how long the service may say nothing; 0: 5400 s
};

/// Adds what the service has to know of the device: `agent_name cid device_ip reboot_script poweron_script
/// poweroff_script`. A `reboot_script` and a `poweron_script` that `arguments` already has stay, as with the reference;
/// a job cannot name another device. Fails if the configuration lacks one of control_host, device_ip, agent_name and
/// reboot_script.
[[nodiscard]] Result<void> add_device_arguments(const ConnectorConfig& config, SecretJson& arguments);

/// Has the service provision the device, and logs what it says as "[control-host] …". Steps:
///
/// 1. POST the request; the answer names the service's job. Not repeated.
/// 2. GET the job's logs, a stream of events, until it ends. Then GET the job's status.
/// 3. While it is "running": wait 2 s, twice as long after each stream without an entry, at most 30 s, and go to 2 with
///    the last entry's number, so that the service continues there.
/// 4. "completed" is success; anything else is a failure with the job's `error`.
///
/// A connection that breaks and a status of 5xx in steps 2 and 3 may come four times without an entry of the log or a
/// step that works in between; the fifth is final, and so is a stream that is silent for too long. The whole takes
/// `control_host_provision_timeout` (14400 s) at most, or as long as the service may say nothing if that is longer.
[[nodiscard]] StageResult provision_by_service(const ServiceRequest& request, StageContext& context);

/// Reads the job's `provisioning_timeout` into `silence`. Fails if it is no number of seconds, or over a day.
[[nodiscard]] Result<void> read_silence(ServiceRequest& request, const JobFile& job);
[[nodiscard]] KeySpec silence_key();

/// The file that lies right in attachments/provision/; "": there is none.
[[nodiscard]] std::string provision_attachment();

/// What these types need in the configuration, for Connector::problems().
[[nodiscard]] std::vector<std::string> missing_for_service(const ConnectorConfig& config);
[[nodiscard]] std::vector<KeySpec> service_keys();

/// Text as JSON in secret memory.
[[nodiscard]] SecretJson secret_text(std::string_view text);

}  // namespace trebuchet
