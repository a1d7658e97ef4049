#pragma once

#include "agent/daemon/daemon_parts.hpp"
#include "agent/job/job.hpp"
#include "agent/secrets/granted_secrets.hpp"
#include "agent/secrets/repository_of_job.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace trebuchet {

/// Whether a grant depends on the queue being restricted.
[[nodiscard]] bool wants_restriction(const SecretsConfig& config);

/// The lab's secrets for a job that was taken just now.
class JobGrants {
  public:
    /// Asks the server whether the job's queue is restricted, if a grant wants to know. `on_accessor` is told of the
    /// login for the job, before it is used: by its accessor the login can be ended later. All of it must outlive this
    /// object.
    JobGrants(const DaemonParts& parts, const Job& job, std::function<void(const std::string& accessor)> on_accessor);

    /// Null: the configuration has no grants.
    [[nodiscard]] GrantedSecrets* secrets() { return secrets_ ? &*secrets_ : nullptr; }

    /// Null: the configuration has no repositories.
    [[nodiscard]] RepositoryOfJob* repository() { return repository_ ? &*repository_ : nullptr; }

  private:
    void read_grants(const DaemonParts& parts, const Job& job, JobFacts facts,
                     std::function<void(const std::string& accessor)> on_accessor);

    std::unique_ptr<DocumentSource> documents_;
    std::optional<GrantedSecrets> secrets_;
    std::optional<RepositoryOfJob> repository_;
};

}  // namespace trebuchet
