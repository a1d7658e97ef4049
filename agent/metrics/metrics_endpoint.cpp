#include "agent/metrics/metrics_endpoint.hpp"

#include <utility>

namespace trebuchet {

Result<std::unique_ptr<HttpEndpoint>> open_metrics_endpoint(EventLoop& loop, const HttpEndpointOptions& options,
                                                            AgentMetrics& metrics, std::function<std::string()> page) {
    HttpEndpoint::Pages pages;
    pages["/"] = [page = std::move(page)] { return HttpPage{200, "text/html; charset=utf-8", page()}; };
    pages["/metrics"] = [&metrics] { return HttpPage{200, metrics_media_type, metrics.text()}; };
    pages["/healthz"] = [&metrics] {
        const auto problem = metrics.problem();
        const auto& lag = metrics.lag_note();
        return HttpPage{problem.empty() ? 200 : 503, "text/plain; charset=utf-8",
                        (problem.empty() ? "ok" : problem) + "\n" + lag + (lag.empty() ? "" : "\n")};
    };
    return HttpEndpoint::open(loop, options, std::move(pages));
}

}  // namespace trebuchet
