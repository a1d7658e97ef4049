#pragma once

#include "common/base/clock.hpp"
#include "tests/labserver/store/agent_store.hpp"
#include "tests/labserver/store/client_store.hpp"
#include "tests/labserver/store/job_store.hpp"
#include "tests/labserver/store/queue_store.hpp"
#include "tests/labserver/store/result_store.hpp"
#include "tests/labserver/store/secret_store.hpp"
#include "tests/labserver/store/shifted_clock.hpp"
#include "tests/labserver/store/tokens.hpp"

#include <filesystem>
#include <optional>

namespace trebuchet::labserver {

/// What POST /control/settings changes.
struct Settings {
    int events_status = 200;  ///< answer to POST /v1/job/<id>/events; 500: no webhook configured, 502: unreachable, …
    bool anonymous = true;    ///< false: 401 without a token, as from a server with OpenID Connect
    bool secrets_store = true;  ///< false: as from a server without a secrets store
    bool result_status = true;  ///< false: as from a server without GET /v1/result/<id>/status
    bool agent_job_id = false;  ///< true: who takes a job has its id in its record, until the job's final state
};

/// All of the server's data, in memory. Not thread-safe.
struct State {
    State(const Clock& real_clock, TokenLifetimes lifetimes)
        : real(real_clock), clock(real_clock), tokens(clock, lifetimes), secrets(clock) {}

    /// Loads the stores from the file, and from then on saves every change in it. Not in the file: clients (they have a
    /// file of their own), settings, the clock.
    [[nodiscard]] Result<void> keep_in(DataFile& data) {
        auto done = tokens.keep_in(data);
        if (done) done = secrets.keep_in(data);
        if (done) done = agents.keep_in(data);
        if (done) done = queues.keep_in(data);
        if (done) done = jobs.keep_in(data, moment());
        if (done) done = results.keep_in(data);
        return done;
    }

    /// Now, on the real clocks, for measuring: POST /control/clock does not change it.
    [[nodiscard]] Moment moment() const { return {real.now(), real.wall_time()}; }

    const Clock& real;
    ShiftedClock clock;
    Settings settings;
    std::optional<std::filesystem::path> keys;  ///< folder of the key pairs of repositories
    ClientStore clients;
    Tokens tokens;
    SecretStore secrets;
    AgentStore agents;
    QueueStore queues;
    JobStore jobs;
    ResultStore results;
};

}  // namespace trebuchet::labserver
