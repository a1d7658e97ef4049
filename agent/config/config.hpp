#pragma once

#include "agent/delivery/spool_options.hpp"
#include "common/mask/mask_set.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// TLS towards the server: `trebuchet.tls` in the configuration file. Empty paths: the system's defaults.
struct TlsConfig {
    std::filesystem::path ca_file;  ///< PEM; else $REQUESTS_CA_BUNDLE, else the system's store
    std::filesystem::path client_cert;
    std::filesystem::path client_key;
};

/// When a job file with the secrets' values in it stands in the run folder: `trebuchet.job_file_secrets`.
enum class JobFileSecrets {
    tmpfs,  ///< a link to the full job on tmpfs, while a phase with secrets runs
    none,   ///< never: the `secrets` keys are left out
};

/// What becomes of artifacts in which a secret stands: `trebuchet.artifacts_masking`.
enum class ArtifactsMasking {
    mask,      ///< masked in text; a binary, archived or compressed file is withheld, and a note says so
    withhold,  ///< every such file is withheld
    fail,      ///< none of the artifacts is sent
    off,       ///< they are sent as they are
};

/// What the agent does with the job in hand when it is told to stop: `trebuchet.drain`.
enum class Drain {
    stop,    ///< gives it `stop_grace` to finish, then ends its phase
    finish,  ///< lets it finish
};

/// Our own settings: under `trebuchet:` in the configuration file, or in `trebuchet.yaml` beside it.
struct TrebuchetConfig {
    TlsConfig tls;
    MaskOptions mask;  ///< mask_min_length, mask_hash; without patterns for credentials, which are compiled later
    std::vector<std::string> mask_credentials_off;  ///< kinds of well-known credentials that are not masked
    JobFileSecrets job_file_secrets = JobFileSecrets::tmpfs;
    ArtifactsMasking artifacts_masking = ArtifactsMasking::mask;
    std::vector<std::string> secret_phases{"provision", "test"};  ///< which phases get test_data.secrets
    std::chrono::milliseconds kill_grace{10'000};  ///< kill_grace, seconds: between TERM and KILL of a phase

    /// With these the agent logs in by itself, in place of a token manager's file.
    std::string client_id;
    std::filesystem::path secret_key_file;  ///< empty: the systemd credential `secret_key`

    Drain drain = Drain::stop;
    std::chrono::milliseconds stop_grace{5'000};              ///< stop_grace, seconds
    std::uint64_t min_free_disk = std::uint64_t{256} << 20U;  ///< bytes: with less no jobs are taken
    std::string metrics_address{"0.0.0.0"};                   ///< an IP address, for the port of --metrics_port
    SpoolOptions spool;                                       ///< spool_limit, spool_full
    /// keep_results, days: what can't be delivered for so long is given up; 0: never.
    std::chrono::hours keep_results{7 * 24};
};

/// `testflinger-agent.conf`, the reference agent's file, plus our own section. Validated, then const for ever.
struct Config {
    std::string agent_id;
    std::string server_address;  ///< an origin with a scheme: "https://host:port", no path, no slash at the end
    std::vector<std::string> job_queues;

    std::chrono::seconds polling_interval{10};
    std::filesystem::path execution_basedir{"/tmp/testflinger/run"};
    std::filesystem::path logging_basedir{"/tmp/testflinger/logs"};
    std::filesystem::path results_basedir{"/tmp/testflinger/results"};
    std::string logging_level{"INFO"};  ///< DEBUG, INFO, WARNING, ERROR or CRITICAL
    bool logging_quiet = false;
    std::uint64_t output_bytes = 10ULL * 1024 * 1024;

    std::map<std::string, std::string> phase_commands;  ///< phase name → `<phase>_command`; absent or "": none

    std::string identifier;
    std::string location;
    std::string provision_type;
    std::chrono::seconds global_timeout{4 * 3600};
    std::chrono::seconds output_timeout{15 * 60};
    std::map<std::string, std::string> advertised_queues;                         ///< queue → description
    std::map<std::string, std::map<std::string, std::string>> advertised_images;  ///< queue → image → provision_data

    /// Every top-level key whose value is a string, as phases get it in their environment: unknown keys included, and
    /// the defaults of those that the file leaves out, as with the reference agent.
    std::map<std::string, std::string> exported;

    TrebuchetConfig trebuchet;
};

}  // namespace trebuchet
