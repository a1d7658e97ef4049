#include "provision/multi/child_server.hpp"

#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "provision/multi/child_list.hpp"
#include "provision/process/curl_config.hpp"
#include "provision/process/foreign_json.hpp"

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_key = 4096;
constexpr std::size_t max_shown = 2000;
constexpr auto upload_time = 1800s;

std::string scalar(const ConnectorConfig& config, const char* key) {
    const auto found = config.scalars.find(key);
    return found == config.scalars.end() ? std::string() : found->second;
}

/// A text field of a JSON object; "" if there is none.
std::string field_of(const nlohmann::json& object, const char* name) {
    if (!object.is_object()) return {};
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string status_text(const RestAnswer& answer) {
    return "Received status code " + std::to_string(answer.status) + " from server.";
}

tl::unexpected<StageError> creation_error(std::string message, std::string cause) {
    return tl::unexpected(StageError{"ProvisioningError", std::move(message), std::move(cause), 1});
}

}  // namespace

Result<ChildServer> ChildServer::of(StageContext& context, CommandRunner& commands) {
    auto url = scalar(context.config, "testflinger_server");
    if (!url.starts_with("http://") && !url.starts_with("https://")) {
        return fail("Config item testflinger_server URL for multi-device connectors must be specified");
    }
    while (url.ends_with('/')) url.pop_back();
    ChildServer server(std::move(url), context, commands);
    server.client_id_ = scalar(context.config, "client_id");
    server.secret_key_file_ = scalar(context.config, "secret_key_file");
    if (server.client_id_.empty() != server.secret_key_file_.empty()) {
        return fail("client_id and secret_key_file belong together: found only one of them");
    }
    return server;
}

tl::expected<void, RestFailure> ChildServer::log_in() {
    const auto key = read_secret_file(secret_key_file_, max_key);
    if (!key) return tl::unexpected(RestFailure{"secret_key_file: " + key.error().message(), 0});
    WipedString user(client_id_);
    user += ':';
    user += key->reveal();
    RestCall call;
    call.method = "POST";
    call.url = url_ + "/v1/oauth2/token";
    call.user = user;
    auto answer = call_rest(call, *commands_);
    if (!answer) return tl::unexpected(answer.error());
    auto token = field_of(parse_foreign_json(answer->body), "access_token");
    wipe(answer->body.data(), answer->body.size());
    if (!answer->is_success() || token.empty()) {
        return tl::unexpected(RestFailure{"the server refuses the credentials of client_id " +
                                              trebuchet::quoted(client_id_) + ": status " +
                                              std::to_string(answer->status),
                                          0});
    }
    token_ = SecretString(token);
    wipe(token.data(), token.size());
    return {};
}

tl::expected<RestAnswer, RestFailure> ChildServer::call(RestCall call) {
    if (client_id_.empty()) return call_rest(call, *commands_);
    const bool is_new = token_.empty();
    if (is_new) {
        if (auto done = log_in(); !done) return tl::unexpected(done.error());
    }
    call.bearer = token_.reveal();
    auto answer = call_rest(call, *commands_);
    if (is_new || !answer || (answer->status != 401 && answer->status != 403)) return answer;
    if (auto done = log_in(); !done) return tl::unexpected(done.error());
    call.bearer = token_.reveal();
    return call_rest(call, *commands_);
}

tl::expected<std::string, StageError> ChildServer::submit(std::string_view job) {
    RestCall post;
    post.method = "POST";
    post.url = url_ + "/v1/job";
    post.json = job;
    const auto answer = call(std::move(post));
    const auto& log = context_->log;
    if (!answer) {
        if (answer.error().signal == 0) {
            log.error("An error occurred while creating the job: " + answer.error().message);
        }
        return creation_error("An error occurred while creating the job", answer.error().message);
    }
    const auto body = to_valid_utf8(std::string_view(answer->body).substr(0, max_shown));
    if (!answer->is_success()) {
        log.error(status_text(*answer));
        return creation_error("Unable to create job: " + body,
                              "status " + std::to_string(answer->status) + " of " + redacted_url(url_ + "/v1/job"));
    }
    auto id = field_of(parse_foreign_json(answer->body), "job_id");
    if (is_job_id(id)) return id;
    return creation_error("Unable to create job: the server's answer names no job_id: " + body, "no job_id");
}

tl::expected<void, StageError> ChildServer::send_attachments(const std::string& id, const std::string& archive) {
    RestCall post;
    post.method = "POST";
    post.url = url_ + "/v1/job/" + id + "/attachments";
    post.upload = archive;
    post.timeout = upload_time;
    const auto answer = call(std::move(post));
    if (!answer) return creation_error("Unable to send the attachments of job " + id, answer.error().message);
    if (answer->is_success()) return {};
    return creation_error("Unable to send the attachments of job " + id,
                          "status " + std::to_string(answer->status) + ": " +
                              to_valid_utf8(std::string_view(answer->body).substr(0, max_shown)));
}

nlohmann::json ChildServer::result(const std::string& id) {
    RestCall get;
    get.url = url_ + "/v1/result/" + id;
    const auto answer = call(std::move(get));
    if (!answer) {
        if (answer.error().signal == 0)
            context_->log.error("Unable to communicate with specified server: " + answer.error().message);
        return nullptr;
    }
    if (!answer->is_success()) {
        context_->log.error(status_text(*answer));
        return nullptr;
    }
    auto result = parse_foreign_json(answer->body);
    return result.is_object() ? result : nlohmann::json();
}

void ChildServer::cancel(const std::string& id) {
    RestCall post;
    post.method = "POST";
    post.url = url_ + "/v1/job/" + id + "/action";
    post.json = R"({"action": "cancel"})";
    const auto answer = call(std::move(post));
    constexpr int has_ended = 400;
    if (answer && (answer->is_success() || answer->status == has_ended)) return;
    context_->log.error("Unable to cancel job: " + id + ": " +
                        (answer ? status_text(*answer) : answer.error().message));
}

}  // namespace trebuchet
