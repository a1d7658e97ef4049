#include "agent/cli/secret_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "agent/cli/local_job.hpp"
#include "agent/cli/vault_policy.hpp"
#include "agent/config/load_config.hpp"
#include "agent/job/job_facts.hpp"
#include "agent/job/job_templates.hpp"
#include "agent/secrets/env_file.hpp"
#include "agent/secrets/grant_decision.hpp"
#include "common/file/private_file.hpp"
#include "common/file/safe_file.hpp"
#include "common/vault/es256.hpp"
#include "common/yaml/yaml.hpp"
#include "common/yaml/yaml_json.hpp"

#include <iostream>
#include <optional>

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

constexpr std::size_t file_limit = 16U << 20U;

int complain(const std::string& command, const std::string& message) {
    std::cerr << "trebuchet-agent secret " << command << ": " << message << '\n';
    return exit_usage;
}

std::optional<Config> configuration(const std::filesystem::path& file) {
    auto loaded = load_config(file);
    if (loaded) return std::move(loaded->config);
    for (const auto& problem : loaded.error()) std::cerr << problem.message() << '\n';
    return std::nullopt;
}

Result<nlohmann::json> read_job(const std::filesystem::path& file) {
    const auto text = read_file(file, file_limit);
    if (!text) return fail(text.error());
    const auto document = parse_yaml(*text);
    if (!document) return fail(document.error().message(file.string()));
    return yaml_to_json(document->root);
}

bool names_secrets(const nlohmann::json& job) {
    const auto data = job.find("test_data");
    return data != job.end() && data->is_object() && data->contains("secrets");
}

/// As the server would give it to an agent: without values, and with attachments if it names some.
Result<JobFacts> facts_of_submission(nlohmann::json submitted, const ExplainOptions& options,
                                     const SecretsConfig& config) {
    if (!submitted.is_object()) return fail("the job is not a mapping of fields");
    submitted["job_queue"] = options.queue;
    if (!options.client_id.empty() && names_secrets(submitted)) submitted["client_id"] = options.client_id;
    const auto local = make_local_job(submitted, "", "explained");
    if (!local) return fail(local.error());
    auto facts = facts_of(local->job, QueueRestriction::yes);
    ask_for_templates(local->job, config, facts);
    return facts;
}

std::string names_in(const SecretGrant& grant, const AskedOfGrant& asked) {
    std::string names;
    const auto add = [&](const std::string& name) {
        if (asked.has(name)) names += (names.empty() ? "" : ", ") + name;
    };
    for (const auto& [name, reference] : grant.env) add(name);
    for (const auto& [name, reference] : grant.files) add(name);
    if (grant.env_from && asked.everything) names += (names.empty() ? "" : ", ") + grant.env_from->text();
    for (const auto& name : asked.names) {
        if (!grant.env.contains(name) && !grant.files.contains(name)) add(name);
    }
    return names;
}

std::string phases_in(const SecretGrant& grant) {
    std::string names;
    for (const auto& phase : grant.phases) names += (names.empty() ? "" : ", ") + phase;
    return names;
}

std::string explained(const SecretGrant& grant, const GrantDecision& decision) {
    const auto condition = grant.allow.queue_restricted ? ", if the server lets only owners post to the queue" : "";
    if (decision.gives()) {
        return "gives " + names_in(grant, decision.asked) + " to " + phases_in(grant) + condition;
    }
    if (decision.is_allowed()) {
        return std::string("gives nothing, because the job does not ask: add the tag secret:") + grant.name + condition;
    }
    const bool ends_job = grant.otherwise == Otherwise::refuse && decision.asked.anything();
    return (ends_job ? "refuses the job: " : "gives nothing: ") + decision.reasons();
}

}  // namespace

int explain_command(const ExplainOptions& options) {
    const auto config = configuration(options.config);
    if (!config) return exit_usage;
    const auto job = read_job(options.job);
    if (!job) return complain("explain", job.error().message());
    const auto facts = facts_of_submission(*job, options, config->trebuchet.secrets);
    if (!facts) return complain("explain", options.job.string() + ": " + facts.error().message());
    if (!options.client_id.empty() && !facts->client_id) {
        std::cout << "The job has no test_data.secrets, so most servers do not say who posted it: add "
                     "`secrets: {}` to its test_data\n";
    }
    const auto& grants = config->trebuchet.secrets.grants;
    if (grants.empty()) std::cout << "The configuration has no grants\n";
    for (const auto& grant : grants) std::cout << grant.name << ": " << explained(grant, decide(grant, *facts)) << '\n';
    return 0;
}

int identity_command(const IdentityOptions& options) {
    const auto config = configuration(options.config);
    if (!config) return exit_usage;
    const auto& file = config->trebuchet.secrets.vault.signing_key_file;
    if (file.empty()) {
        return complain("identity", "set trebuchet.secrets.vault.signing_key_file to the file that shall have the key");
    }
    if (::access(file.c_str(), F_OK) != 0) {
        const auto key = make_es256_key();
        if (!key) return complain("identity", key.error().message());
        const auto made = create_new_file(file);
        const auto written = made ? write_all(made->get(), key->private_pem.reveal()) : fail(made.error());
        if (!written) return complain("identity", written.error().message());
    }
    const auto key = read_private_file(file, file_limit, FilePrivacy::own_file);
    if (!key) return complain("identity", key.error().message());
    const auto public_key = es256_public_key(key->reveal());
    if (!public_key) return complain("identity", file.string() + ": " + public_key.error().message());
    std::cout << commands_for_vault(*config, *public_key);
    return 0;
}

int encode_env_command(const std::filesystem::path& file) {
    const auto text = read_private_file(file, file_limit, FilePrivacy::own_file);
    if (!text) return complain("encode-env", text.error().message());
    const auto entries = parse_env_file(text->reveal(), file.string());
    if (!entries) return complain("encode-env", entries.error().message());
    const auto encoded = encoded_env_file(*entries);
    const auto written = write_all(STDOUT_FILENO, encoded);
    return written ? 0 : complain("encode-env", written.error().message());
}

}  // namespace trebuchet
