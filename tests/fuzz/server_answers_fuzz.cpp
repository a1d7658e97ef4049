#include "agent/api/http_job_server.hpp"
#include "common/log/log.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/fuzz/require.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

using trebuchet::require;

namespace {

using nlohmann::json;

constexpr std::size_t message_limit = 2000;

bool is_one_line(std::string_view text) {
    return text.find_first_of("\r\n") == std::string_view::npos;
}

/// The fake server's answer: statuses, cookie and body. A body of 30 bytes or more may be declared too long: then only
/// its first half arrives, and a caller that asks for the overflow gets the body in pieces.
struct Answers {
    int status = 200;
    int token_status = 200;
    bool is_cut = false;
    std::string cookie;
    std::string body;

    [[nodiscard]] trebuchet::HttpResult to(const trebuchet::HttpRequest& request) const {
        require(is_one_line(request.target) && request.target.find(' ') == std::string::npos, "a target is one word");
        for (const auto& [name, value] : request.headers) require(is_one_line(value), "a header is one line");
        trebuchet::HttpResponse response;
        response.status = request.target.starts_with("/v1/oauth2/") ? token_status : status;
        if (!cookie.empty()) response.cookies.push_back(cookie);
        response.body = body;
        if (is_cut && request.on_overflow) {
            const std::string_view whole = body;
            for (std::size_t at = 0; at < whole.size(); at += 10) request.on_overflow(whole.substr(at, 10));
        }
        if (is_cut && (request.on_overflow || request.cut_response)) {
            response.cut = true;
            response.body.resize(response.body.size() / 2);
        }
        return response;
    }
};

/// The input: three bytes of choices, the cookie up to a line break, the body.
Answers read_input(std::string_view input) {
    static constexpr std::array statuses{200, 204, 401, 403, 404, 500, 0, 422};
    Answers answers;
    const auto next = [&input]() -> unsigned {
        if (input.empty()) return 0;
        const auto byte = static_cast<unsigned char>(input.front());
        input.remove_prefix(1);
        return byte;
    };
    answers.status = statuses.at(next() & 7U);
    answers.token_status = statuses.at(next() & 7U);
    answers.is_cut = (next() & 1U) != 0;
    const auto end = std::min(input.find('\n'), input.size());
    answers.cookie = input.substr(0, end);
    answers.body = input.substr(std::min(end + 1, input.size()));
    return answers;
}

template <typename T>
void require_clean_failure(const trebuchet::Result<T>& result) {
    if (result) return;
    const auto& message = result.error().message();
    require(message.find_first_of(std::string_view("\n\r\0\x1b", 4)) == std::string::npos,
            "a message is one line without control characters");
    require(message.size() <= message_limit, "a message is short");
}

void require_job_state(trebuchet::JobState state, const Answers& answers) {
    const std::string_view body = answers.body;
    const std::string_view key = "\"job_state\"";
    const auto at = body.find(key);
    const bool is_plain = body.find('\\') == std::string_view::npos && at == body.rfind(key);
    if (answers.is_cut || !is_plain || at == std::string_view::npos) return;
    const auto document = json::parse(body, nullptr, false);
    if (!document.is_object() || !document.contains("job_state")) return;
    const auto& expected = document["job_state"];
    if (expected.is_string() && expected.get_ref<const std::string&>().size() > 256) return;
    const auto name = expected.is_string() ? expected.get<std::string>() : "";
    require(state == trebuchet::job_state_named(name), "the state is the document's");
}

}  // namespace

/// Whatever a server answers, each call returns a value or a message that can be logged, and the answer cannot inject
/// anything into later requests.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const trebuchet::TemporaryFolder folder("/dev/shm");
    static const auto token_file = folder.write("token", R"({"refresh_token": "r"})");
    static const bool is_silent = trebuchet::set_up_log({.quiet = true}).has_value();
    require(is_silent, "the log can be turned off");
    static trebuchet::EventLoop loop;
    const auto answers = read_input(std::string(data, data + size));

    trebuchet::FakeHttpClient::Script script;
    script.answer = [&answers](const trebuchet::HttpRequest& request) { return answers.to(request); };
    const trebuchet::FakeClock clock;
    trebuchet::ApiClient api(loop, clock, std::make_unique<trebuchet::FakeHttpClient>(loop, script),
                             {token_file, {}, {}}, [] { return 0.0; });
    trebuchet::Config config;
    config.agent_id = "fuzz";
    const auto server = trebuchet::make_http_job_server(config, api);

    const auto record = server->read_agent();
    require_clean_failure(record);
    require_clean_failure(server->register_agent());

    const auto job = server->take_job({"q"});
    require_clean_failure(job);
    if (job && *job) {
        if (const auto* document = std::get_if<trebuchet::WipedString>(&**job)) {
            require(std::string_view(*document) == answers.body, "the job is unchanged");
        } else {
            require(std::get<trebuchet::TooLongJob>(**job).id.size() <= 256, "an id is short");
        }
    }

    const auto state = server->read_job_state("j");
    require_clean_failure(state);
    if (state && answers.status == 200) require_job_state(*state, answers);
    static_cast<void>(trebuchet::parse_refresh_token(answers.body));
    return 0;
}
