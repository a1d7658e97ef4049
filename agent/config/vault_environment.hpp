#pragma once

#include "agent/config/load_config.hpp"

#include <functional>

namespace trebuchet {

/// $BAO_<name> if it is set, even to "", else $VAULT_<name>, as the clients of OpenBao and Vault read them. Null:
/// unset.
[[nodiscard]] const char* vault_variable(const std::function<const char*(const char*)>& getenv, const char* name);

/// Whether a grant refers to Vault.
[[nodiscard]] bool uses_vault(const SecretsConfig& secrets);

/// Sets missing keys of `trebuchet.secrets.vault` from these variables, if a grant refers to Vault.
void read_vault_environment(const std::function<const char*(const char*)>& getenv, LoadedConfig& loaded);

}  // namespace trebuchet
