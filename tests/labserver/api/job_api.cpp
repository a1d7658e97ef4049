#include "tests/labserver/api/api.hpp"
#include "tests/labserver/api/api_schemas.hpp"
#include "tests/labserver/text/iso_time.hpp"
#include "tests/labserver/text/random_id.hpp"

#include <algorithm>
#include <array>

namespace trebuchet::labserver {
namespace {

constexpr std::int64_t freely_reservable = std::int64_t{6} * 3600;

std::string quote(const std::string& text) {
    return "'" + text + "'";
}

/// The caller's limit for this queue: the larger of the queue's entry and the "*" entry.
std::int64_t allowance(const Json& by_queue, const std::string& queue) {
    return std::max(by_queue.value(queue, std::int64_t{0}), by_queue.value("*", std::int64_t{0}));
}

/// 401 for an anonymous caller, 403 for others.
Response not_permitted(const Identity& caller, const std::string& what) {
    return caller.anonymous() ? problem(401, "Authentication is required for " + what)
                              : problem(403, "Not enough permissions for " + what);
}

std::optional<Response> refuse_permissions(const State& state, const Identity& caller, const Json& data) {
    const auto queue = string_at(data, "job_queue");
    const auto priority = data.value("job_priority", std::int64_t{0});
    const bool may_have_priority = !caller.anonymous() && priority <= allowance(caller.max_priority, queue);
    if (priority != 0 && !may_have_priority) {
        return not_permitted(caller, "priority " + std::to_string(priority) + " on " + quote(queue));
    }
    if (!state.clients.may_use(caller.client_id, queue)) {
        return not_permitted(caller, "the restricted queue " + quote(queue));
    }
    const auto reservation = data.value("/reserve_data/timeout"_json_pointer, Json());
    const auto timeout = reservation.is_number() ? reservation.get<std::int64_t>() : 0;
    if (timeout > freely_reservable &&
        (caller.anonymous() || timeout > allowance(caller.max_reservation_time, queue))) {
        return not_permitted(caller, "a reservation of " + std::to_string(timeout) + " s on " + quote(queue));
    }
    return std::nullopt;
}

std::optional<Response> refuse_exclusions(const State& state, const Json& data) {
    const auto& excluded = data["exclude_agents"];
    if (excluded.empty()) return std::nullopt;
    for (const auto& agent : state.agents.on_queue(string_at(data, "job_queue"))) {
        if (std::find(excluded.begin(), excluded.end(), agent) == excluded.end()) return std::nullopt;
    }
    return problem(422, "No agent on this queue may run the job: all of them are in exclude_agents, or there is none");
}

std::optional<Response> refuse_secrets(const State& state, const Identity& caller, const Json& data) {
    const auto secrets = data.value("/test_data/secrets"_json_pointer, Json());
    if (secrets.is_null()) return std::nullopt;
    if (!state.settings.secrets_store) return problem(422, "No secrets store");
    if (caller.anonymous()) return problem(422, "Secrets need a client id: submit the job with a token");
    std::vector<std::string> inaccessible;
    for (const auto& path : secrets) {
        if (!state.secrets.exists(caller.client_id, path.get<std::string>())) inaccessible.push_back(path);
    }
    if (inaccessible.empty()) return std::nullopt;
    std::sort(inaccessible.begin(), inaccessible.end());
    std::string list;
    for (const auto& path : inaccessible) list += (list.empty() ? "" : ", ") + path;
    return problem(422, "Inaccessible secret paths: " + list);
}

bool has_attachments(const Json& data) {
    for (const auto& [field, value] : data.items()) {
        if (field.ends_with("_data") && value.is_object() && value.contains("attachments")) return true;
    }
    return false;
}

Response submit(State& state, const Call& call) {
    auto data = call.body;
    if (auto refused = refuse_exclusions(state, data)) return *refused;
    if (auto refused = refuse_secrets(state, call.caller, data)) return *refused;
    auto id = string_at(data, "job_id");
    data.erase("job_id");
    if (id.empty()) id = random_job_id();
    if (!is_job_id(id)) return bad_job_id();
    if (auto refused = refuse_permissions(state, call.caller, data)) return *refused;

    if (data.contains("/test_data/secrets"_json_pointer)) data["client_id"] = call.caller.client_id;
    if (has_attachments(data)) data["attachments_status"] = "waiting";
    Job job;
    job.id = id;
    job.priority = data.value("job_priority", std::int64_t{0});
    job.data = std::move(data);
    job.created = state.clock.wall_time();
    job.posted = state.moment();
    state.jobs.add(std::move(job));
    return json_answer({{"job_id", id}});
}

/// Replaces secret paths by their values. Only the agent that runs the job gets the values.
void resolve_secrets(State& state, Json& data) {
    const auto place = "/test_data/secrets"_json_pointer;
    if (!data.contains(place)) return;
    const auto client_id = string_at(data, "client_id");
    for (auto& [name, secret] : data[place].items()) {
        const auto path = secret.get<std::string>();
        secret =
            state.settings.secrets_store ? std::string(state.secrets.take(client_id, path).reveal()) : std::string();
    }
}

Response take(State& state, const Call& call) {
    const auto queues = all_of(call.query, "queue");
    if (queues.empty()) return problem(400, "No queue in the request: expected ?queue=…");
    const auto agent = call.request.agent_name();
    if (agent.empty()) return problem(401, "Agent not identified");
    const auto* job = state.jobs.take(queues, agent);
    if (job == nullptr) return no_content();
    auto data = job->data;
    data["job_id"] = job->id;
    data["started_at"] = doubly_zoned(state.clock.wall_time());
    resolve_secrets(state, data);
    if (state.settings.agent_job_id) state.agents.update(agent, {{"job_id", job->id}}, state.clock.wall_time());
    auto response = json_answer(data);
    response.when_written = [&state, id = job->id] {
        auto* taken = state.jobs.find(id);
        if (taken == nullptr) return;
        taken->taken = state.moment();
        state.jobs.keep(*taken);
    };
    return response;
}

/// What GET /v1/job/<id> shows: the fields that can be submitted, not those that the server added.
Json shown(const Job& job) {
    auto data = job.data;
    for (const auto* internal : {"client_id", "attachments_status"}) data.erase(internal);
    data["job_id"] = job.id;
    return data;
}

Response get(State& state, const Call& call) {
    if (!is_job_id(call.parts[0])) return bad_job_id();
    const auto* job = state.jobs.find(call.parts[0]);
    return job == nullptr ? no_content() : json_answer(shown(*job));
}

Response position(State& state, const Call& call) {
    if (!is_job_id(call.parts[0])) return bad_job_id();
    const auto* job = state.jobs.find(call.parts[0]);
    const auto place = job == nullptr ? std::nullopt : state.jobs.position(*job);
    return place ? text_answer(std::to_string(*place)) : text_answer("Job not found or already started\n", 410);
}

bool has_tags(const Job& job, const std::vector<std::string>& wanted, bool all) {
    if (wanted.empty()) return true;
    const auto tags = job.data.value("tags", std::vector<std::string>());
    const auto has = [&tags](const std::string& tag) { return std::find(tags.begin(), tags.end(), tag) != tags.end(); };
    return all ? std::all_of(wanted.begin(), wanted.end(), has) : std::any_of(wanted.begin(), wanted.end(), has);
}

bool has_state(const Job& job, const std::vector<std::string>& wanted) {
    if (wanted.empty()) return true;
    if (std::find(wanted.begin(), wanted.end(), "active") != wanted.end()) return !job.is_over();
    return std::find(wanted.begin(), wanted.end(), job.state) != wanted.end();
}

Response search(const State& state, const Call& call) {
    const auto tags = all_of(call.query, "tags");
    const auto states = all_of(call.query, "state");
    const auto match = first_of(call.query, "match").value_or("any");
    Json query = {{"tags", tags}, {"state", states}, {"match", match}};
    auto errors = schemas::job_search()(query);
    if (!errors.is_null()) return invalid("query", std::move(errors));
    auto found = Json::array();
    state.jobs.for_each([&](const Job& job) {
        if (!has_tags(job, tags, match == "all") || !has_state(job, states)) return;
        found.push_back({{"job_id", job.id}, {"created_at", zulu(job.created)}, {"job_state", job.state}});
    });
    return json_answer(found);
}

Response act(State& state, const Call& call) {
    if (!is_job_id(call.parts[0])) return text_answer("Invalid job id\n", 400);
    auto* job = state.jobs.find(call.parts[0]);
    if (job == nullptr || job->is_over()) return text_answer("The job is already completed or cancelled", 400);
    state.jobs.set_state(*job, "cancelled");
    return text_answer("OK");
}

Response events(State& state, const Call& call) {
    if (!is_job_id(call.parts[0])) return bad_job_id();
    const auto* job = state.jobs.find(call.parts[0]);
    if (job == nullptr) return problem(404, "Job not found");
    if (string_at(job->data, "job_status_webhook").empty()) return problem(500, "The job names no webhook");
    const auto status = state.settings.events_status;
    return status == 200 ? text_answer("OK") : problem(status, "Webhook set to fail by POST /control/settings");
}

}  // namespace

bool is_job_id(std::string_view text) {
    std::size_t digits = 0;
    for (const char c : text) {
        const bool hexadecimal = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (!hexadecimal && c != '-') return false;
        if (hexadecimal) ++digits;
    }
    return digits == 32;
}

Response bad_job_id() {
    return problem(400, "Invalid job_id specified");
}

void add_job_routes(Router& router, State& state) {
    router.add(
        {"POST", "/v1/job", submitters, [&state](const Call& call) { return submit(state, call); }, schemas::job()});
    router.add({"GET", "/v1/job", agents_only, [&state](const Call& call) { return take(state, call); }});
    router.add({"GET", "/v1/job/search", submitters, [&state](const Call& call) { return search(state, call); }});
    router.add({"GET", "/v1/job/{id}", submitters, [&state](const Call& call) { return get(state, call); }});
    router.add(
        {"GET", "/v1/job/{id}/position", submitters, [&state](const Call& call) { return position(state, call); }});
    router.add({"POST", "/v1/job/{id}/action", submitters, [&state](const Call& call) { return act(state, call); },
                schemas::action()});
    router.add({"POST", "/v1/job/{id}/events", agents_only, [&state](const Call& call) { return events(state, call); },
                schemas::events()});
}

}  // namespace trebuchet::labserver
