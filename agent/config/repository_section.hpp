#pragma once

#include "agent/config/secrets_config.hpp"
#include "agent/config/section_reader.hpp"

#include <vector>

namespace trebuchet {

/// Reads `repositories` of the section `secrets`, whose reader and notes these are. A wrong entry is left out.
void read_repositories(SectionReader& outer, SectionNotes notes, std::vector<RepositorySecrets>& repositories);

}  // namespace trebuchet
