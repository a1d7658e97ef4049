#include "agent/daemon/job_grants.hpp"

#include "agent/daemon/queue_restriction.hpp"
#include "agent/job/job_facts.hpp"
#include "agent/job/job_templates.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

JobIdentity identity_of(const JobFacts& facts, const Job& job, const std::string& agent_id) {
    return {agent_id, facts.queue, facts.queue_restriction, facts.client_id, job.id};
}

std::function<bool(std::string_view)> danger(const Config& config) {
    const auto& allowed = config.trebuchet.allow_secret_names;
    return [&allowed](std::string_view name) {
        return is_dangerous_name(name) && std::find(allowed.begin(), allowed.end(), name) == allowed.end();
    };
}

}  // namespace

bool wants_restriction(const SecretsConfig& config) {
    return std::any_of(config.grants.begin(), config.grants.end(),
                       [](const SecretGrant& grant) { return grant.allow.queue_restricted; });
}

JobGrants::JobGrants(const DaemonParts& parts, const Job& job,
                     std::function<void(const std::string& accessor)> on_accessor) {
    const auto& config = parts.config.trebuchet.secrets;
    auto facts = facts_of(job, QueueRestriction::unknown);
    if (!config.repositories.empty()) {
        auto names = parts.config.job_queues;
        names.insert(names.begin(), parts.config.agent_id);
        repository_.emplace(RepositoryOfJob::Parts{.loop = parts.loop,
                                                   .clock = parts.clock,
                                                   .config = config,
                                                   .facts = facts,
                                                   .names = std::move(names),
                                                   .cache = *parts.repositories,
                                                   .scratch = parts.state_base,
                                                   .is_dangerous = danger(parts.config)});
    }
    if (!config.grants.empty()) read_grants(parts, job, std::move(facts), std::move(on_accessor));
}

void JobGrants::read_grants(const DaemonParts& parts, const Job& job, JobFacts facts,
                            std::function<void(const std::string& accessor)> on_accessor) {
    const auto& config = parts.config.trebuchet.secrets;
    if (wants_restriction(config)) facts.queue_restriction = ask_restriction(parts.server, job.queue);
    ask_for_templates(job, config, facts);
    documents_ = parts.documents(identity_of(facts, job, parts.config.agent_id), std::move(on_accessor));
    secrets_.emplace(GrantedSecrets::Parts{
        .config = config,
        .facts = std::move(facts),
        .local = LocalSources::of_process(config),
        .documents = *documents_,
        .ask_restriction = [&parts, &job] { return ask_restriction(parts.server, job.queue); },
        .server_value = [&job](const std::string& name) { return server_value(job, name); },
        .is_dangerous = danger(parts.config),
    });
}

}  // namespace trebuchet
