#pragma once

#include "common/base/result.hpp"
#include "common/repository_file/repository_file.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// Forces each value of `patch` into `target`: maps are joined, everything else is replaced. The rest stays.
void force(nlohmann::json& target, const nlohmann::json& patch);

/// All that the file says for an environment with one of these names, joined: `environments`, then the matching blocks
/// of `environment` in the file's order, then the same of the blocks that match the plan. What comes later wins.
[[nodiscard]] EnvironmentPatch patch_for(const RepositoryFile& file, const std::vector<std::string>& names,
                                         const std::optional<std::string>& plan);

/// What becomes of an encrypted value of the variable `name`.
using SecretWriter = std::function<Result<nlohmann::json>(const std::string& name, const EncryptedValue& value)>;

/// As it stands in the file.
[[nodiscard]] Result<nlohmann::json> keep_encrypted(const std::string& name, const EncryptedValue& value);

/// Patches a request to Testing Farm's API: {test, settings, environments: [{name, arch, variables, secrets, tmt}]}.
[[nodiscard]] Result<nlohmann::json> patch_request(nlohmann::json request, const RepositoryFile& file,
                                                   const std::optional<std::string>& plan, const SecretWriter& write);

}  // namespace trebuchet
