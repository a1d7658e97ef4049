#pragma once

#include "agent/secrets/job_facts.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace trebuchet {

/// What the agent vouches for when it asks Vault for the secrets of a job.
struct JobIdentity {
    std::string agent_id;
    std::string queue;
    QueueRestriction queue_restriction = QueueRestriction::unknown;
    std::optional<std::string> client_id;
    std::string job_id;
};

/// For how long an identity can be used to log in: Vault accepts it more than once.
inline constexpr std::chrono::seconds identity_lifetime{300};

/// The claims of a JSON Web Token, as JSON: iss, aud, sub (agent:queue:client), iat, nbf, exp, jti, agent_id, queue,
/// queue_restricted ("true", "false" or "unknown", texts because bound claims are), client_id if the server said one,
/// and job_id.
[[nodiscard]] std::string claims_of(const JobIdentity& identity, const std::string& issuer, const std::string& audience,
                                    std::chrono::system_clock::time_point now, const std::string& number);

}  // namespace trebuchet
