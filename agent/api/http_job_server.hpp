#pragma once

#include "agent/api/api_client.hpp"
#include "agent/api/job_server.hpp"
#include "agent/config/config.hpp"

#include <memory>

namespace trebuchet {

/// The real server, over HTTP. `config` and `api` must outlive it.
[[nodiscard]] std::unique_ptr<JobServer> make_http_job_server(const Config& config, ApiClient& api);

/// The value of `job_state` at the top level of a document that may be cut anywhere; "" if it does not come before the
/// cut.
[[nodiscard]] std::string find_job_state(std::string_view document);

/// Percent-encodes what a path segment or a query value can't hold (RFC 3986, unreserved characters).
[[nodiscard]] std::string url_encoded(std::string_view text);

}  // namespace trebuchet
