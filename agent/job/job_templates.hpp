#pragma once

#include "agent/job/job.hpp"
#include "agent/secrets/granted_secrets.hpp"
#include "common/base/result.hpp"
#include "common/process/environment.hpp"
#include "common/secret/secret_string.hpp"

#include <map>
#include <set>
#include <string>

namespace trebuchet {

/// The names of the secrets that templates of the job read. A template that is wrong names nothing here.
[[nodiscard]] std::set<std::string> template_names(const Job& job);

/// Adds each name of a template to those that the job asks for: as a grant spells it, if one does.
void ask_for_templates(const Job& job, const SecretsConfig& config, JobFacts& facts);

/// A phase's job with its templates filled in.
struct FilledJob {
    WipedString document;                           ///< for the job file
    std::map<std::string, SecretString> variables;  ///< that the scripts refer to
    std::string notes;                              ///< lines for the log; no value
    bool has_values = false;                        ///< in other places of the document than `secrets`
};

struct TemplateSources {
    const std::map<std::string, SecretString>& secrets;  ///< of the phase, by variable
    const Environment& agent;                            ///< its variables ENV_NAME are envs.name
    SecretSink& sink;                                    ///< masks each result that has a secret in it
};

/// Fills in the texts of `<phase>_data` in `document`. In `test_data.test_cmds` a template becomes a reference to a
/// variable, which `test_data.secrets` has, too. Nothing: there are no templates. The Error says which text is wrong,
/// and where.
[[nodiscard]] Result<std::optional<FilledJob>> fill_templates(std::string_view document, Phase phase,
                                                              const TemplateSources& sources);

}  // namespace trebuchet
