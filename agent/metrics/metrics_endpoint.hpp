#pragma once

#include "agent/metrics/agent_metrics.hpp"
#include "common/base/result.hpp"
#include "common/event/event_loop.hpp"
#include "common/http_endpoint/http_endpoint.hpp"

#include <functional>
#include <memory>
#include <string>

namespace trebuchet {

/// GET /metrics: the metrics. GET /healthz: 200 and "ok", or 503 and the problem, as one line. GET /: what `page`
/// returns, HTML. `metrics` is not owned and must outlive the endpoint.
[[nodiscard]] Result<std::unique_ptr<HttpEndpoint>> open_metrics_endpoint(EventLoop& loop,
                                                                          const HttpEndpointOptions& options,
                                                                          AgentMetrics& metrics,
                                                                          std::function<std::string()> page);

}  // namespace trebuchet
