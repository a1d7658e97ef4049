#pragma once

#include <chrono>

namespace trebuchet {

/// The agent's requests to the server.
enum class Call {
    authorize,           ///< POST /v1/oauth2/refresh, /v1/oauth2/token
    read_agent,          ///< GET /v1/agents/data/<agent>
    introduce,           ///< POST /v1/agents/data/<agent>, /v1/agents/queues, /v1/agents/images outside of a job
    take_job,            ///< GET /v1/job
    read_job_state,      ///< GET /v1/result/<job>/status, or the start of GET /v1/result/<job>
    post_progress,       ///< POST /v1/result/<job>, /v1/agents/data/<agent> during a job
    post_outcome,        ///< POST /v1/result/<job> with the final state
    post_events,         ///< POST /v1/job/<job>/events
    post_provision_log,  ///< POST /v1/agents/provision_logs/<agent>
    post_log,            ///< POST /v1/result/<job>/log/…
    read_log,            ///< GET /v1/result/<job>, completely
    fetch_attachments,   ///< GET /v1/job/<job>/attachments
    post_artifacts,      ///< POST /v1/result/<job>/artifact
    deliver_result,      ///< the last four POSTs to /v1/result/<job> for an earlier job, in the background
};

/// How to retry a failed call. Waits double from the first to the longest, with jitter (Backoff). All retries follow
/// this table, except that ApiClient resends once after its token was refused, and that the HTTP library resends a
/// request if the server closes a kept-alive connection, unless `once`. A final error (Error::is_final) is not retried.
struct CallPolicy {
    std::chrono::milliseconds timeout;  ///< of one try, including DNS and reading the answer
    int tries;                          ///< 0: until it succeeds or the caller gives up
    std::chrono::milliseconds first_wait;
    std::chrono::milliseconds longest_wait;
    bool once = false;  ///< one try arrives at most once (HttpRequest::once)
};

/// The policy of each call, and why it may or may not be repeated.
[[nodiscard]] constexpr CallPolicy policy_of(Call call) {
    using namespace std::chrono_literals;
    switch (call) {
        case Call::authorize:  // safe to repeat; meanwhile calls use the current token
            return {15s, 0, 1s, 60s};
        case Call::read_agent:
        case Call::introduce:
        case Call::read_job_state:  // these three are repeated by the next poll
            return {30s, 1, 0s, 0s};
        case Call::post_provision_log:  // not repeated: cannot be read back, so a repeat may be a duplicate
            return {30s, 1, 0s, 0s, true};
        case Call::take_job:  // not repeated: each call may take a job off its queue, and a lost answer cannot be asked
                              // for again. The waits are those until the next poll, beginning with the polling interval
            return {60s, 1, 0s, 60s, true};
        case Call::post_progress:  // safe to repeat: replaces the old value. The job waits for it, at most 45 s in all
            return {10s, 4, 300ms, 2s};
        case Call::post_outcome:  // safe to repeat; without it a job seems to run forever. After about one minute it is
                                  // stored and delivered later
            return {30s, 8, 300ms, 15s};
        case Call::post_events:  // not repeated: goes to a webhook that may hang or refuse each time
            return {5s, 1, 0s, 0s, true};
        case Call::post_log:  // repeated only after read_log has shown that it did not arrive; stays in the spool until
                              // then
            return {30s, 0, 500ms, 30s, true};
        case Call::read_log:  // safe to repeat; gives up after five refusals
            return {10min, 0, 500ms, 30s};
        case Call::fetch_attachments:  // safe to repeat; a broken download starts again
        case Call::post_artifacts:  // safe to repeat: replaces; after the last try they are stored and delivered later
            return {2h, 4, 300ms, 15s};
        case Call::deliver_result:  // continues at the call that failed; gives up when the result is older than
                                    // keep_results
            return {2h, 0, 10s, 5min};
    }
    return {30s, 1, 0s, 0s};
}

}  // namespace trebuchet
