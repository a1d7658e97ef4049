#include "agent/api/http_job_server.hpp"

#include "agent/api/answer.hpp"
#include "agent/api/call_policy.hpp"
#include "common/base/json_text_scan.hpp"
#include "common/base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;

/// How long take_job waits after stop_now(): the server may already have taken a job off its queue, and nobody else
/// would run it.
constexpr std::chrono::seconds take_job_grace{5};
/// Maximum size of a job's document in bytes, with its commands, secrets and attachment names.
constexpr std::size_t job_limit = 16U << 20;
/// How much of a result to read at first; multiplied until `job_state` is found. The server sorts the keys: only
/// device_info and the logs of allocate, cleanup and firmware_update come before it.
constexpr std::size_t state_prefix = 65536;
constexpr std::size_t reach_factor = 8;
constexpr std::size_t longest_reach = std::size_t{2} << 30;

/// A server that lacks a call may be updated. A proxy answers 404, too, while the server is down.
constexpr std::chrono::hours status_lack_remembered{1};

constexpr std::size_t log_limit = std::size_t{16} << 30;
constexpr std::size_t attachments_limit = std::size_t{4} << 30;

/// An unknown job ID, which the server answers with 204.
constexpr const char* no_job = "00000000-0000-4000-8000-000000000000";

HttpRequest request_of(Call call, HttpRequest::Method method, std::string target) {
    HttpRequest request;
    request.method = method;
    request.target = std::move(target);
    request.timeout = policy_of(call).timeout;
    request.once = policy_of(call).once;
    return request;
}

HttpRequest get(Call call, std::string target) {
    return request_of(call, HttpRequest::Method::get, std::move(target));
}

HttpRequest post(Call call, std::string target, const json& body) {
    auto request = request_of(call, HttpRequest::Method::post, std::move(target));
    request.content_type = "application/json";
    request.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
    return request;
}

std::string string_or_empty(const json& object, const char* key) {
    const auto entry = object.find(key);
    return entry != object.end() && entry->is_string() ? entry->get<std::string>() : "";
}

class HttpJobServer final : public JobServer {
  public:
    HttpJobServer(const Config& config, ApiClient& api) : config_(config), api_(api) {}

    Result<void> register_agent() override {
        json data{
            {"location", config_.location}, {"queues", config_.job_queues}, {"provision_type", config_.provision_type}};
        if (!config_.identifier.empty()) data["identifier"] = config_.identifier;
        return expect_success(post(Call::introduce, agent_target(), data));
    }

    Result<void> advertise() override {
        if (!config_.advertised_queues.empty()) {
            if (auto done = expect_success(post(Call::introduce, "/v1/agents/queues", config_.advertised_queues));
                !done)
                return done;
        }
        if (config_.advertised_images.empty()) return {};
        return expect_success(post(Call::introduce, "/v1/agents/images", config_.advertised_images));
    }

    Result<void> post_agent_state(const AgentPost& what) override { return expect_success(agent_request(what)); }

    void post_agent_state(const AgentPost& what, std::function<void(Result<void>)> done) override {
        send(agent_request(what), std::move(done));
    }

    Result<AgentRecord> read_agent() override {
        const auto request = get(Call::read_agent, agent_target());
        return record_in(request, api_.call(request));
    }

    void read_agent(std::function<void(Result<AgentRecord>)> done) override {
        const auto request = get(Call::read_agent, agent_target());
        api_.send(request, [this, request, done = std::move(done)](const HttpResult& answer) {
            done(record_in(request, answer));
        });
    }

    Result<std::optional<TakenJob>> take_job(const std::vector<std::string>& queues) override {
        std::string target = "/v1/job";
        for (const auto& queue : queues) target += (target.size() == 7 ? "?queue=" : "&queue=") + url_encoded(queue);
        state_reach_ = state_prefix;
        auto request = get(Call::take_job, target);
        request.response_limit = job_limit;
        request.fresh_connection = !config_.server_address.starts_with("https://");
        request.after_interim = result_target(no_job);
        // A job that is too long cannot run, but its ID is needed to report the failure.
        const auto scan = std::make_shared<JsonTextScan>("job_id", 128);
        request.on_overflow = [scan](std::string_view piece) { scan->feed(piece); };
        auto answer = api_.call_to_its_end(request, take_job_grace);
        if (!answer) return fail(answer.error().message);
        if (answer->status == 204 && answer->followed_interim) {
            return fail(
                "the server's answer to GET /v1/job was lost after an interim answer (1xx), and with it a job, if "
                "there was one");
        }
        if (answer->status == 204) return std::optional<TakenJob>();
        if (answer->status != 200) return fail(refusal(name_of_call(request), *answer));
        if (answer->cut) return std::optional<TakenJob>(TooLongJob{scan->value().value_or(""), job_limit});
        return std::optional<TakenJob>(std::move(answer->body));
    }

