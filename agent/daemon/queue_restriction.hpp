#pragma once

#include "agent/api/job_server.hpp"
#include "agent/secrets/job_facts.hpp"

#include <string>

namespace trebuchet {

/// Asks the server whether only owners may post to this queue, which the agent must listen on. Runs the loop; a failed
/// question is repeated once.
[[nodiscard]] QueueRestriction ask_restriction(JobServer& server, const std::string& queue);

}  // namespace trebuchet
