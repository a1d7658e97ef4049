#include "provision/connectors/control_host_service.hpp"

#include "common/base/text.hpp"
#include "provision/http/event_stream.hpp"
#include "provision/process/foreign_json.hpp"
#include "provision/script/stage_script.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <optional>
#include <utility>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr auto request_time = 30s;
constexpr auto upload_time = 5400s;
constexpr auto usual_silence = 5400s;
constexpr auto usual_limit = 14400s;
constexpr auto first_pause = 2s;
constexpr auto longest_pause = 30s;
constexpr int most_failures_in_a_row = 5;
constexpr std::size_t longest_message = 4096;

std::string reason_of(int status) {
    constexpr std::array<std::pair<int, const char*>, 10> reasons{{{400, "Bad Request"},
                                                                   {401, "Unauthorized"},
                                                                   {403, "Forbidden"},
                                                                   {404, "Not Found"},
                                                                   {409, "Conflict"},
                                                                   {422, "Unprocessable Entity"},
                                                                   {500, "Internal Server Error"},
                                                                   {502, "Bad Gateway"},
                                                                   {503, "Service Unavailable"},
                                                                   {504, "Gateway Timeout"}}};
    const auto* known = std::find_if(reasons.begin(), reasons.end(), [&](const auto& r) { return r.first == status; });
    return known == reasons.end() ? "" : std::string(": ") + known->second;
}

/// A field that holds text, as far as it fits into a message.
std::optional<std::string> text_of(const nlohmann::json& object, const char* name) {
    if (!object.is_object()) return std::nullopt;
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return std::nullopt;
    return to_valid_utf8(found->get<std::string>().substr(0, longest_message));
}

/// `detail` of an answer, if it is text. A list of it quotes the request, with its password.
std::string detail_of(const std::string& body) {
    const auto detail = text_of(parse_foreign_json(body), "detail");
    return detail ? "; it said: " + *detail : "";
}

tl::unexpected<StageError> http_error(int status, const std::string& url, const std::string& body) {
    return stage_error("HTTPError", std::to_string(status) + (status < 500 ? " Client Error" : " Server Error") +
                                        reason_of(status) + " for url: " + url + detail_of(body));
}

StageResult no_answer(const RestFailure& failure) {
    if (failure.signal != 0) return exit_by_signal(failure.signal);
    return stage_error("ConnectionError", "the service of the control host does not answer: " + failure.message);
}

/// A job's number becomes part of URLs.
bool is_job_id(const std::string& id) {
    const auto is_word = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    };
    return !id.empty() && id.size() <= 128 && id != "." && id != ".." && std::all_of(id.begin(), id.end(), is_word);
}

/// Follows one job of the service.
class ServiceJob {
  public:
    ServiceJob(std::string url, std::chrono::seconds silence, std::chrono::seconds limit, StageContext& context)
        : url_(std::move(url)), silence_(silence), end_(context.clock.now() + limit), context_(&context) {}

    StageResult wait() {
        auto pause = first_pause;
        while (true) {
            has_entry_ = false;
            if (auto ended = look()) return *ended;
            if (context_->clock.now() >= end_) return over_limit();
            if (const int signal = context_->interrupt.wait_for(pause); signal != 0) return exit_by_signal(signal);
            pause = has_entry_ ? first_pause : std::min<std::chrono::seconds>(2 * pause, longest_pause);
        }
    }

  private:
    /// The result once the job has ended, or cannot be followed any longer. A stream that broke may have ended with
    /// the job, so the status is asked for all the same.
    std::optional<StageResult> look() {
        const auto broken = follow();
        if (broken && broken->is_final) return broken->result;
        RestCall request;
        request.url = url_;
        request.timeout = request_time;
        const auto answer = call_rest(request, context_->commands);
        if (!answer) return failed(of(answer.error()));
        if (!answer->is_success()) return failed(of(answer->status, http_error(answer->status, url_, answer->body)));
        if (auto ended = end_of(answer->body)) return ended;
        if (broken) return failed(*broken);
        failures_ = 0;
        return std::nullopt;
    }

