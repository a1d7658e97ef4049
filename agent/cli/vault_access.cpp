#include "agent/cli/vault_access.hpp"

#include "agent/secrets/vault_source.hpp"
#include "common/base/version.hpp"
#include "common/log/log.hpp"

#include <chrono>
#include <cstdlib>
#include <optional>
#include <utility>

namespace trebuchet {

VaultAccess::VaultAccess(EventLoop& loop, const Clock& clock, std::shared_ptr<OwnSecrets> own,
                         std::function<double()> draw)
    : loop_(loop),
      clock_(clock),
      own_(std::move(own)),
      draw_(std::move(draw)),
      logins_({clock, [](const char* name) { return std::getenv(name); },
               [this](const std::string& name, std::string_view value) { own_->add(name, value); }}) {}

std::unique_ptr<VaultClient> VaultAccess::client(const VaultConfig& config) const {
    return std::make_unique<VaultClient>(loop_, vault_options(config, std::string("trebuchet-agent/") + version),
                                         draw_);
}

std::string VaultAccess::problem_at_start(const VaultConfig& config) const {
    constexpr std::chrono::seconds longest_wait{5};
    if (config.name_space.empty()) return "";
    std::optional<VaultResult<SecretJson>> health;
    const auto asked = client(config);
    asked->ask_health([&](VaultResult<SecretJson> answer) { health.emplace(std::move(answer)); });
    loop_.wait_for(longest_wait, [&] { return health.has_value(); });
    if (!health || !*health) {
        log_warning("cannot ask Vault whether it has namespaces, so it is asked before the first login: " +
                    (health ? health->error().text : "there was no answer"));
        return "";
    }
    if (!has_no_namespaces(**health)) return "";
    return "trebuchet.secrets.vault.namespace is " + config.name_space +
           ", but the server has no namespaces: it would " + "ignore that and give the secrets of its root namespace";
}

std::unique_ptr<DocumentSource> VaultAccess::documents_of(
    const VaultConfig& config, const JobIdentity& identity,
    std::function<void(const std::string& accessor)> on_accessor) {
    return std::make_unique<VaultSource>(VaultSource::Parts{
        .loop = loop_,
        .clock = clock_,
        .make_client = [this, &config] { return client(config); },
        .log_in = [this, &config, identity](
                      VaultClient& client,
                      VaultLoginDone done) { logins_.log_in(config, identity, client, std::move(done)); },
        .on_credential = [own = own_](const std::string& name, std::string_view value) { own->add(name, value); },
        .on_accessor = std::move(on_accessor),
        .draw = draw_,
        .job = identity.job_id,
        .needs_namespaces = !config.name_space.empty()});
}

}  // namespace trebuchet