    [[nodiscard]] bool job_state_is_cheap() const override { return api_.clock().now() >= lacks_status_until_; }

    Result<JobState> read_job_state(const std::string& job_id) override {
        while (true) {
            const auto question = state_question(job_id);
            if (auto state = read_state(question, api_.call(question.request))) return *state;
        }
    }

    void read_job_state(const std::string& job_id, std::function<void(Result<JobState>)> done) override {
        const auto question = state_question(job_id);
        api_.send(question.request, [this, job_id, question, done = std::move(done)](const HttpResult& answer) {
            if (auto state = read_state(question, answer)) return done(*state);
            read_job_state(job_id, done);
        });
    }

    Result<void> post_job_state(const std::string& job_id, JobState state, const PhaseStatus* status) override {
        json body{{"job_state", name_of(state)}};
        if (status != nullptr) body["status"] = status_json(*status);
        return expect_success(post(Call::post_progress, result_target(job_id), body));
    }

    Result<void> post_status(const std::string& job_id, const PhaseStatus& status) override {
        return expect_success(post(Call::post_progress, result_target(job_id), {{"status", status_json(status)}}));
    }

    Result<void> post_outcome(const std::string& job_id, const PhaseStatus& status, JobState state) override {
        return expect_success(post(Call::post_outcome, result_target(job_id),
                                   {{"status", status_json(status)}, {"job_state", name_of(state)}}));
    }

    void post_outcome(const std::string& job_id, const PhaseStatus& status, JobState state,
                      std::function<void(Result<void>)> done) override {
        send(post(Call::post_outcome, result_target(job_id),
                  {{"status", status_json(status)}, {"job_state", name_of(state)}}),
             std::move(done));
    }

    Result<void> post_device_info(const std::string& job_id, const MaskedJson& info) override {
        return expect_success(post(Call::post_progress, result_target(job_id), {{"device_info", info.value()}}));
    }

    Result<void> post_events(const std::string& job_id, const std::string& queue, const std::string& webhook,
                             const std::vector<JobEvent>& events) override {
        json list = json::array();
        for (const auto& event : events) {
            list.push_back(
                {{"event_name", event.name}, {"timestamp", event.timestamp}, {"detail", event.detail.bytes()}});
        }
        auto request = post(Call::post_events, "/v1/job/" + url_encoded(job_id) + "/events",
                            {{"agent_id", config_.agent_id},
                             {"job_queue", queue},
                             {"job_status_webhook", webhook},
                             {"events", std::move(list)}});
        return expect_success(std::move(request));
    }

    void post_provision_log(const std::string& job_id, int exit_code, const MaskedChunk& detail,
                            std::function<void(Result<void>)> done) override {
        send(post(Call::post_provision_log, "/v1/agents/provision_logs/" + url_encoded(config_.agent_id),
                  {{"job_id", job_id}, {"exit_code", exit_code}, {"detail", detail.bytes()}}),
             std::move(done));
    }

    Result<void> fetch_attachments(const std::string& job_id, const std::filesystem::path& file) override {
        auto request = get(Call::fetch_attachments, "/v1/job/" + url_encoded(job_id) + "/attachments");
        request.answer_file = file;
        request.response_limit = attachments_limit;
        const auto answer = api_.transfer(request);
        if (!answer) return fail(answer.error().message);
        if (answer->status != 200) return fail(refusal(name_of_call(request), *answer));
        return {};
    }

    void stop_now() override { api_.stop_now(); }
    void stop_transfer() override { api_.stop_transfer(); }

    void post_log(const std::string& job_id, const LogFragment& fragment,
                  std::function<void(LogAnswer)> done) override {
        json body{{"fragment_number", fragment.number},
                  {"timestamp", fragment.timestamp},
                  {"phase", name_of(fragment.phase)}};
        body["log_data"] = to_valid_utf8(fragment.text.bytes());
        auto request =
            post(Call::post_log,
                 result_target(job_id) + (fragment.series == LogSeries::output ? "/log/output" : "/log/serial"), body);
        const auto call = name_of_call(request);
        const LogName name{job_id, fragment.series};
        ++log_posts_[name].under_way;
        api_.send(std::move(request), [this, name, call, done = std::move(done)](const HttpResult& answer) {
            end_log_post(name);
            done(arrival_of(call, answer));
        });
    }

