#pragma once

#include "agent/config/secret_reference.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// Which jobs a grant is for. Every condition that is set must hold. Only what a job cannot choose freely is here.
struct GrantConditions {
    std::vector<std::string> queues;      ///< the job's queue is one of these; empty: any
    bool queue_restricted = false;        ///< the server lets only owners post to the queue
    std::vector<std::string> client_ids;  ///< the submitter, as the server says it; empty: any
    bool any_attachments = false;         ///< false: only jobs without attachments
};

/// What takes a grant away from a job. Anybody can set these in a job, so they can never allow anything.
struct GrantExceptions {
    std::vector<std::string> tags;
    std::vector<std::string> names;
    std::optional<std::int64_t> priority_below;
};

/// What happens to a job that asks and is not allowed.
enum class Otherwise {
    empty,   ///< the job runs, and the variable is ""
    refuse,  ///< the job fails before its first phase
};

/// What happens when a value is allowed, but missing or out of reach.
enum class OnMissing {
    empty,  ///< the variable is "", as for a secret that the server could not read
    fail,   ///< the phase fails
};

/// An entry of `trebuchet.secrets.grants`: who gets what, and where.
struct SecretGrant {
    std::string name;
    GrantConditions allow;
    GrantExceptions deny;
    bool always = false;  ///< no need to ask
    std::vector<std::string> phases{"provision", "test"};
    std::map<std::string, SecretReference> env;    ///< variable → value
    std::map<std::string, SecretReference> files;  ///< variable with the path of a file → the file's content
    std::optional<SecretReference> env_from;       ///< each field of this document is a variable
    std::string env_prefix;                        ///< before the name of each field
    Otherwise otherwise = Otherwise::empty;
    OnMissing on_missing = OnMissing::empty;
};

/// How the agent logs in to Vault.
enum class VaultLogin {
    jwt,      ///< with an identity that it signs for each job
    approle,  ///< with a role_id and a secret_id
    token,    ///< with a token that makes a token for each job
};

/// `trebuchet.secrets.vault`: HashiCorp Vault or OpenBao.
struct VaultConfig {
    std::string address;  ///< an origin; "": none is configured
    std::filesystem::path ca_file;
    std::filesystem::path client_cert;
    std::filesystem::path client_key;
    std::string server_name;  ///< in its certificate; "": the host of `address`
    std::string name_space;   ///< `namespace`
    VaultLogin login = VaultLogin::jwt;
    std::string mount;  ///< of the auth method; "": `jwt` or `approle`
    std::string role;
    std::string audience;                    ///< of the identity; "": the address
    std::string issuer;                      ///< of the identity; "": `trebuchet:<agent_id>`
    std::filesystem::path signing_key_file;  ///< of the identity
    std::string role_id;
    std::filesystem::path secret_id_file;
    bool secret_id_is_wrapped = false;  ///< the file has a wrapping token
    std::filesystem::path token_file;   ///< "": $VAULT_TOKEN, then ~/.vault-token
    std::chrono::seconds timeout{60};   ///< of one try
    int max_retries = 2;
    std::chrono::seconds token_ttl{900};  ///< asked for each job, with `login: token`
};

/// `trebuchet.secrets.untrusted_logs`: what leaves the host of jobs that no grant allows.
enum class UntrustedLogs {
    sent,      ///< everything, as of other jobs
    withheld,  ///< names of phases and exit codes
};

/// An entry of `trebuchet.secrets.repositories`: whose `.testing-farm.yaml` the agent reads for which jobs.
struct RepositorySecrets {
    std::string url;  ///< https, ssh or file, as git takes it
    std::string branch = "main";
    std::vector<std::string> queues;      ///< the job's queue is one of these; empty: any
    std::vector<std::string> client_ids;  ///< the submitter, as the server says it; never empty
    bool any_attachments = false;         ///< false: only jobs without attachments
    bool plans_by_job_name = false;       ///< `plans: by_job_name`: the job's name chooses the plan
};

/// `trebuchet.secrets`: secrets from where the lab keeps them.
struct SecretsConfig {
    std::vector<SecretGrant> grants;
    std::vector<std::string> environment;  ///< variables of the agent that `env:` may read as they are
    std::filesystem::path env_file;        ///< more variables for `env:`
    VaultConfig vault;
    std::filesystem::path key_folder;             ///< the private keys of repositories; "": none
    std::vector<RepositorySecrets> repositories;  ///< the first that matches a job counts
    bool templates = false;                       ///< {{ secret('NAME') }} in jobs
    UntrustedLogs untrusted_logs = UntrustedLogs::sent;
    std::chrono::hours keep_logs{14 * 24};  ///< keep_logs, in days: of what is withheld
};

}  // namespace trebuchet
