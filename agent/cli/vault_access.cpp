#include "agent/cli/vault_access.hpp"

#include "agent/secrets/vault_source.hpp"
#include "common/base/version.hpp"

#include <cstdlib>
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
