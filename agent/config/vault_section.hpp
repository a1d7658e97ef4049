#pragma once

#include "agent/config/secrets_config.hpp"
#include "agent/config/section_reader.hpp"

namespace trebuchet {

/// Reads `vault` of the section `secrets`, whose reader and notes these are.
void read_vault_section(SectionReader& outer, SectionNotes notes, VaultConfig& vault);

}  // namespace trebuchet
