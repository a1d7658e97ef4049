#pragma once

#include "agent/job/job.hpp"
#include "agent/secrets/job_facts.hpp"

#include <string>

namespace trebuchet {

/// What grants ask of a job. `restriction`: of its queue, when it was taken.
[[nodiscard]] JobFacts facts_of(const Job& job, QueueRestriction restriction);

/// The value that the job's test_data.secrets has for the name; null: none.
[[nodiscard]] const SecretString* server_value(const Job& job, const std::string& name);

/// The job's tags, one in a line, for $TREBUCHET_TAGS. Tags with control characters, and what is too much for a
/// variable, are left out.
[[nodiscard]] std::string tags_variable(const Job& job);

}  // namespace trebuchet
