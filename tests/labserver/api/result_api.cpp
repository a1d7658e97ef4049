#include "tests/labserver/api/api.hpp"
#include "tests/labserver/api/api_schemas.hpp"
#include "tests/labserver/text/iso_time.hpp"

namespace trebuchet::labserver {
namespace {

bool is_log_type(const std::string& type) {
    return type == "output" || type == "serial";
}

Response no_such_log() {
    return text_answer("Not found: logs are 'output' and 'serial'\n", 404);
}

/// Follows Testflinger's open change #1253.
void clear_job_id(State& state, const std::string& job_id) {
    for (const auto& name : state.agents.names()) {
        if (string_at(state.agents.describe(name), "job_id") != job_id) continue;
        state.agents.update(name, {{"job_id", ""}}, state.clock.wall_time());
    }
}

Response post(State& state, const Call& call) {
    if (!is_job_id(call.parts[0])) return bad_job_id();
    auto* job = state.jobs.find(call.parts[0]);
    if (job == nullptr) return text_answer("OK");
    if (call.body.contains("status")) job->status = call.body["status"];
    if (call.body.contains("device_info")) job->device_info = call.body["device_info"];
    if (call.body.contains("job_state")) {
        state.jobs.set_state(*job, call.body["job_state"].get<std::string>());
        if (job->state == "complete" && !job->complete) job->complete = state.moment();
        if (job->is_over() && state.settings.agent_job_id) clear_job_id(state, job->id);
    }
    state.jobs.keep(*job);
    return text_answer("OK");
}

Response get(State& state, const Call& call) {
    if (!is_job_id(call.parts[0])) return bad_job_id();
    const auto* job = state.jobs.find(call.parts[0]);
    if (job == nullptr) return no_content();
    Json result = {{"job_state", job->state}};
    if (!job->device_info.is_null()) result["device_info"] = job->device_info;
    for (const auto view : phases) {
        const std::string phase(view);
        if (job->status.contains(phase)) result[phase + "_status"] = job->status[phase];
        for (const auto* type : {"output", "serial"}) {
            auto text = state.results.text(job->id, type, phase);
            if (!text.data.empty()) result[phase + "_" + type] = std::move(text.data);
        }
    }
    return json_answer(result);
}

/// Follows Testflinger's open change #1285.
Response get_status(State& state, const Call& call) {
    if (!state.settings.result_status) return text_answer("Not found\n", 404);
    if (!is_job_id(call.parts[0])) return bad_job_id();
    const auto* job = state.jobs.find(call.parts[0]);
    if (job == nullptr) return no_content();
    Json status = {{"job_state", job->state}};
    for (const auto& [phase, code] : job->status.items()) status[phase + "_status"] = code;
    return json_answer(status);
}

Response post_log(State& state, const Call& call) {
    if (!is_log_type(call.parts[1])) return no_such_log();
    if (!is_job_id(call.parts[0])) return bad_job_id();
    const auto time = parse_iso_time(call.body["timestamp"].get_ref<const std::string&>());
    state.results.add_fragment(call.parts[0], call.parts[1],
                               {call.body["fragment_number"].get<std::int64_t>(), *time,
                                call.body["phase"].get<std::string>(), call.body["log_data"].get<std::string>()},
                               state.clock.wall_time());
    return text_answer("OK");
}

Response get_log(const State& state, const Call& call) {
    if (!is_log_type(call.parts[1])) return no_such_log();
    if (!is_job_id(call.parts[0])) return bad_job_id();
    auto query = Json::object();
    for (const auto& [name, value] : call.query) query[name] = value;
    const auto errors = schemas::log_query()(query);
    if (!errors.is_null()) return problem(400, "Validation error", {{"query", errors}});

    const auto start = query.value("start_fragment", std::int64_t{0});
    const auto start_time = parse_iso_time(string_at(query, "start_timestamp"));
    const auto only = string_at(query, "phase");
    auto logs = Json::object();
    for (const auto phase : phases) {
        if (!only.empty() && only != phase) continue;
        auto text = state.results.text(call.parts[0], call.parts[1], phase, start, start_time);
        logs[std::string(phase)] = {{"last_fragment_number", text.last_fragment_number},
                                    {"log_data", std::move(text.data)}};
    }
    return json_answer({{call.parts[1], std::move(logs)}});
}

}  // namespace

void add_result_routes(Router& router, State& state) {
    const auto* log = "/v1/result/{id}/log/{type}";
    router.add({"POST", "/v1/result/{id}", agents_only, [&state](const Call& call) { return post(state, call); },
                schemas::result()});
    router.add({"GET", "/v1/result/{id}", all_roles, [&state](const Call& call) { return get(state, call); }});
    router.add(
        {"GET", "/v1/result/{id}/status", all_roles, [&state](const Call& call) { return get_status(state, call); }});
    router.add({"POST", log, agents_only, [&state](const Call& call) { return post_log(state, call); },
                schemas::log_fragment()});
    router.add({"GET", log, submitters, [&state](const Call& call) { return get_log(state, call); }});
}

}  // namespace trebuchet::labserver
