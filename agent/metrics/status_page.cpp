#include "agent/metrics/status_page.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <chrono>

namespace trebuchet {
namespace {

using std::chrono::seconds;
using Time = AgentStatus::Time;

constexpr const char* style =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:1rem}"
    "h1{font-size:1.3rem;margin:0}"
    ".state{font-size:1.6rem;font-weight:600}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}"
    "dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}"
    ".phases{display:flex;gap:2px;margin:1rem 0}"
    ".phases div{min-width:3.5rem;padding:.3rem;border-radius:4px;font-size:.8rem;overflow:hidden;color:#fff;"
    "background:#2a7d4f}"
    ".phases .failed{background:#b3392f}.phases .runs{background:#2563a8}";

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : to_valid_utf8(text)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

seconds between(Time begin, Time end) {
    return std::chrono::duration_cast<seconds>(end - begin);
}

std::string ago(const std::optional<Time>& time, Time now) {
    return time ? shown_duration(between(*time, now)) + " ago" : "";
}

std::string shown_bytes(std::uint64_t bytes) {
    constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30U;
    if (bytes >= 10 * gibibyte) return std::to_string(bytes / gibibyte) + " GiB";
    return bytes < 1024 ? std::to_string(bytes) + " B" : std::to_string(bytes >> 10U) + " KiB";
}

std::string row(const std::string& name, const std::string& value) {
    return value.empty() ? "" : "<dt>" + name + "</dt><dd>" + escaped(value) + "</dd>\n";
}

/// A bar for each phase, as wide as its part of the job's time.
std::string timeline(const std::vector<PhaseRun>& phases, Time now) {
    if (phases.empty()) return "";
    std::string text = "<div class=\"phases\">";
    for (const auto& run : phases) {
        const auto time = between(run.began, run.ended.value_or(now));
        const char* kind = !run.ended ? "runs" : run.exit_code != 0 ? "failed" : "done";
        text += "<div class=\"" + std::string(kind) +
                "\" style=\"flex-grow:" + std::to_string(std::max<seconds::rep>(time.count(), 1)) + "\">" +
                std::string(name_of(run.phase)) + "<br>" + shown_duration(time);
        if (run.exit_code != 0) text += "<br>exit code " + std::to_string(run.exit_code);
        text += "</div>";
    }
    return text + "</div>\n";
}

std::string joined(const std::vector<std::string>& all) {
    std::string text;
    for (const auto& one : all) text += (text.empty() ? "" : ", ") + one;
    return text;
}

std::string undelivered(const AgentStatus& status, Time now) {
    if (status.undelivered_bytes == 0) return "nothing waits for the server";
    return shown_bytes(status.undelivered_bytes) + " wait for the server" +
           (status.undelivered_since ? ", since " + shown_duration(between(*status.undelivered_since, now)) : "");
}

}  // namespace

std::string status_page(const AgentStatus& status, const std::vector<PhaseRun>& phases,
                        const std::vector<ShownDisk>& disks, Time now) {
    std::string page =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<meta http-equiv=\"refresh\" content=\"5\"><title>" +
        escaped(status.agent_id) + ": " + escaped(status.state) + "</title><style>" + style +
        "</style></head><body>\n<h1>" + escaped(status.agent_id) + "</h1>\n<div class=\"state\">" +
        escaped(status.state) + "</div>\n" + timeline(phases, now) + "<dl>\n";
    page += row("state changed", ago(status.state_since, now));
    page += row("comment", status.comment);
    page += row("job", status.job.empty() && !phases.empty() ? "none; above is the last one" : status.job);
    page += row("last output", status.job.empty() ? "" : ago(status.last_output, now));
    page += row("delivery", undelivered(status, now));
    for (const auto& disk : disks) {
        page += row("disk", disk.folder + ": " + (disk.free ? shown_bytes(*disk.free) + " free" : "cannot be used"));
    }
    if (!status.last_error.empty()) {
        page += row("last problem", status.last_error + " (" + ago(status.last_error_at, now) + ")");
    }
    page += row("queues", joined(status.queues));
    page += row("server", status.server);
    page += row("version", status.version);
    return page + "</dl>\n</body></html>\n";
}

}  // namespace trebuchet
