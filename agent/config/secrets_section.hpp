#pragma once

#include "agent/config/secrets_config.hpp"
#include "agent/config/section_reader.hpp"

namespace trebuchet {

/// Reads `secrets` of the section `trebuchet`, whose reader and notes these are.
void read_secrets_section(SectionReader& outer, SectionNotes notes, SecretsConfig& config);

}  // namespace trebuchet
