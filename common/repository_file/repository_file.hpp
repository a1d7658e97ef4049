#pragma once

#include "common/repository_file/encrypted_entry.hpp"
#include "common/repository_file/name_pattern.hpp"
#include "common/yaml/yaml.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// The only name that is read.
inline constexpr const char* repository_file_name = ".testing-farm.yaml";

/// What is forced into an environment; what it does not name stays.
struct EnvironmentPatch {
    nlohmann::json values = nlohmann::json::object();   ///< all but what is encrypted
    std::map<std::string, EncryptedValue> secrets;      ///< `secrets`
    std::map<std::string, EncryptedValue> tmt_secrets;  ///< the encrypted values of `tmt.environment`

    [[nodiscard]] bool has_secrets() const { return !secrets.empty() || !tmt_secrets.empty(); }
};

struct NamedPatch {
    NamePattern name;
    EnvironmentPatch patch;
};

/// `environments` (for all), then `environment` (by name, in the file's order).
struct PatchBlock {
    std::optional<EnvironmentPatch> all;
    std::vector<NamedPatch> named;
};

struct PlanBlock {
    NamePattern plan;
    PatchBlock environments;
};

/// Something in the file that somebody should mend. Quotes no value.
struct FileFinding {
    YamlProblem problem;
    bool is_error = true;
};

/// `.testing-farm.yaml`, as RFD2 of Testing Farm specifies it:
///
///     version: 1
///     test: {…}             patches of the request itself
///     settings: {…}
///     environments: {…}     patches all its environments
///     environment:
///       rpi4: {…}           patches those with this name; a regular expression for the whole name
///     /smoke-.*:            the same for plans with this name
///       environments: {…}
///       environment: {…}
struct RepositoryFile {
    nlohmann::json test;      ///< null: nothing
    nlohmann::json settings;  ///< null: nothing
    PatchBlock environments;
    std::vector<PlanBlock> plans;
    std::vector<FileFinding> findings;  ///< what does nothing, or not what was meant; the rest can be used
};

/// The problems of a file that cannot be used.
using FileProblems = std::vector<YamlProblem>;

/// Reads untrusted text.
[[nodiscard]] tl::expected<RepositoryFile, FileProblems> parse_repository_file(std::string_view text);

}  // namespace trebuchet
