#include "tests/labserver/control/control_api.hpp"

#include "tests/labserver/api/api.hpp"
#include "tests/labserver/api/api_schemas.hpp"

#include <charconv>

namespace trebuchet::labserver {
namespace {

using enum Presence;

/// Longer than any lifetime here, and far from overflowing a time point.
constexpr std::int64_t furthest_advance = 10LL * 365 * 24 * 3600;

double seconds(const Moment& moment) {
    const auto since_epoch = std::chrono::duration_cast<std::chrono::microseconds>(moment.wall.time_since_epoch());
    return static_cast<double>(since_epoch.count()) / 1e6;
}

double milliseconds_between(const Moment& from, const Moment& to) {
    const auto between = std::chrono::duration_cast<std::chrono::microseconds>(to.steady - from.steady);
    return static_cast<double>(between.count()) / 1e3;
}

Response requests(const Recorder& recorder, const Call& call) {
    const auto since = first_of(call.query, "since").value_or("0");
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(since.data(), since.data() + since.size(), number);
    if (error != std::errc() || end != since.data() + since.size())
        return problem(422, "since: expected a request's number");
    return json_answer(recorder.since(number));
}

Response forget_requests(Recorder& recorder) {
    recorder.clear();
    return json_answer({{"last", recorder.last_number()}});
}

Response add_clients(State& state, const Call& call) {
    const auto added = state.clients.add(call.body);
    return added ? json_answer({{"clients", *added}}) : problem(422, added.error().message());
}

Response issue_tokens(State& state, const Call& call) {
    const auto id = string_at(call.body, "client_id");
    const auto* client = state.clients.find(id);
    if (client == nullptr) return problem(404, "There is no client '" + id + "': add it with POST /control/clients");
    return json_answer(
        {{"access_token", state.tokens.issue_access(*client)}, {"refresh_token", state.tokens.issue_refresh(id)}});
}

Response advance_clock(State& state, const Call& call) {
    const auto by = call.body["advance_seconds"].get<std::int64_t>();
    if (by > furthest_advance - state.clock.shift().count()) return problem(422, "advance_seconds: ten years at most");
    state.clock.advance(std::chrono::seconds(by));
    return json_answer({{"now", iso8601(state.clock.wall_time())}, {"ahead_seconds", state.clock.shift().count()}});
}

Response set_agent(State& state, const Call& call) {
    auto fields = call.body;
    const auto restricted_to = fields.value("restricted_to", Json::object());
    fields.erase("restricted_to");
    for (const auto& [queue, owners] : restricted_to.items()) {
        if (owners.empty()) {
            state.clients.release(queue);
        } else {
            state.clients.restrict_to(queue, owners.get<std::set<std::string>>());
        }
    }
    const bool no_mode = fields.contains("mode") && fields["mode"].is_null();
    if (no_mode) fields.erase("mode");
    state.agents.update(call.parts[0], fields, state.clock.wall_time());
    if (no_mode) state.agents.erase_field(call.parts[0], "mode");
    return json_answer(describe_agent(state, call.parts[0]));
}

Response set_settings(State& state, const Call& call) {
    auto& settings = state.settings;
    settings.events_status = call.body.value("events_status", settings.events_status);
    settings.anonymous = call.body.value("anonymous", settings.anonymous);
    settings.secrets_store = call.body.value("secrets_store", settings.secrets_store);
    settings.result_status = call.body.value("result_status", settings.result_status);
    settings.agent_job_id = call.body.value("agent_job_id", settings.agent_job_id);
    return json_answer({{"events_status", settings.events_status},
                        {"anonymous", settings.anonymous},
                        {"secrets_store", settings.secrets_store},
                        {"result_status", settings.result_status},
                        {"agent_job_id", settings.agent_job_id}});
}

Response timings(State& state, const Call& call) {
    const auto* job = state.jobs.find(call.parts[0]);
    if (job == nullptr) return problem(404, "Job not found");
    auto answer = Json::object();
    if (job->posted) answer["posted"] = seconds(*job->posted);
    if (job->taken) answer["taken"] = seconds(*job->taken);
    if (job->complete) answer["complete"] = seconds(*job->complete);
    if (job->posted && job->taken) answer["posted_to_taken_ms"] = milliseconds_between(*job->posted, *job->taken);
    if (job->taken && job->complete) answer["taken_to_complete_ms"] = milliseconds_between(*job->taken, *job->complete);
    return json_answer(answer);
}

Check events_status() {
    return [](Json& value) {
        auto errors = integer(200)(value);
        if (errors.is_null() && value.get<std::int64_t>() > 599) errors = Json::array({"Must be 599 at most."});
        return errors;
    };
}

}  // namespace

Route only_from_here(Route route) {
    route.answer = [inner = std::move(route.answer), check = std::move(route.body)](const Call& call) {
        if (!call.request.from_loopback) return problem(403, "The control API is for this machine only");
        if (!check) return inner(call);
        if (!call.request.says_json()) return problem(415, "Expected Content-Type: application/json");
        auto body = parse_json(call.request.body);
        if (!body) return problem(400, body.error().message());
        auto errors = check(*body);
        if (!errors.is_null()) return invalid("json", std::move(errors));
        return inner({call.request, call.parts, call.query, call.caller, std::move(*body)});
    };
    route.body = {};
    return route;
}

void add_control_routes(Router& router, State& state, Recorder& recorder) {
    const auto add = [&router](Route route) { router.add(only_from_here(std::move(route))); };
    add({"GET", "/control/requests", {}, [&recorder](const Call& call) { return requests(recorder, call); }});
    add({"DELETE", "/control/requests", {}, [&recorder](const Call&) { return forget_requests(recorder); }});
    add({"POST", "/control/clients", {}, [&state](const Call& call) { return add_clients(state, call); }, mapping()});
    add({"POST",
         "/control/tokens",
         {},
         [&state](const Call& call) { return issue_tokens(state, call); },
         object({{"client_id", text(1), required}})});
    add({"POST", "/control/keys/rotate", {}, [&state](const Call&) {
             state.tokens.rotate_key();
             return json_answer({{"status", "OK"}});
         }});
    add({"POST",
         "/control/clock",
         {},
         [&state](const Call& call) { return advance_clock(state, call); },
         object({{"advance_seconds", integer(0), required}})});
    add({"POST",
         "/control/agents/{agent}",
         {},
         [&state](const Call& call) { return set_agent(state, call); },
         object({{"state", text()},
                 {"comment", text()},
                 {"mode", one_of({"online", "maintenance", "offline", "restart"}), optional, Null::accepted},
                 {"restricted_to", mapping({}, list_of(text()))}})});
    add({"POST",
         "/control/settings",
         {},
         [&state](const Call& call) { return set_settings(state, call); },
         object({{"events_status", events_status()},
                 {"anonymous", boolean()},
                 {"secrets_store", boolean()},
                 {"result_status", boolean()},
                 {"agent_job_id", boolean()}})});
    add({"GET", "/control/timings/{id}", {}, [&state](const Call& call) { return timings(state, call); }});
}

}  // namespace trebuchet::labserver
