#include "agent/config/environment_settings.hpp"

#include <filesystem>

namespace trebuchet {
namespace {

void fill_in(LoadedConfig& loaded, const char* key, const char* variable, const std::filesystem::path& value,
             std::filesystem::path& setting) {
    setting = value;
    loaded.settings.set(key, shown_value(value.string()), std::string("environment variable ") + variable);
}

}  // namespace

void read_environment(const std::function<const char*(const char*)>& getenv, LoadedConfig& loaded) {
    auto& config = loaded.config.trebuchet;
    const char* bundle = getenv("REQUESTS_CA_BUNDLE");
    if (config.tls.ca_file.empty() && bundle != nullptr && *bundle != '\0') {
        fill_in(loaded, "trebuchet.tls.ca_file", "REQUESTS_CA_BUNDLE", bundle, config.tls.ca_file);
    }
    const char* credentials = getenv("CREDENTIALS_DIRECTORY");
    if (!config.client_id.empty() && config.secret_key_file.empty() && credentials != nullptr) {
        fill_in(loaded, "trebuchet.secret_key_file", "CREDENTIALS_DIRECTORY",
                std::filesystem::path(credentials) / "secret_key", config.secret_key_file);
    }
}

}  // namespace trebuchet
