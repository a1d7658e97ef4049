#include "agent/cli/own_secret_files.hpp"

#include <cstdlib>

namespace trebuchet {

void watch_own_secrets(OwnSecrets& own, const TrebuchetConfig& config, const std::filesystem::path& token_file) {
    own.watch_file("agent's refresh token", token_file);
    own.watch_file("agent's key", config.secret_key_file);
    own.watch_file("agent's TLS key", config.tls.client_key);
    if (const char* folder = std::getenv("CREDENTIALS_DIRECTORY")) own.watch_folder("agent's credential", folder);
    own.add_proxies_of_environment();
}

}  // namespace trebuchet
