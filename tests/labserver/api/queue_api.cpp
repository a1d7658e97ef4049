#include "tests/labserver/api/api.hpp"
#include "tests/labserver/api/api_schemas.hpp"
#include "tests/labserver/text/iso_time.hpp"

namespace trebuchet::labserver {
namespace {

/// The fields of an agent in the list of a queue's agents.
Json shown_on_queue(const Json& agent) {
    auto shown = Json::object();
    for (const auto* field :
         {"name", "state", "queues", "location", "provision_type", "job_id", "comment", "restricted_to"}) {
        if (agent.contains(field)) shown[field] = agent[field];
    }
    return shown;
}

Response agents_on(const State& state, const std::string& queue) {
    auto agents = Json::array();
    for (const auto& name : state.agents.on_queue(queue)) agents.push_back(shown_on_queue(describe_agent(state, name)));
    if (agents.empty()) return problem(404, "Queue '" + queue + "' does not exist.");
    return json_answer(agents);
}

Response jobs_on(const State& state, const std::string& queue) {
    auto jobs = Json::array();
    state.jobs.for_each([&](const Job& job) {
        if (job.queue() != queue) return;
        jobs.push_back(
            {{"job_id", job.id}, {"created_at", zulu(job.created)}, {"job_state", job.state}, {"job_queue", queue}});
    });
    return jobs.empty() ? no_content() : json_answer(jobs);
}

Json describe_restriction(const State& state, const std::string& queue) {
    return {{"queue", queue}, {"owners", state.clients.owners(queue)}};
}

Response restricted(const State& state, const std::string& queue) {
    if (!state.clients.is_restricted(queue)) return problem(404, "Queue '" + queue + "' is not restricted");
    return json_answer(describe_restriction(state, queue));
}

Response all_restricted(const State& state) {
    auto all = Json::array();
    for (const auto& queue : state.clients.restricted_queues()) all.push_back(describe_restriction(state, queue));
    return json_answer(all);
}

Response add_owner(State& state, const Call& call) {
    const auto client_id = call.body["client_id"].get<std::string>();
    if (client_id.empty()) return problem(400, "The client_id is empty");
    if (state.clients.find(client_id) == nullptr) return problem(404, "There is no client '" + client_id + "'");
    if (state.agents.on_queue(call.parts[0]).empty())
        return problem(404, "No agent listens on '" + call.parts[0] + "'");
    state.clients.allow(call.parts[0], client_id);
    return text_answer("OK");
}

Response release(State& state, const Call& call) {
    if (!state.clients.is_restricted(call.parts[0]))
        return problem(404, "Queue '" + call.parts[0] + "' is not restricted");
    if (call.body["client_id"].get<std::string>().empty()) return problem(400, "The client_id is empty");
    state.clients.release(call.parts[0]);
    return text_answer("OK");
}

}  // namespace

void add_queue_routes(Router& router, State& state) {
    router.add({"GET", "/v1/queues/{queue}/agents", submitters,
                [&state](const Call& call) { return agents_on(state, call.parts[0]); }});
    router.add({"GET", "/v1/queues/{queue}/jobs", submitters,
                [&state](const Call& call) { return jobs_on(state, call.parts[0]); }});
    const auto* one = "/v1/restricted-queues/{queue}";
    router.add({"GET", "/v1/restricted-queues", submitters, [&state](const Call&) { return all_restricted(state); }});
    router.add({"GET", one, submitters, [&state](const Call& call) { return restricted(state, call.parts[0]); }});
    router.add({"POST", one, administrators, [&state](const Call& call) { return add_owner(state, call); },
                schemas::restricted_queue()});
    router.add({"DELETE", one, administrators, [&state](const Call& call) { return release(state, call); },
                schemas::restricted_queue()});
}

}  // namespace trebuchet::labserver
