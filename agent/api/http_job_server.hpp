#pragma once

#include "agent/api/api_client.hpp"
#include "agent/api/job_server.hpp"
#include "agent/config/config.hpp"

#include <memory>

namespace trebuchet {

/// The HTTP implementation. `config` and `api` must outlive it.
[[nodiscard]] std::unique_ptr<JobServer> make_http_job_server(const Config& config, ApiClient& api);

/// The top-level `job_state` in a document that may be truncated; "" if it is not in the available part.
[[nodiscard]] std::string find_job_state(std::string_view document);

/// Percent-encodes everything except RFC 3986's unreserved characters.
[[nodiscard]] std::string url_encoded(std::string_view text);

}  // namespace trebuchet
