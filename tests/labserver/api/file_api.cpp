#include "tests/labserver/api/api.hpp"
#include "tests/labserver/net/multipart.hpp"

namespace trebuchet::labserver {
namespace {

Response bad_id() {
    return text_answer("Invalid job id\n", 400);
}

Response no_file() {
    return problem(400, "Expected multipart/form-data with the field 'file'");
}

std::optional<std::string_view> uploaded(const Call& call) {
    return multipart_field(call.request.header("content-type"), call.request.body, "file");
}

Response send(const ResultStore::Bytes& file) {
    if (file == nullptr) return no_content();
    Response response;
    response.content_type = "application/gzip";
    response.body = *file;
    return response;
}

Response post_artifact(State& state, const Call& call) {
    if (!is_job_id(call.parts[0])) return bad_id();
    const auto file = uploaded(call);
    if (!file) return no_file();
    state.results.set_file(call.parts[0], "artifact", std::string(*file), state.clock.wall_time());
    return text_answer("OK");
}

Response get_artifact(const State& state, const Call& call) {
    if (!is_job_id(call.parts[0])) return bad_id();
    auto response = send(state.results.file(call.parts[0], "artifact"));
    if (response.status == 200)
        response.headers.emplace_back("Content-Disposition", "inline; filename=artifact.tar.gz");
    return response;
}

Response post_attachments(State& state, const Call& call) {
    const auto& id = call.parts[0];
    if (!is_job_id(id)) return bad_id();
    auto* job = state.jobs.find(id);
    if (job == nullptr || job->state != "waiting") return text_answer("Job " + id + " is not valid\n", 422);
    const auto status = job->attachments_status();
    if (status.empty()) return text_answer("Job " + id + " not awaiting attachments\n", 422);
    if (status == "complete") return text_answer("OK");
    const auto file = uploaded(call);
    if (!file) return no_file();
    state.results.set_file(id, "attachments", std::string(*file), state.clock.wall_time());
    job->data["attachments_status"] = "complete";
    state.jobs.keep(*job);
    return text_answer("OK");
}

Response get_attachments(const State& state, const Call& call) {
    if (!is_job_id(call.parts[0])) return bad_id();
    return send(state.results.file(call.parts[0], "attachments"));
}

}  // namespace

void add_file_routes(Router& router, State& state) {
    const auto* attachments = "/v1/job/{id}/attachments";
    const auto* artifact = "/v1/result/{id}/artifact";
    router.add({"POST", attachments, submitters, [&state](const Call& call) { return post_attachments(state, call); }});
    router.add({"GET", attachments, agents_only, [&state](const Call& call) { return get_attachments(state, call); }});
    router.add({"POST", artifact, agents_only, [&state](const Call& call) { return post_artifact(state, call); }});
    router.add({"GET", artifact, submitters, [&state](const Call& call) { return get_artifact(state, call); }});
}

}  // namespace trebuchet::labserver
