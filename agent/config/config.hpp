#pragma once

#include "agent/config/secrets_config.hpp"
#include "agent/config/spool_options.hpp"
#include "common/mask/mask_set.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// `trebuchet.tls`: TLS settings for the server. Empty paths: the system's defaults.
struct TlsConfig {
    std::filesystem::path ca_file;  ///< PEM; default: $REQUESTS_CA_BUNDLE, then the system's store
    std::filesystem::path client_cert;
    std::filesystem::path client_key;
};

/// `trebuchet.job_file_secrets`: whether phases get a job file with the secrets' values.
enum class JobFileSecrets {
    tmpfs,  ///< while a phase with secrets runs, the job file links to the full job on tmpfs
    none,   ///< the job file never contains the `secrets` keys
};

/// `trebuchet.artifacts_masking`: what to do with artifacts that contain a secret.
enum class ArtifactsMasking {
    mask,      ///< mask it in text; replace binary, archived and compressed files by a note
    withhold,  ///< replace every such file by a note
    fail,      ///< send no artifacts at all
    off,       ///< send all artifacts unchanged
};

/// `trebuchet.job_home`: where HOME and TMPDIR of a job's phases are.
enum class JobHome {
    keep,   ///< the user's, as they are
    fresh,  ///< in the run folder, made for the job and removed with it
};

/// `trebuchet.drain`: what to do with the current job when the agent is stopped.
enum class Drain {
    stop,    ///< wait `stop_grace`, then stop the current phase
    finish,  ///< wait until the job has finished
};

/// `trebuchet.cleanup_failure`: what to do after a cleanup that has failed twice.
enum class CleanupFailure {
    ignore,  ///< take the next job
    offline  ///< go offline until somebody has looked at the device
};

/// `trebuchet.limits`, for all processes of a job together; 0: none.
struct JobLimits {
    std::uint64_t memory = 0;  ///< bytes
    std::uint64_t pids = 0;    ///< processes and threads
};

/// Trebuchet's own settings: under `trebuchet:` in the configuration file, or in `trebuchet.yaml` beside it.
struct TrebuchetConfig {
    TlsConfig tls;
    MaskOptions mask;  ///< mask_min_length, mask_hash; `credentials` is set later, by mask_options()
    std::vector<std::string> mask_credentials_off;  ///< credential types to leave out of pattern-based masking
    std::string phase_user;                         ///< the user as whom phases run; "": the agent's
    JobHome job_home = JobHome::keep;
    JobFileSecrets job_file_secrets = JobFileSecrets::tmpfs;
    ArtifactsMasking artifacts_masking = ArtifactsMasking::mask;
    std::vector<std::string> secret_phases{"provision", "test"};  ///< phases that get test_data.secrets
    std::vector<std::string> allow_secret_names;                  ///< dangerous names that secrets may have
    std::string console_command;         ///< shell command that prints the device's serial console; "": none
    std::string output_timeout_command;  ///< shell command to run before a silent test phase is ended; "": none
    std::chrono::milliseconds kill_grace{10'000};  ///< kill_grace, in seconds: between SIGTERM and SIGKILL of a phase

    /// If set, the agent logs in itself instead of reading a token manager's file.
    std::string client_id;
    std::filesystem::path secret_key_file;  ///< empty: the systemd credential `secret_key`

    Drain drain = Drain::stop;
    std::chrono::milliseconds stop_grace{5'000};  ///< stop_grace, in seconds
    CleanupFailure cleanup_failure = CleanupFailure::ignore;
    JobLimits limits;  ///< need cgroup controllers
    std::uint64_t min_free_disk = std::uint64_t{256}
                                  << 20U;  ///< in bytes; with less free space the agent takes no jobs
    /// token_lifetime, in days: how long a refresh token can be used; 0: unknown. For a metric.
    std::chrono::hours token_lifetime{0};
    std::size_t quarantine = 0;  ///< failed provisions in a row that end in maintenance; 0: never
    /// Agents have their status in a subfolder of this one; "": the packages' folder, if it is there.
    std::filesystem::path status_dir;
    bool status_page_for_all = false;        ///< status_page: also for other hosts
    bool log_json = false;                   ///< log_format: lines of JSON
    std::string metrics_address{"0.0.0.0"};  ///< IP address for the port of metrics
    std::uint16_t metrics_port = 0;          ///< without --metrics_port; 0: none
    SpoolOptions spool;                      ///< spool_limit, spool_full
    /// keep_results, in days: give up delivering a result after this time; 0: never.
    std::chrono::hours keep_results{7 * 24};
    SecretsConfig secrets;
};

/// `testflinger-agent.conf`, the reference agent's file, plus our own section. Validated, and immutable afterwards.
struct Config {
    std::string agent_id;
    std::string server_address;  ///< an origin: "https://host:port", without a path or final slash
    std::vector<std::string> job_queues;

    std::chrono::seconds polling_interval{10};
    std::filesystem::path execution_basedir{"/tmp/testflinger/run"};
    std::filesystem::path logging_basedir{"/tmp/testflinger/logs"};
    std::filesystem::path results_basedir{"/tmp/testflinger/results"};
    std::string logging_level{"INFO"};  ///< DEBUG, INFO, WARNING, ERROR or CRITICAL
    bool logging_quiet = false;
    std::uint64_t output_bytes = 10ULL * 1024 * 1024;

    std::map<std::string, std::string> phase_commands;  ///< phase name → `<phase>_command`; missing or "": none

    std::string identifier;
    std::string location;
    std::string provision_type;
    std::chrono::seconds global_timeout{4 * 3600};
    std::chrono::seconds output_timeout{15 * 60};
    std::map<std::string, std::string> advertised_queues;                         ///< queue → description
    std::map<std::string, std::map<std::string, std::string>> advertised_images;  ///< queue → image → provision_data

    /// Environment variables for phases, as in the reference agent: all top-level keys with string values, including
    /// unknown keys and defaults of missing keys.
    std::map<std::string, std::string> exported;

    TrebuchetConfig trebuchet;
};

}  // namespace trebuchet