    void read_log(const std::string& job_id, LogSeries series, Phase phase, std::size_t tail_limit,
                  std::function<void(tl::expected<ShownLog, LogReadFailure>)> done) override {
        auto read = [this, job_id, series, phase, tail_limit, done = std::move(done)] {
            read_log_now(job_id, series, phase, tail_limit, done);
        };
        const auto posts = log_posts_.find({job_id, series});
        if (posts == log_posts_.end()) return read();
        posts->second.waiting.push_back(std::move(read));
    }

    Result<void> post_artifacts(const std::string& job_id, const std::filesystem::path& archive) override {
        auto request = artifacts_request(job_id, archive);
        const auto shown = name_of_call(request);
        return success_of(shown, api_.transfer(std::move(request)));
    }

    void post_artifacts(const std::string& job_id, const std::filesystem::path& archive,
                        std::function<void(Result<void>)> done) override {
        send(artifacts_request(job_id, archive), std::move(done));
    }

  private:
    using LogName = std::pair<std::string, LogSeries>;  ///< job ID and series
    /// Running posts of a log, even if nobody waits for their answers, and readers that must wait for them.
    struct LogPosts {
        int under_way = 0;
        std::vector<std::function<void()>> waiting;
    };

    void end_log_post(const LogName& name) {
        const auto posts = log_posts_.find(name);
        if (--posts->second.under_way > 0) return;
        const auto waiting = std::move(posts->second.waiting);
        log_posts_.erase(posts);
        for (const auto& read : waiting) read();
    }

    void read_log_now(const std::string& job_id, LogSeries series, Phase phase, std::size_t tail_limit,
                      const std::function<void(tl::expected<ShownLog, LogReadFailure>)>& done) {
        auto request = get(Call::read_log, result_target(job_id));
        request.fresh_connection = true;
        request.response_limit = 0;  // the scan reads the whole answer
        request.overflow_limit = log_limit;
        const auto key = std::string(name_of(phase)) + (series == LogSeries::output ? "_output" : "_serial");
        const auto scan = std::make_shared<JsonTextScan>(key, tail_limit);
        request.on_overflow = [scan](std::string_view piece) { scan->feed(piece); };
        const auto call = name_of_call(request);
        api_.send(std::move(request), [call, scan, done](const HttpResult& answer) {
            if (!answer) return done(tl::unexpected(LogReadFailure{true, answer.error().message}));
            if (answer->status == 204) return done(ShownLog{});
            if (answer->status != 200) {
                return done(tl::unexpected(LogReadFailure{answer->status >= 500, refusal(call, *answer).message()}));
            }
            if (!scan->is_complete()) {
                return done(tl::unexpected(LogReadFailure{true, "the server's answer to " + call + " is cut off"}));
            }
            done(ShownLog{scan->length(), std::string(scan->tail())});
        });
    }

    static HttpRequest artifacts_request(const std::string& job_id, const std::filesystem::path& archive) {
        std::random_device random;
        const auto boundary = "trebuchet" + std::to_string(random()) + std::to_string(random());
        auto request = request_of(Call::post_artifacts, HttpRequest::Method::post, result_target(job_id) + "/artifact");
        request.content_type = "multipart/form-data; boundary=" + boundary;
        request.file =
            FileBody{"--" + boundary +
                         "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"artifacts.tar.gz\"\r\n"
                         "Content-Type: application/x-gzip\r\n\r\n",
                     archive, "\r\n--" + boundary + "--\r\n"};
        return request;
    }

    void send(HttpRequest request, std::function<void(Result<void>)> done) {
        const auto shown = name_of_call(request);
        api_.send(std::move(request),
                  [shown, done = std::move(done)](const HttpResult& answer) { done(success_of(shown, answer)); });
    }

    [[nodiscard]] Result<AgentRecord> record_in(const HttpRequest& request, const HttpResult& answer) const {
        if (!answer) return fail(answer.error().message);
        if (answer->status == 404) return AgentRecord{};
        if (answer->status != 200) return fail(refusal(name_of_call(request), *answer));
        const auto data = json::parse(answer->body, nullptr, false);
        if (!data.is_object()) return fail("the server's answer to GET " + agent_target() + " is not a JSON object");
        AgentRecord record;
        record.state = string_or_empty(data, "state");
        record.comment = string_or_empty(data, "comment");
        record.job_id = string_or_empty(data, "job_id");
        record.mode = string_or_empty(data, "mode");
        record.updated_at = parse_iso8601(string_or_empty(data, "updated_at"));
        if (const auto restricted = data.find("restricted_to"); restricted != data.end() && restricted->is_object()) {
            for (const auto& [queue, owners] : restricted->items()) {
                auto& names = record.restricted_to[queue];
                for (const auto& owner : owners) {
                    if (owner.is_string()) names.push_back(owner.get<std::string>());
                }
            }
        }
        return record;
    }

