#pragma once

#include "tests/integration/harness/https_client.hpp"

#include <string>
#include <vector>

namespace trebuchet::harness {

/// One job as the reference agent ran it: tests/testdata/recorded/NAME.json.
struct Recording {
    Json configuration;
    Json job;                   ///< null: none was posted
    std::vector<Json> effects;  ///< what the agent made the server do, in order; see effects_of
    Json output;                ///< log text by phase
};

[[nodiscard]] Recording load_recording(const std::string& name);

/// What stands for what differs from run to run: "$AGENT", "$JOB" and "$SERVER" in a recording.
struct Names {
    std::string agent;
    std::string job;
    std::string server;
};

/// The requests of GET /control/requests as a recording writes them down: ["agent_state", state, comment],
/// ["result", body], ["event", name, detail] and so on. Questions and log output are no effects; the serial log's
/// fragments of one phase are one.
[[nodiscard]] std::vector<Json> effects_of(const Json& requests, const Names& names);

/// `text` with the names replaced, and each mask by "(mask)": the keys of masks differ.
[[nodiscard]] std::string generalized(std::string text, const Names& names);

}  // namespace trebuchet::harness
