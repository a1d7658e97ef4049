#include "agent/cli/secret_checks.hpp"

#include "agent/cli/vault_access.hpp"
#include "agent/secrets/local_sources.hpp"
#include "common/git/git.hpp"
#include "common/mask/mask_set.hpp"
#include "common/sealed_value/key_folder.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <utility>

namespace trebuchet {
namespace {

constexpr std::chrono::seconds longest_wait{15};

class SecretChecks {
  public:
    SecretChecks(const Config& config, Findings& findings)
        : config_(config),
          secrets_(config.trebuchet.secrets),
          findings_(findings),
          local_(LocalSources::of_process(secrets_)) {}

    void run() {
        for (const auto& grant : secrets_.grants) check(grant);
    }

  private:
    /// Of a job that the grant allows.
    [[nodiscard]] JobIdentity identity_for(const SecretGrant& grant) const {
        JobIdentity identity{config_.agent_id, config_.job_queues.front(), QueueRestriction::unknown, std::nullopt,
                             "check-config"};
        if (!grant.allow.queues.empty()) identity.queue = grant.allow.queues.front();
        if (grant.allow.queue_restricted) identity.queue_restriction = QueueRestriction::yes;
        if (!grant.allow.client_ids.empty()) identity.client_id = grant.allow.client_ids.front();
        return identity;
    }

    void check(const SecretGrant& grant) {
        const auto documents =
            vault_.documents_of(vault_config_, identity_for(grant), [](const std::string& /*accessor*/) {});
        for (const auto& [name, reference] : grant.env) check(grant, reference, *documents);
        for (const auto& [name, reference] : grant.files) check(grant, reference, *documents);
        if (grant.env_from) check(grant, *grant.env_from, *documents);
        documents->end();
    }

    void check(const SecretGrant& grant, const SecretReference& reference, DocumentSource& documents) {
        if (reference.source == SecretReference::Source::server) return;  // each job has its own
        if (reference.source == SecretReference::Source::vault && uses_up_its_login()) {
            return findings_.push_back({Verdict::warning, "secret",
                                        "grant " + grant.name + ": " + reference.text() +
                                            ": not read, because that would use up the wrapped secret_id, which the "
                                            "agent needs for its first job"});
        }
        const auto problem = problem_of(reference, documents);
        const auto line = "grant " + grant.name + ": " + reference.text() + ": " +
                          (problem.empty() ? "can be read" : "cannot be read: " + problem);
        const auto masks = MaskSet::build(own_->all());
        findings_.push_back({problem.empty() ? Verdict::ok : Verdict::error, "secret",
                             masks ? std::string((*masks)->mask(line).bytes()) : masks.error().message()});
    }

    [[nodiscard]] bool uses_up_its_login() const {
        return secrets_.vault.login == VaultLogin::approle && secrets_.vault.secret_id_is_wrapped;
    }

    /// The settings of the agent, but somebody waits for the answer.
    static VaultConfig impatient(VaultConfig vault) {
        vault.timeout = std::min(vault.timeout, longest_wait);
        vault.max_retries = 0;
        return vault;
    }

    [[nodiscard]] std::string problem_of(const SecretReference& reference, DocumentSource& documents) {
        const auto text = [](const SecretProblem& problem) {
            return std::string(name_of(problem.kind)) + ", " + problem.text;
        };
        if (reference.source != SecretReference::Source::vault) {
            const auto value = local_.read(reference);
            return value ? "" : text(value.error());
        }
        if (!vault_is_away_.empty()) return vault_is_away_;
        const auto fields = documents.read(reference.path);
        if (!fields && fields.error().kind == SecretProblem::Kind::unreachable) vault_is_away_ = text(fields.error());
        if (!fields) return text(fields.error());
        if (reference.field.empty() || (*fields)->contains(reference.field)) return "";
        return "missing, the document has no field " + reference.field;
    }

    const Config& config_;
    const SecretsConfig& secrets_;
    Findings& findings_;
    LocalSources local_;
    VaultConfig vault_config_ = impatient(secrets_.vault);
    std::string vault_is_away_;  ///< why; "": it has answered so far
    EventLoop loop_;
    SystemClock clock_;
    std::mt19937_64 random_{std::random_device{}()};
    std::shared_ptr<OwnSecrets> own_ = std::make_shared<OwnSecrets>();
    VaultAccess vault_{loop_, clock_, own_, [this] { return std::generate_canonical<double, 53>(random_); }};
};

}  // namespace

void check_secrets(const Config& config, Findings& findings) {
    SecretChecks(config, findings).run();
}

void check_repositories(const Config& config, Findings& findings) {
    constexpr const char* name = "repositories";
    const auto& secrets = config.trebuchet.secrets;
    if (secrets.repositories.empty()) return;
    const auto keys = KeyFolder::open(secrets.key_folder);
    const auto readable = keys ? keys->check_readable() : fail(keys.error());
    if (!readable) findings.push_back({Verdict::error, name, readable.error().message()});
    EventLoop loop;
    for (const auto& repository : secrets.repositories) {
        GitSource source;
        source.url = repository.url;
        source.branch = repository.branch;
        const auto commit = remote_commit(loop, source);
        const auto where = repository.url + ", branch " + repository.branch;
        findings.push_back(commit ? Finding{Verdict::ok, name, where + ": is at " + commit->substr(0, 12)}
                                  : Finding{Verdict::error, name, where + ": " + commit.error().message()});
    }
}

}  // namespace trebuchet
