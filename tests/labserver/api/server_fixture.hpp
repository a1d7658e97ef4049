#pragma once

#include "tests/fakes/fake_clock.hpp"
#include "tests/labserver/labserver.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace trebuchet::labserver {

/// Who sends a request, and with what.
struct Sender {
    std::string token{};   ///< empty: anonymous
    std::string cookie{};  ///< the whole Cookie header
    std::string content_type = "application/json";
    bool from_loopback = true;
};

/// A server with a client of each role: root, boss, alice, bob and rig, each with the secret key "<id>-key".
class ServerTest : public ::testing::Test {
  protected:
    ServerTest();

    Response send(const std::string& method, const std::string& target, const std::string& body = {},
                  const Sender& by = {});
    Response get(const std::string& target, const Sender& by = {}) { return send("GET", target, {}, by); }
    Response post(const std::string& target, const Json& body, const Sender& by = {}) {
        return send("POST", target, body.dump(), by);
    }
    Response put(const std::string& target, const Json& body, const Sender& by = {}) {
        return send("PUT", target, body.dump(), by);
    }
    Response remove(const std::string& target, const Sender& by = {}) { return send("DELETE", target, {}, by); }

    /// With a fresh access token.
    Sender as(const std::string& client_id);
    /// As rig, with the cookie of an agent.
    Sender as_agent(const std::string& name = "a1");
    /// GET /v1/job as that agent; what the listener does when the answer goes out is done too.
    Response take(const std::string& query = "queue=q", const std::string& agent = "a1");
    /// Submits it and gives its id.
    std::string submit(const Json& job, const Sender& by = {});
    Json result_of(const std::string& job_id);
    void advance_clock(std::chrono::seconds by);

    FakeClock clock;
    Labserver server{clock};
    Labserver* used = &server;  ///< by all of the above
};

[[nodiscard]] Json json_of(const Response& response);

inline constexpr const char* some_job_id = "00000000-0000-4000-8000-000000000000";

}  // namespace trebuchet::labserver
