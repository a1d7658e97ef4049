#pragma once

#include "agent/job/phase.hpp"
#include "common/base/result.hpp"
#include "common/mask/mask_set.hpp"
#include "common/secret/secret_string.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// A variable of a phase's environment whose value is secret. "" when the server could not read it.
struct SecretVariable {
    std::string name;
    SecretString value;
};

/// What a job says about one phase: its `<phase>_data`.
struct PhaseData {
    bool present = false;  ///< there, and not null or empty once `attachments` is left out
    bool skip = false;
    std::vector<SecretVariable> secrets;
};

/// A job as the server hands it out (GET /v1/job): what the agent itself needs of it, and the document for the
/// connectors.
struct Job {
    std::string id;  ///< letters, digits, `-` and `_` only: it is in names of folders and in URLs
    std::string queue;
    std::string parent_id;
    std::string webhook;  ///< job_status_webhook; "": no events are wanted
    std::optional<std::chrono::seconds> global_timeout;
    std::optional<std::chrono::seconds> output_timeout;
    std::map<Phase, PhaseData> phases;
    bool has_attachments = false;  ///< attachments_status is "complete": the server has an archive of them

    WipedString document;         ///< the whole job as it arrived, values of secrets included
    std::string public_document;  ///< the same without every phase's `secrets`; JSON

    [[nodiscard]] const PhaseData& data_of(Phase phase) const;
    /// Every value that must not get out, for the masker: the secrets of all phases.
    [[nodiscard]] std::vector<NamedSecret> secrets() const;
    [[nodiscard]] bool has_secrets() const;
    /// How long a phase may take, or a test be silent, where the configuration allows at most so long. A job that says
    /// nothing has the reference agent's default, 4 hours or 15 minutes: a configuration that allows more is only for
    /// jobs that ask for it.
    [[nodiscard]] std::chrono::seconds global_timeout_within(std::chrono::seconds allowed) const;
    [[nodiscard]] std::chrono::seconds output_timeout_within(std::chrono::seconds allowed) const;
};

/// Whether it is a job's id: letters, digits, `-` and `_` only, at most 128.
[[nodiscard]] bool is_job_id(std::string_view text);

/// Reads a job. The Error names the field, what was found and what was expected, and no value of a secret.
[[nodiscard]] Result<Job> parse_job(std::string_view document);

/// The id of a job that parse_job refuses, if that much can be found, so that it can be reported as failed; else "".
[[nodiscard]] std::string job_id_of(std::string_view document);

}  // namespace trebuchet
