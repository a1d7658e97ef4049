#pragma once

#include "tests/labserver/api/router.hpp"

#include <string_view>

namespace trebuchet::labserver {

// Each function adds its part of the API to a router. `state` must outlive the router.

/// /v1, /v1/oauth2
void add_auth_routes(Router& router, State& state);
/// /v1/job
void add_job_routes(Router& router, State& state);
/// /v1/job/<id>/attachments, /v1/result/<id>/artifact
void add_file_routes(Router& router, State& state);
/// /v1/result
void add_result_routes(Router& router, State& state);
/// /v1/agents
void add_agent_routes(Router& router, State& state);
/// /v1/queues, /v1/restricted-queues
void add_queue_routes(Router& router, State& state);
/// /v1/secrets
void add_secret_routes(Router& router, State& state);

/// Returns the same route, limited to callers on this machine, and closed to web pages in a browser here: a browser
/// lets a page send JSON to another server only if that server allows it.
[[nodiscard]] Route only_from_here(Route route);

/// Whether Python's uuid.UUID accepts it: 32 hexadecimal digits, with hyphens anywhere.
[[nodiscard]] bool is_job_id(std::string_view text);
[[nodiscard]] Response bad_job_id();

/// The agent's fields, and `restricted_to`: for each restricted queue that the agent listens on, the clients that may
/// use it.
[[nodiscard]] Json describe_agent(const State& state, const std::string& name);

}  // namespace trebuchet::labserver
