#include "tests/labserver/api/api.hpp"
#include "tests/labserver/api/api_schemas.hpp"
#include "tests/labserver/net/cookie.hpp"

namespace trebuchet::labserver {
namespace {

Response post_data(State& state, const Call& call) {
    const auto& name = call.parts[0];
    state.agents.update(name, call.body, state.clock.wall_time());
    auto response = json_answer({{"status", "OK"}});
    response.headers.emplace_back("Set-Cookie",
                                  "agent_name=" + encode_cookie_value(name) + "; HttpOnly; Path=/; SameSite=Strict");
    return response;
}

Response get_data(const State& state, const Call& call) {
    const auto& name = call.parts[0];
    if (!state.agents.exists(name)) return json_answer(Json::object(), 404);
    return json_answer(describe_agent(state, name));
}

Response get_all_data(const State& state) {
    auto all = Json::array();
    for (const auto& name : state.agents.names()) all.push_back(describe_agent(state, name));
    return json_answer(all);
}

Response post_provision_log(State& state, const Call& call) {
    const bool passed = call.body["exit_code"] == 0;
    if (!state.agents.count_provision(call.parts[0], passed)) return text_answer("Agent not found\n", 404);
    return text_answer("OK");
}

Response post_queues(State& state, const Call& call) {
    const auto now = state.clock.wall_time();
    for (const auto& [queue, description] : call.body.items()) {
        state.queues.advertise(queue, description.get<std::string>(), now);
    }
    return text_answer("OK");
}

Response post_images(State& state, const Call& call) {
    for (const auto& [queue, images] : call.body.items()) state.queues.set_images(queue, images);
    return text_answer("OK");
}

}  // namespace

Json describe_agent(const State& state, const std::string& name) {
    auto description = state.agents.describe(name);
    auto restricted_to = Json::object();
    for (const auto& queue : state.agents.queues_of(name)) {
        const auto owners = state.clients.owners(queue);
        if (!owners.empty()) restricted_to[queue] = owners;
    }
    description["restricted_to"] = std::move(restricted_to);
    return description;
}

void add_agent_routes(Router& router, State& state) {
    router.add({"POST", "/v1/agents/data/{agent}", agents_and_administrators,
                [&state](const Call& call) { return post_data(state, call); }, schemas::agent()});
    router.add(
        {"GET", "/v1/agents/data/{agent}", all_roles, [&state](const Call& call) { return get_data(state, call); }});
    router.add({"GET", "/v1/agents/data", submitters, [&state](const Call&) { return get_all_data(state); }});
    router.add({"POST", "/v1/agents/provision_logs/{agent}", agents_only,
                [&state](const Call& call) { return post_provision_log(state, call); }, schemas::provision_log()});
    router.add({"POST", "/v1/agents/queues", agents_and_administrators,
                [&state](const Call& call) { return post_queues(state, call); }, schemas::queues()});
    router.add({"GET", "/v1/agents/queues", submitters,
                [&state](const Call&) { return json_answer(state.queues.descriptions()); }});
    router.add({"POST", "/v1/agents/images", agents_and_administrators,
                [&state](const Call& call) { return post_images(state, call); }, schemas::images()});
    router.add({"GET", "/v1/agents/images/{queue}", submitters,
                [&state](const Call& call) { return json_answer(state.queues.images(call.parts[0])); }});
}

}  // namespace trebuchet::labserver
