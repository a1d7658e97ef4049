#include "agent/cli/server_login.hpp"

#include "common/base/version.hpp"

#include <string>
#include <utility>

namespace trebuchet {

HttpOptions http_options(const Config& config) {
    HttpOptions options;
    options.origin = config.server_address;
    options.ca_file = config.trebuchet.tls.ca_file;
    options.client_cert = config.trebuchet.tls.client_cert;
    options.client_key = config.trebuchet.tls.client_key;
    options.user_agent = std::string("trebuchet-agent/") + version;
    return options;
}

Result<Credentials> credentials_of(const Config& config, const std::filesystem::path& token_file,
                                   std::shared_ptr<OwnSecrets> own) {
    if (!config.trebuchet.client_id.empty() && config.trebuchet.secret_key_file.empty()) {
        return fail(
            "trebuchet.client_id is set, but there is no secret key: set trebuchet.secret_key_file, or pass the "
            "systemd credential secret_key");
    }
    return Credentials{token_file, config.trebuchet.client_id, config.trebuchet.secret_key_file, std::move(own)};
}

}  // namespace trebuchet
