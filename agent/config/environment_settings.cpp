#include "agent/config/environment_settings.hpp"

#include "agent/config/vault_environment.hpp"
#include "common/service/service_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

namespace trebuchet {
namespace {

void fill_in(LoadedConfig& loaded, const char* key, const char* variable, const std::filesystem::path& value,
             std::filesystem::path& setting) {
    setting = value;
    loaded.settings.set(key, shown_value(value.string()), std::string("environment variable ") + variable);
}

bool is_default(const LoadedConfig& loaded, std::string_view key) {
    const auto& settings = loaded.settings.all();
    return std::any_of(settings.begin(), settings.end(),
                       [&](const auto& setting) { return setting.key == key && setting.source == "default"; });
}

void put_below(const std::filesystem::path& state, const char* key, const char* folder, LoadedConfig& loaded,
               std::filesystem::path& setting) {
    if (!is_default(loaded, key)) return;
    fill_in(loaded, key, "STATE_DIRECTORY", state / folder, setting);
    loaded.config.exported[key] = setting.string();  // phases get it
}

}  // namespace

void read_environment(const std::function<const char*(const char*)>& getenv, LoadedConfig& loaded) {
    if (const auto state = service_folder(getenv("STATE_DIRECTORY")); !state.empty()) {
        put_below(state, "execution_basedir", "run", loaded, loaded.config.execution_basedir);
        put_below(state, "logging_basedir", "logs", loaded, loaded.config.logging_basedir);
        put_below(state, "results_basedir", "results", loaded, loaded.config.results_basedir);
    }
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
    read_vault_environment(getenv, loaded);
}

}  // namespace trebuchet
