#include "tests/labserver/api/server_fixture.hpp"

namespace trebuchet::labserver {

ServerTest::ServerTest() {
    const auto added = server.add_clients({{"root", {{"secret_key", "root-key"}, {"role", "admin"}}},
                                           {"boss", {{"secret_key", "boss-key"}, {"role", "manager"}}},
                                           {"alice",
                                            {{"secret_key", "alice-key"},
                                             {"role", "contributor"},
                                             {"max_priority", {{"q", 10}, {"*", 3}}},
                                             {"max_reservation_time", {{"q", 36000}}},
                                             {"allowed_queues", {"vip"}}}},
                                           {"bob", {{"secret_key", "bob-key"}}},
                                           {"rig", {{"secret_key", "rig-key"}, {"role", "agent"}}}});
    EXPECT_TRUE(added.has_value());
}

Response ServerTest::send(const std::string& method, const std::string& target, const std::string& body,
                          const Sender& by) {
    Request request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.from_loopback = by.from_loopback;
    if (!by.token.empty()) request.headers["authorization"] = "Bearer " + by.token;
    if (!by.cookie.empty()) request.headers["cookie"] = by.cookie;
    if (!body.empty() && !by.content_type.empty()) request.headers["content-type"] = by.content_type;
    return used->handle(request);
}

Sender ServerTest::as(const std::string& client_id) {
    return {string_at(json_of(post("/control/tokens", {{"client_id", client_id}})), "access_token")};
}

Sender ServerTest::as_agent(const std::string& name) {
    auto sender = as("rig");
    sender.cookie = "agent_name=" + name;
    return sender;
}

Response ServerTest::take(const std::string& query, const std::string& agent) {
    auto response = get("/v1/job?" + query, as_agent(agent));
    if (response.when_written) response.when_written();
    return response;
}

std::string ServerTest::submit(const Json& job, const Sender& by) {
    const auto response = post("/v1/job", job, by);
    EXPECT_EQ(response.status, 200) << response.body;
    return string_at(json_of(response), "job_id");
}

Json ServerTest::result_of(const std::string& job_id) {
    return json_of(get("/v1/result/" + job_id));
}

void ServerTest::advance_clock(std::chrono::seconds by) {
    EXPECT_EQ(post("/control/clock", {{"advance_seconds", by.count()}}).status, 200);
}

Json json_of(const Response& response) {
    auto value = parse_json(response.body);
    EXPECT_TRUE(value.has_value()) << response.body;
    return value.value_or(Json());
}

}  // namespace trebuchet::labserver
