#include "tests/integration/job/recorded_effects.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <regex>
#include <stdexcept>

namespace trebuchet::harness {
namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
    if (from.empty()) return;
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

/// Returns null for a request without an effect.
Json effect_of_post(const std::string& method, const std::string& target, int status, const Json& body) {
    if (method == "GET") return target.rfind("/v1/job?", 0) == 0 && status == 200 ? Json{"take_job"} : Json();
    if (target == "/v1/agents/data/$AGENT") {
        if (body.contains("state")) return {"agent_state", body["state"], body.value("comment", "")};
        return {"register", body};
    }
    if (target == "/v1/agents/queues") return {"queues", body};
    if (target == "/v1/agents/images") return {"images", body};
    if (target == "/v1/agents/provision_logs/$AGENT") return {"provision_log", body["exit_code"], body["detail"]};
    if (target == "/v1/job/$JOB/events") {
        const auto& last = body["events"].back();
        if (last["event_name"] == "secrets_masked") return {};  // the reference does not send it
        return {"event", last["event_name"], last["detail"]};
    }
    if (target == "/v1/result/$JOB") return {"result", body};
    if (target == "/v1/result/$JOB/log/serial") return {"serial", body["phase"], body["log_data"]};
    if (target == "/v1/result/$JOB/artifact") return Json::array({"artifact"});
    return {};
}

std::vector<Json> effects_of_request(const std::string& method, const std::string& target, int status,
                                     const Json& body) {
    std::vector<Json> effects;
    const bool names_job = method == "POST" && target == "/v1/agents/data/$AGENT" && body.contains("job_id");
    if (names_job) effects.push_back({"agent_job_id", body["job_id"]});
    if (auto effect = effect_of_post(method, target, status, body); !effect.is_null()) {
        effects.push_back(std::move(effect));
    }
    return effects;
}

bool continues(const Json& last, const Json& next) {
    return last[0] == "serial" && next[0] == "serial" && last[1] == next[1];
}

}  // namespace

Recording load_recording(const std::string& name) {
    const auto file = std::string(TREBUCHET_TESTDATA) + "/recorded/" + name + ".json";
    const auto whole = Json::parse(text_of(file), nullptr, false);
    if (!whole.is_object()) throw std::runtime_error(file + " is not a recording");
    return {whole["configuration"], whole["job"], whole["effects"], whole["output"]};
}

std::string generalized(std::string text, const Names& names) {
    replace_all(text, names.server, "$SERVER");
    replace_all(text, names.job, "$JOB");
    replace_all(text, names.agent, "$AGENT");
    static const std::regex mask(R"(\*\*[0-9a-f]{6}\*\*)");
    return std::regex_replace(text, mask, "(mask)");
}

std::vector<Json> effects_of(const Json& requests, const Names& names) {
    std::vector<Json> effects;
    for (const auto& request : requests) {
        if (request["agent"] != names.agent && request["client"] != "lab-agent") continue;
        const auto general = Json::parse(generalized(request.dump(), names));
        for (auto& effect : effects_of_request(general["method"], general["target"], general["status"],
                                               general.value("body", Json()))) {
            if (!effects.empty() && continues(effects.back(), effect)) {
                effects.back()[2] = effects.back()[2].get<std::string>() + effect[2].get<std::string>();
            } else {
                effects.push_back(std::move(effect));
            }
        }
    }
    return effects;
}

}  // namespace trebuchet::harness
