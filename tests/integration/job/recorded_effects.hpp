#pragma once

#include "tests/integration/harness/https_client.hpp"

#include <string>
#include <vector>

namespace trebuchet::harness {

/// A recording of one job of the reference agent: tests/testdata/recorded/NAME.json.
struct Recording {
    Json configuration;
    Json job;                   ///< null: no job was posted
    std::vector<Json> effects;  ///< the effects of the agent's requests on the server, in order; see effects_of
    Json output;                ///< log text by phase
};

[[nodiscard]] Recording load_recording(const std::string& name);

/// The values that differ from run to run. A recording has "$AGENT", "$JOB" and "$SERVER" in their place.
struct Names {
    std::string agent;
    std::string job;
    std::string server;
};

/// Converts the answer of GET /control/requests to the form of a recording: ["agent_state", state, comment],
/// ["result", body], ["event", name, detail] and so on. GET requests and log output are left out. The serial log
/// fragments of one phase become one effect.
[[nodiscard]] std::vector<Json> effects_of(const Json& requests, const Names& names);

/// The text with the names replaced as in a recording, and with "(mask)" for each mask, because the keys differ.
[[nodiscard]] std::string generalized(std::string text, const Names& names);

}  // namespace trebuchet::harness
