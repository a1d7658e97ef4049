#include "agent/secrets/job_identity.hpp"

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

const char* text_of(QueueRestriction restriction) {
    switch (restriction) {
        case QueueRestriction::yes:
            return "true";
        case QueueRestriction::no:
            return "false";
        case QueueRestriction::unknown:
            break;
    }
    return "unknown";
}

}  // namespace

std::string claims_of(const JobIdentity& identity, const std::string& issuer, const std::string& audience,
                      std::chrono::system_clock::time_point now, const std::string& number) {
    const auto time = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    nlohmann::json claims{{"iss", issuer},
                          {"aud", audience},
                          {"sub", identity.agent_id + ":" + identity.queue + ":" + identity.client_id.value_or("")},
                          {"iat", time},
                          {"nbf", time},
                          {"exp", time + identity_lifetime.count()},
                          {"jti", number},
                          {"agent_id", identity.agent_id},
                          {"queue", identity.queue},
                          {"queue_restricted", text_of(identity.queue_restriction)},
                          {"job_id", identity.job_id}};
    if (identity.client_id) claims["client_id"] = *identity.client_id;
    return claims.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace trebuchet