    [[nodiscard]] HttpRequest agent_request(const AgentPost& what) const {
        json body{{"state", what.state}, {"comment", what.comment}};
        if (what.job_id) body["job_id"] = *what.job_id;
        return post(Call::post_progress, agent_target(), body);
    }

    [[nodiscard]] std::string agent_target() const { return "/v1/agents/data/" + url_encoded(config_.agent_id); }
    static std::string result_target(const std::string& job_id) { return "/v1/result/" + url_encoded(job_id); }

    struct StateQuestion {
        HttpRequest request;
        std::shared_ptr<JsonTextScan> scan;  ///< for an answer longer than state_prefix
        std::size_t reach;                   ///< how much of it to read
        bool is_of_status;                   ///< GET /v1/result/<job>/status
    };

    [[nodiscard]] StateQuestion state_question(const std::string& job_id) const {
        const bool is_of_status = job_state_is_cheap();
        auto request = get(Call::read_job_state, result_target(job_id) + (is_of_status ? "/status" : ""));
        request.response_limit = state_prefix;
        request.cut_response = true;
        request.overflow_limit = state_reach_ - state_prefix;
        auto scan = std::make_shared<JsonTextScan>("job_state", 128);
        request.on_overflow = [scan](std::string_view piece) { scan->feed(piece); };
        return {std::move(request), std::move(scan), state_reach_, is_of_status};
    }

    /// nullopt if it must be asked again, in another way or for more.
    std::optional<Result<JobState>> read_state(const StateQuestion& question, const HttpResult& answer) {
        if (!answer) return fail(answer.error().message);
        if (answer->status == 204) return JobState::unknown;
        if (answer->status == 404 && question.is_of_status) {
            lacks_status_until_ = api_.clock().now() + status_lack_remembered;
            return std::nullopt;
        }
        if (answer->status != 200) return fail(refusal(name_of_call(question.request), *answer));
        if (!answer->cut) return job_state_named(find_job_state(answer->body));
        if (const auto state = question.scan->value()) return job_state_named(*state);
        if (question.scan->is_complete()) return JobState::unknown;
        if (question.reach >= longest_reach)
            return fail("the job's state is not in the part of its result that was read");
        state_reach_ = std::max(state_reach_, question.reach * reach_factor);
        return std::nullopt;
    }

    static LogAnswer arrival_of(const std::string& call, const HttpResult& answer) {
        if (!answer) {
            const auto kind = answer.error().kind;
            const bool was_sent = kind != HttpFailure::Kind::unreachable && kind != HttpFailure::Kind::tls;
            return {was_sent ? Arrival::unknown : Arrival::refused, answer.error().message};
        }
        if (answer->status >= 200 && answer->status < 300) return {Arrival::confirmed, ""};
        const auto problem = refusal(call, *answer);
        if (problem.is_final()) return {Arrival::invalid, problem.message()};
        return {answer->status >= 500 ? Arrival::unknown : Arrival::refused, problem.message()};
    }

    static Result<void> success_of(const std::string& call, const HttpResult& answer) {
        if (!answer) return fail(answer.error().message);
        if (answer->status < 200 || answer->status > 299) return fail(refusal(call, *answer));
        return {};
    }

    Result<void> expect_success(HttpRequest request) {
        const auto shown = name_of_call(request);
        return success_of(shown, api_.call(std::move(request)));
    }

    const Config& config_;
    ApiClient& api_;
    std::size_t state_reach_ = state_prefix;                      ///< for the current job
    std::chrono::steady_clock::time_point lacks_status_until_{};  ///< the server lacks GET /v1/result/<job>/status
    std::map<LogName, LogPosts> log_posts_;
};

}  // namespace

std::unique_ptr<JobServer> make_http_job_server(const Config& config, ApiClient& api) {
    return std::make_unique<HttpJobServer>(config, api);
}

std::string find_job_state(std::string_view document) {
    JsonTextScan scan("job_state", 128);
    scan.feed(document);
    return scan.value().value_or("");
}

std::string url_encoded(std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x80 && std::isalnum(byte) != 0) || std::string_view("-._~").find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4U];
            out += digits[byte & 15U];
        }
    }
    return out;
}

}  // namespace trebuchet
