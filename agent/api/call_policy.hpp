#pragma once

#include <chrono>

namespace trebuchet {

/// What the agent asks of the server.
enum class Call {
    authorize,           ///< POST /v1/oauth2/refresh, /v1/oauth2/token
    read_agent,          ///< GET /v1/agents/data/<agent>
    introduce,           ///< POST /v1/agents/data/<agent>, /v1/agents/queues, /v1/agents/images outside of a job
    take_job,            ///< GET /v1/job
    read_job_state,      ///< GET /v1/result/<job>, its start
    post_progress,       ///< POST /v1/result/<job>, /v1/agents/data/<agent> during a job
    post_outcome,        ///< POST /v1/result/<job> with the final state
    post_events,         ///< POST /v1/job/<job>/events
    post_provision_log,  ///< POST /v1/agents/provision_logs/<agent>
    post_log,            ///< POST /v1/result/<job>/log/…
    read_log,            ///< GET /v1/result/<job>, all of it
    fetch_attachments,   ///< GET /v1/job/<job>/attachments
    post_artifacts,      ///< POST /v1/result/<job>/artifact
    deliver_result,      ///< the last four POSTs to /v1/result/<job> for a former job, beside new work
};

/// What may be done when a call fails. The waits double from the first to the longest, each drawn between half and all
/// of it (Backoff). Nobody sends anything again but by this table, and ApiClient once after a refusal of its token. A
/// refusal that will not change (Error::is_final) ends the tries.
struct CallPolicy {
    std::chrono::milliseconds timeout;  ///< of one try, looking up the name and reading the answer included
    int tries;                          ///< 0: until it succeeds, or whoever waits for it gives up
    std::chrono::milliseconds first_wait;
    std::chrono::milliseconds longest_wait;
};

/// For each call, why it may be sent again, or not.
[[nodiscard]] constexpr CallPolicy policy_of(Call call) {
    using namespace std::chrono_literals;
    switch (call) {
        case Call::authorize:  // harmless; while it does not help, calls go on with the token in hand
            return {15s, 0, 1s, 60s};
        case Call::read_agent:
        case Call::introduce:
        case Call::read_job_state:      // for these three the next poll, or whoever watches a job, is the next try
        case Call::post_provision_log:  // can't be read back
            return {30s, 1, 0s, 0s};
        case Call::take_job:  // each may take a job off its queue: the one whose answer is lost can't be asked for
                              // again. The waits are those until the next poll, from the polling interval on
            return {60s, 1, 0s, 60s};
        case Call::post_progress:  // replaces what was there
            return {30s, 4, 300ms, 15s};
        case Call::post_outcome:  // likewise; without it a job looks as if it ran for ever. About a minute, then it is
                                  // kept
            return {30s, 8, 300ms, 15s};
        case Call::post_events:  // can't be read back, and goes to a webhook that may hang or refuse each time
            return {5s, 1, 0s, 0s};
        case Call::post_log:  // only once it is known by read_log not to be there; waits in the spool until then
            return {30s, 0, 500ms, 30s};
        case Call::read_log:  // harmless; five refusals to say end it
            return {10min, 0, 500ms, 30s};
        case Call::fetch_attachments:  // harmless; a broken one starts anew
        case Call::post_artifacts:     // replaces what was there; then they are kept
            return {2h, 4, 300ms, 15s};
        case Call::deliver_result:  // begins again at the call that failed; given up when the result
                                    // is as old as keep_results says
            return {2h, 0, 10s, 5min};
    }
    return {30s, 1, 0s, 0s};
}

}  // namespace trebuchet