    struct Failure {
        StageResult result;
        bool is_final;  ///< it does not pass
    };
    static Failure of(const RestFailure& failure) {
        auto result = no_answer(failure);
        const bool is_signal = result.has_value();
        return {std::move(result), is_signal};
    }
    static Failure of(int status, StageResult result) { return {std::move(result), status < 500}; }

    /// Logs what the job says, until the stream ends.
    std::optional<Failure> follow() {
        using std::chrono::duration_cast;
        const auto left = duration_cast<std::chrono::seconds>(end_ - context_->clock.now());
        const StreamCall call{url_ + "/logs", last_id_, silence_, std::max(left, 1s)};
        const auto stream = follow_stream(
            call, [this](const StreamEvent& event) { take(event); }, context_->commands, context_->interrupt);
        if (!stream) return stream.error().is_silence ? silent() : of(stream.error());
        if (*stream >= 400) return of(*stream, http_error(*stream, call.url, ""));
        return std::nullopt;
    }

    [[nodiscard]] Failure silent() const {
        if (context_->clock.now() >= end_) return {over_limit(), true};
        return {stage_error("ReadTimeout", "the service of the control host said nothing about its job for " +
                                               std::to_string(silence_.count()) + " s"),
                true};
    }
    static StageResult over_limit() {
        return stage_error("TimeoutError",
                           "the control host did not provision the device within control_host_provision_timeout");
    }

    /// Some failures pass: then it is looked at again.
    std::optional<StageResult> failed(const Failure& failure) {
        if (failure.is_final || ++failures_ >= most_failures_in_a_row) return failure.result;
        context_->log.warning(failure.result.error().message + "; trying again");
        return std::nullopt;
    }

    std::optional<StageResult> end_of(const std::string& body) {
        const auto json = parse_foreign_json(body);
        if (!json.is_object()) {
            return failed(
                {stage_error("ProvisioningError", "the service's answer about its job is not a JSON object"), false});
        }
        const auto status = text_of(json, "status");
        if (status == "running") return std::nullopt;
        if (status == "completed") return 0;
        return provisioning_error(text_of(json, "error").value_or("Provisioning failed for unknown reason."));
    }

    void take(const StreamEvent& event) {
        const auto json = parse_foreign_json(event.data);
        const auto message = text_of(json, "message");
        if (!message) {
            return context_->log.warning("The control host sent an entry of its log that is none: " +
                                         trebuchet::quoted(event.data, 200));
        }
        has_entry_ = true;
        // A service that repeats its last entry gets no further.
        if (!event.id || *event.id != last_id_) failures_ = 0;
        if (event.id) last_id_ = *event.id;
        const auto text = "[control-host] " + *message;
        auto level = text_of(json, "level").value_or("INFO");
        for (auto& c : level) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        if (level == "ERROR" || level == "CRITICAL") return context_->log.error(text);
        if (level == "WARNING") return context_->log.warning(text);
        if (level != "DEBUG") context_->log.info(text);
    }

    std::string url_;
    std::chrono::seconds silence_;
    std::chrono::steady_clock::time_point end_;
    StageContext* context_;
    std::string last_id_;
    bool has_entry_ = false;
    int failures_ = 0;
};

SecretJson list_or_null(const std::vector<std::string>& items) {
    if (items.empty()) return nullptr;
    auto list = SecretJson::array();
    for (const auto& item : items) list.push_back(secret_text(item));
    return list;
}

