#pragma once

#include "agent/config/secrets_config.hpp"
#include "agent/secrets/secret_read.hpp"

#include <filesystem>
#include <string>

namespace trebuchet {

/// The values that this host has: `env:`, `file:` and `credential:`.
class LocalSources {
  public:
    struct Places {
        const char* const* environment = nullptr;  ///< NAME=value, ends with null
        std::filesystem::path env_file;            ///< lines as in the environment; "" for none
        std::filesystem::path credentials;         ///< $CREDENTIALS_DIRECTORY; "" for none
    };
    LocalSources(const SecretsConfig& config, Places places);
    /// Of this process.
    [[nodiscard]] static LocalSources of_process(const SecretsConfig& config);

    /// Reads the place anew each time. For the sources above only.
    [[nodiscard]] SecretResult<SecretString> read(const SecretReference& reference) const;

  private:
    [[nodiscard]] SecretResult<SecretString> read_variable(const std::string& name) const;
    [[nodiscard]] SecretResult<SecretString> read_env_file(const std::string& name) const;
    [[nodiscard]] SecretResult<SecretString> read_credential(const std::string& name) const;

    const SecretsConfig& config_;
    Places places_;
};

}  // namespace trebuchet
