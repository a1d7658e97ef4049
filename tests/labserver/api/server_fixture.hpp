#pragma once

#include "tests/fakes/fake_clock.hpp"
#include "tests/labserver/labserver.hpp"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace trebuchet::labserver {

/// The sender of a request, and the headers that it sends.
struct Sender {
    std::string token{};   ///< empty: anonymous
    std::string cookie{};  ///< the whole Cookie header
    std::string content_type = "application/json";
    bool from_loopback = true;
};

/// A server with these clients, each with the secret key "<id>-key": root, boss, alice, bob and rig. Every role is
/// among them.
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

    /// A sender with a new access token of this client.
    Sender as(const std::string& client_id);
    /// The client rig, with this agent's cookie.
    Sender as_agent(const std::string& name = "a1");
    /// Calls GET /v1/job as this agent. Also calls `when_written`, as the listener does when it sends the answer.
    Response take(const std::string& query = "queue=q", const std::string& agent = "a1");
    /// Submits the job and returns its id.
    std::string submit(const Json& job, const Sender& by = {});
    Json result_of(const std::string& job_id);
    void advance_clock(std::chrono::seconds by);

    FakeClock clock;
    Labserver server{clock};
    Labserver* used = &server;  ///< the server that the functions above call
};

[[nodiscard]] Json json_of(const Response& response);

inline constexpr const char* some_job_id = "00000000-0000-4000-8000-000000000000";

}  // namespace trebuchet::labserver
