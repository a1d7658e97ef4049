#pragma once

#include "agent/api/job_server.hpp"
#include "agent/cli/finding.hpp"
#include "agent/config/config.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// Asks the configuration's server, as this agent would, but changes nothing there: name, connection, TLS, clock, token
/// and role, the agent's record. Also opens the CA file, certificate and key. Takes a minute at most.
void check_server(const Config& config, const std::filesystem::path& token_file, Findings& findings);

// The parts that need no network:

/// `ahead`: how far the server's clock is ahead of this host's.
[[nodiscard]] Finding judge_clock(std::chrono::seconds ahead);

/// `role`: as the access token names it; "" if it does not.
[[nodiscard]] Finding judge_role(std::string_view role);

/// The role that a Testflinger access token (a JWT) names; "" if it cannot be read. Nothing is verified.
[[nodiscard]] std::string role_in_token(std::string_view token);

/// What the server's record says about taking jobs.
void judge_record(const Config& config, const AgentRecord& record, Findings& findings);

}  // namespace trebuchet
