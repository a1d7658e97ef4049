#pragma once

#include "agent/job/phase.hpp"
#include "common/base/result.hpp"
#include "common/mask/mask_set.hpp"
#include "common/secret/secret_string.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// An environment variable of a phase with a secret value. The value is "" if the server could not read the secret.
struct SecretVariable {
    std::string name;
    SecretString value;
    bool is_refused = false;  ///< no phase gets it, because of its name
};

/// True for the name of a variable that changes how the shell, the loader, interpreters or this agent work: LD_PRELOAD,
/// PATH, BASH_ENV, PYTHONPATH, … A submitter must not set it for the phases of a lab's device.
[[nodiscard]] bool is_dangerous_name(std::string_view name);

/// What a job says about one phase: its `<phase>_data`.
struct PhaseData {
    bool present = false;  ///< exists, and is not null or empty apart from `attachments`
    bool skip = false;
    std::vector<SecretVariable> secrets;
};

/// A job as the server returns it (GET /v1/job): the fields that the agent uses, and the document for the connectors.
struct Job {
    std::string id;  ///< only letters, digits, `-` and `_`: it is part of folder names and URLs
    std::string queue;
    std::string parent_id;
    std::string webhook;  ///< job_status_webhook; "": send no events
    std::optional<std::chrono::seconds> global_timeout;
    std::optional<std::chrono::seconds> output_timeout;
    std::map<Phase, PhaseData> phases;
    bool has_attachments = false;          ///< attachments_status is "complete": the server has an archive of them
    bool names_attachments = false;        ///< it has some, or says that it will have some
    std::optional<std::string> client_id;  ///< who posted it, as the server says
    std::string name;
    std::vector<std::string> tags;
    std::int64_t priority = 0;

    /// Values that a later duplicate of a key replaced: masked, but given to no phase.
    std::vector<NamedSecret> replaced_secrets;

    /// The whole job as it arrived, including secret values; but without refused secrets, and with each key once.
    WipedString document;
    std::string public_document;  ///< the same without every phase's `secrets`; JSON

    [[nodiscard]] const PhaseData& data_of(Phase phase) const;
    /// All values to mask: the secrets of all phases, including those that no phase gets.
    [[nodiscard]] std::vector<NamedSecret> secrets() const;
    [[nodiscard]] bool has_secrets() const;
    /// `document` with these values in `test_data.secrets`, in place of others. Without `test_data` it is unchanged: a
    /// connector takes secrets from there only.
    [[nodiscard]] WipedString document_with(const std::map<std::string, SecretString>& values) const;
    /// The job's timeouts, limited to `allowed` (from the configuration). A job without its own timeout gets the
    /// reference agent's default (4 hours, 15 minutes), even if the configuration allows more.
    [[nodiscard]] std::chrono::seconds global_timeout_within(std::chrono::seconds allowed) const;
    [[nodiscard]] std::chrono::seconds output_timeout_within(std::chrono::seconds allowed) const;
};

/// A job's document without the `secrets` of its phases.
[[nodiscard]] WipedString without_secrets(std::string_view document);

/// True for a valid job id: 1 to 128 letters, digits, `-` and `_`.
[[nodiscard]] bool is_job_id(std::string_view text);

/// Parses a job. If a key occurs more than once, the last one counts. Secrets with a dangerous name are refused, unless
/// `allowed_names` contains it. The Error names the field, what was found and what was expected, but quotes no secret.
[[nodiscard]] Result<Job> parse_job(std::string_view document, const std::vector<std::string>& allowed_names = {});

/// The id in a job that parse_job refuses, so that it can be reported as failed; "" if no id is found.
[[nodiscard]] std::string job_id_of(std::string_view document);

}  // namespace trebuchet
