#include "agent/cli/vault_policy.hpp"

#include "agent/secrets/vault_logins.hpp"

#include <set>
#include <string_view>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;

void add_path(const SecretReference& reference, std::set<std::string>& paths) {
    if (reference.source == SecretReference::Source::vault) paths.insert(reference.path);
}

std::set<std::string> paths_in(const SecretsConfig& secrets) {
    std::set<std::string> paths;
    for (const auto& grant : secrets.grants) {
        for (const auto& [name, reference] : grant.env) add_path(reference, paths);
        for (const auto& [name, reference] : grant.files) add_path(reference, paths);
        if (grant.env_from) add_path(*grant.env_from, paths);
    }
    return paths;
}

std::string policy_of(const SecretsConfig& secrets) {
    std::string policy;
    for (const auto& whole : paths_in(secrets)) {
        const auto path = whole.substr(0, whole.find('?'));
        if (path != whole) {
            policy += "path \"" + path + "\" { capabilities = [\"update\"] }\n";
            continue;
        }
        const auto slash = path.find('/') + 1;
        const bool has_data = path.compare(slash, 5, "data/") == 0;
        const auto versioned = has_data ? path : path.substr(0, slash) + "data/" + path.substr(slash);
        // A policy cannot ask for a mount's version.
        policy += "path \"" + versioned + "\" { capabilities = [\"read\"] }\n";
        if (!has_data) policy += "path \"" + path + "\" { capabilities = [\"read\"] }\n";
    }
    return policy + "path \"auth/token/revoke-self\" { capabilities = [\"update\"] }\n" +
           "path \"auth/token/revoke-accessor\" { capabilities = [\"update\"] }\n";
}

json role_of(const Config& config, const std::string& policy, const std::string& audience) {
    std::set<std::string> queues;
    bool all_are_restricted = true;
    for (const auto& grant : config.trebuchet.secrets.grants) {
        queues.insert(grant.allow.queues.begin(), grant.allow.queues.end());
        if (grant.allow.queues.empty()) queues.insert(config.job_queues.begin(), config.job_queues.end());
        all_are_restricted = all_are_restricted && grant.allow.queue_restricted;
    }
    json bound{{"agent_id", config.agent_id}, {"queue", queues}};
    if (all_are_restricted) bound["queue_restricted"] = "true";
    return {{"role_type", "jwt"},
            {"user_claim", "sub"},
            {"bound_audiences", {audience}},
            {"bound_claims", bound},
            {"token_policies", {policy}},
            {"token_type", "service"},
            {"token_ttl", "15m"},
            {"claim_mappings", {{"job_id", "job_id"}, {"client_id", "client_id"}}}};
}

}  // namespace

std::string commands_for_vault(const Config& config, const std::string& public_key) {
    const auto& vault = config.trebuchet.secrets.vault;
    const auto mount = vault.mount.empty() ? std::string("jwt") : vault.mount;
    const auto role = vault.role.empty() ? std::string("trebuchet") : vault.role;
    const auto address = vault.address.empty() ? std::string(default_vault_address) : vault.address;
    const auto audience = vault.audience.empty() ? address : vault.audience;
    const auto policy = "trebuchet-" + config.agent_id;
    const json keys{{"jwt_validation_pubkeys", {public_key}}, {"jwt_supported_algs", {"ES256"}}};
    return public_key + "\n# The key of several agents of one mount: list all in jwt_validation_pubkeys.\n" +
           "vault auth enable -path=" + mount + " jwt\n" + "vault write auth/" + mount + "/config - <<'EOF'\n" +
           keys.dump(2) + "\nEOF\n" + "vault policy write " + policy + " - <<'EOF'\n" +
           policy_of(config.trebuchet.secrets) + "EOF\n" + "vault write auth/" + mount + "/role/" + role +
           " - <<'EOF'\n" + role_of(config, policy, audience).dump(2) + "\nEOF\n";
}

}  // namespace trebuchet
