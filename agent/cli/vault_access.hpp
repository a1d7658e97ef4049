#pragma once

#include "agent/config/config.hpp"
#include "agent/job/own_secrets.hpp"
#include "agent/secrets/document_source.hpp"
#include "agent/secrets/job_identity.hpp"
#include "agent/secrets/vault_logins.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"

#include <functional>
#include <memory>
#include <string>

namespace trebuchet {

/// The agent's way to Vault. Lives as long as the program. Connects to nothing by itself.
class VaultAccess {
  public:
    /// `own` is told of each credential. All of it must outlive this object and the sources that it makes.
    VaultAccess(EventLoop& loop, const Clock& clock, std::shared_ptr<OwnSecrets> own, std::function<double()> draw);

    [[nodiscard]] std::unique_ptr<VaultClient> client(const VaultConfig& config) const;
    /// `config` must outlive the source.
    [[nodiscard]] std::unique_ptr<DocumentSource> documents_of(
        const VaultConfig& config, const JobIdentity& identity,
        std::function<void(const std::string& accessor)> on_accessor);
    /// Why this Vault cannot be used, or "". Waits a few seconds for its answer, if a namespace is configured; without
    /// an answer it is asked again before the first login. Runs the loop.
    [[nodiscard]] std::string problem_at_start(const VaultConfig& config) const;
    [[nodiscard]] VaultLogins& logins() { return logins_; }

  private:
    EventLoop& loop_;
    const Clock& clock_;
    std::shared_ptr<OwnSecrets> own_;
    std::function<double()> draw_;
    VaultLogins logins_;
};

}  // namespace trebuchet
