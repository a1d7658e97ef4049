#include "agent/metrics/metrics_endpoint.hpp"

namespace trebuchet {

Result<std::unique_ptr<HttpEndpoint>> open_metrics_endpoint(EventLoop& loop, const HttpEndpointOptions& options,
                                                            AgentMetrics& metrics) {
    HttpEndpoint::Pages pages;
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
