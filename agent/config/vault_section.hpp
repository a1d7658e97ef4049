#pragma once

#include "agent/config/secrets_config.hpp"
#include "agent/config/section_reader.hpp"

#include <optional>
#include <string>

namespace trebuchet {

/// The origin that an address of Vault names; nothing if it has a path, or if tokens would travel in clear text:
/// neither https nor loopback.
[[nodiscard]] std::optional<std::string> vault_origin(const std::string& address);

/// Reads `vault` of the section `secrets`, whose reader and notes these are.
void read_vault_section(SectionReader& outer, SectionNotes notes, VaultConfig& vault);

}  // namespace trebuchet