/// The service's job, or the stage's end.
tl::expected<std::string, StageResult> post(const ServiceRequest& request, const std::string& url,
                                            StageContext& context) {
    SecretJson body = SecretJson::object();
    body["method"] = secret_text(request.method);
    body["args"] = SecretJson::array();
    body["kwargs"] = request.arguments;
    const auto text = body.dump(-1, ' ', false, SecretJson::error_handler_t::replace);
    RestCall call;
    call.method = "POST";
    call.url = url + (request.boot_binary.empty() ? "" : "/multipart");
    call.json = text;
    call.upload = request.boot_binary;
    call.upload_field = "boot_binary";
    if (!call.upload.empty()) call.json_field = "request";
    call.timeout = call.upload.empty() ? request_time : upload_time;
    const auto answer = call_rest(call, context.commands);
    if (!answer) return tl::unexpected(no_answer(answer.error()));
    if (!answer->is_success()) return tl::unexpected(StageResult(http_error(answer->status, call.url, answer->body)));
    const auto id = text_of(parse_foreign_json(answer->body), "job_id");
    if (id && is_job_id(*id)) return *id;
    return tl::unexpected(
        StageResult(provisioning_error("the service of the control host accepted the request, but "
                                       "its answer names no job_id")));
}

}  // namespace

SecretJson secret_text(std::string_view text) {
    return WipedString(text);
}

Result<void> add_device_arguments(const ConnectorConfig& config, SecretJson& arguments) {
    if (const auto missing = missing_for_service(config); !missing.empty()) return fail(missing.front());
    const auto id = config.env.find("CID");
    arguments["agent_name"] = secret_text(config.agent_name);
    arguments["cid"] = id == config.env.end() || id->second.empty() ? SecretJson(nullptr) : secret_text(id->second);
    arguments["device_ip"] = secret_text(config.device_ip);
    if (!arguments.contains("reboot_script")) arguments["reboot_script"] = list_or_null(config.reboot_script);
    if (!arguments.contains("poweron_script")) arguments["poweron_script"] = list_or_null(config.poweron_script);
    arguments["poweroff_script"] = list_or_null(config.poweroff_script);
    return {};
}

StageResult provision_by_service(const ServiceRequest& request, StageContext& context) {
    const auto limit = read_seconds(context.config, "control_host_provision_timeout", usual_limit);
    if (!limit) return stage_error("ConfigError", limit.error().message());
    const auto url = "http://" + context.config.control_host + ":8000/api/v1/provision";
    context.log.info("POST " + url + ": " + std::string(request.method));
    const auto id = post(request, url, context);
    if (!id) return id.error();
    const auto silence = request.silence == 0s ? usual_silence : request.silence;
    return ServiceJob(url + "/" + *id, silence, std::max(*limit, silence), context).wait();
}

Result<void> read_silence(ServiceRequest& request, const JobFile& job) {
    const auto value = job.provision_value("provisioning_timeout");
    if (!value) return fail(value.error());
    if (*value == nullptr) return {};
    constexpr std::int64_t day = 86'400;
    if (!(*value)->is_number_integer() || (*value)->get<std::int64_t>() < 0 || (*value)->get<std::int64_t>() > day) {
        return fail("provision_data.provisioning_timeout: expected a number of seconds, at most 86400");
    }
    request.silence = std::chrono::seconds((*value)->get<std::int64_t>());
    return {};
}

KeySpec silence_key() {
    return {"provisioning_timeout", KeyKind::seconds, "5400", "how long the service may say nothing"};
}

std::string provision_attachment() {
    std::error_code error;
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator("attachments/provision", error)) {
        std::error_code ignored;
        if (entry.is_regular_file(ignored) && !entry.is_symlink(ignored)) files.push_back(entry.path().string());
    }
    return files.empty() ? "" : *std::min_element(files.begin(), files.end());
}

std::vector<std::string> missing_for_service(const ConnectorConfig& config) {
    std::vector<std::string> found;
    if (config.control_host.empty()) found.emplace_back("control_host is missing: expected the host with the service");
    if (config.device_ip.empty()) found.emplace_back("device_ip is missing: expected the address of the device");
    if (config.agent_name.empty()) found.emplace_back("agent_name is missing: expected the name of the agent");
    if (config.reboot_script.empty()) {
        found.emplace_back("reboot_script is missing: expected the commands by which the service restarts the device");
    }
    return found;
}

std::vector<KeySpec> service_keys() {
    return {{"control_host_provision_timeout", KeyKind::seconds, "14400",
             "time limit of the provision by the control host's service"}};
}

}  // namespace trebuchet
