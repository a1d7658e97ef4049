#include "common/vault/vault_client.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

using Kind = VaultError::Kind;

constexpr std::size_t answer_limit = std::size_t{8} << 20U;
constexpr std::size_t most_said = 300;  ///< bytes of what Vault says in an error
constexpr double first_wait = 1000;     ///< ms
constexpr double more_wait = 500;

/// As the official client's: what may go away by itself.
bool may_pass(const HttpResult& result, bool makes_token) {
    if (!result && makes_token) return result.error().kind == HttpFailure::Kind::unreachable;
    if (!result) return result.error().kind != HttpFailure::Kind::tls;
    const int status = result->status;
    return status == 412 || status == 429 || (status >= 500 && status != 501);
}

/// What stands in {"errors": ["…"]}.
std::string said_by(const HttpResponse& answer) {
    const auto json = parse_secret_json(answer.body, "answer");
    if (!json || !json->is_object()) return "";
    const auto errors = json->find("errors");
    if (errors == json->end() || !errors->is_array()) return "";
    std::string text;
    for (const auto& error : *errors) {
        if (!error.is_string()) continue;
        const std::string_view line = error.get_ref<const WipedString&>();
        text += (text.empty() ? "" : "; ") + std::string(line);
    }
    std::replace(text.begin(), text.end(), '\n', ' ');
    std::replace(text.begin(), text.end(), '\t', ' ');
    return text.empty() ? "" : ", and says " + trebuchet::quoted(text, most_said);
}

Kind kind_of(int status) {
    if (status == 404) return Kind::missing;
    if (status == 403) return Kind::denied;
    return status >= 400 && status < 500 && status != 429 && status != 412 ? Kind::refused : Kind::unreachable;
}

const char* meaning_of(int status) {
    switch (status) {
        case 403:
            return ": the policy does not allow it, the token is invalid, or the mount or the namespace does not exist";
        case 429:
            return ": it is overloaded, or a standby";
        case 473:
        case 472:
            return ": it is a secondary that does not serve requests";
        case 501:
            return ": it is not initialised";
        case 503:
            return ": it is sealed or in maintenance";
        default:
            return "";
    }
}

std::string origin_of(const std::string& url) {
    const auto authority = url.find("://");
    return authority == std::string::npos ? "" : url.substr(0, url.find('/', authority + 3));
}

}  // namespace

struct VaultClient::Call {
    Call(EventLoop& loop, VaultRequest what, std::function<void(VaultResult<SecretJson>)> callback)
        : request(std::move(what)),
          token(request.token == nullptr ? SecretString() : request.token->clone()),
          done(std::move(callback)),
          wait(loop) {}

    VaultRequest request;
    SecretString token;
    std::function<void(VaultResult<SecretJson>)> done;
    Timer wait;
    std::string origin;
    int tries = 0;
    bool is_redirected = false;
    bool any_status = false;  ///< each JSON answer counts
};

VaultClient::VaultClient(EventLoop& loop, VaultOptions options, std::function<double()> draw, MakeHttp make_http)
    : loop_(loop), options_(std::move(options)), draw_(std::move(draw)), make_http_(std::move(make_http)) {}

VaultClient::VaultClient(EventLoop& loop, VaultOptions options, std::function<double()> draw)
    : VaultClient(loop, std::move(options), std::move(draw),
                  [&loop](const HttpOptions& server) { return HttpClient::make(loop, server); }) {}

VaultClient::~VaultClient() = default;

Result<HttpClient*> VaultClient::client_of(const std::string& origin) {
    auto& client = clients_[origin];
    if (client) return client.get();
    auto server = options_.server;
    server.origin = origin;
    auto made = make_http_(server);
    if (!made) return fail(made.error());
    client = std::move(*made);
    return client.get();
}

void VaultClient::send(VaultRequest request, std::function<void(VaultResult<SecretJson>)> done) {
    if (request.timeout.count() == 0) request.timeout = options_.timeout;
    if (request.max_retries < 0) request.max_retries = options_.max_retries;
    const auto call = std::make_shared<Call>(loop_, std::move(request), std::move(done));
    call->origin = options_.server.origin;
    start(call);
}

void VaultClient::ask_health(std::function<void(VaultResult<SecretJson>)> done) {
    VaultRequest request;
    request.path = "sys/health";
    request.timeout = options_.timeout;
    request.max_retries = 0;
    const auto call = std::make_shared<Call>(loop_, std::move(request), std::move(done));
    call->origin = options_.server.origin;
    call->any_status = true;
    start(call);
}

void VaultClient::start(const std::shared_ptr<Call>& call) {
    ++call->tries;
    const auto client = client_of(call->origin);
    if (!client) {
        return loop_.post([this, call, why = client.error().message(), alive = std::weak_ptr(alive_)] {
            if (!alive.expired()) settle(call, tl::unexpected(VaultError{Kind::unreachable, 0, why}));
        });
    }
    HttpRequest http;
    http.method = call->request.method;
    http.target = "/v1/" + call->request.path;
    http.timeout = call->request.timeout;
    http.response_limit = answer_limit;
    http.once = http.method == HttpRequest::Method::post;
    http.headers.emplace_back("X-Vault-Request", "true");
    if (!call->token.empty()) http.headers.emplace_back("X-Vault-Token", WipedString(call->token.reveal()));
    if (!options_.name_space.empty()) {
        http.headers.emplace_back("X-Vault-Namespace", WipedString(options_.name_space));
    }
    if (http.method == HttpRequest::Method::post) {
        http.content_type = "application/json";
        http.body = call->request.body;
    }
    (*client)->send(std::move(http), [this, call, alive = std::weak_ptr(alive_)](HttpResult result) {
        if (!alive.expired()) answered(call, std::move(result));
    });
}

void VaultClient::answered(const std::shared_ptr<Call>& call, HttpResult result) {
    const auto refuse = [&](Kind kind, int status, std::string text) {
        settle(call, tl::unexpected(VaultError{kind, status, std::move(text)}));
    };
    if (result && result->status == 307 && !call->is_redirected) {
        const auto origin = origin_of(result->location);
        if (!origin.starts_with("https://") || !call->origin.starts_with("https://")) {
            return refuse(Kind::unreachable, 307, "Vault redirects to another place than one of https");
        }
        call->is_redirected = true;
        call->origin = origin;
        return start(call);
    }
    if (!call->any_status && may_pass(result, call->request.makes_token) && call->tries <= call->request.max_retries) {
        const auto pause = std::chrono::milliseconds(static_cast<int>(first_wait + more_wait * draw_()));
        return call->wait.start(pause, [this, call, alive = std::weak_ptr(alive_)] {
            if (!alive.expired()) start(call);
        });
    }
    if (!result) return refuse(Kind::unreachable, 0, result.error().message);
    const int status = result->status;
    if (status == 204) return settle(call, SecretJson());
    const auto name =
        (call->request.method == HttpRequest::Method::get ? "GET /v1/" : "POST /v1/") + call->request.path;
    if (!call->any_status && (status < 200 || status > 299)) {
        return refuse(
            kind_of(status), status,
            "Vault answers " + std::to_string(status) + " to " + name + meaning_of(status) + said_by(*result));
    }
    auto json = parse_secret_json(result->body, "the answer to " + name);
    if (!json || !json->is_object()) {
        return refuse(Kind::unreachable, status,
                      "the answer to " + name + " (" + std::to_string(status) + ") is not a JSON object");
    }
    settle(call, std::move(*json));
}

void VaultClient::settle(const std::shared_ptr<Call>& call, VaultResult<SecretJson> result) {
    const auto done = std::exchange(call->done, nullptr);
    done(std::move(result));
}

bool has_no_namespaces(const SecretJson& health) {
    const auto entry = health.is_object() ? health.find("enterprise") : health.end();
    return entry != health.end() && entry->is_boolean() && !entry->get<bool>();
}

WipedString secret_in(const SecretJson& object, const char* key) {
    const auto entry = object.is_object() ? object.find(key) : object.end();
    return entry == object.end() || !entry->is_string() ? WipedString() : entry->get<WipedString>();
}

std::string text_in(const SecretJson& object, const char* key) {
    return std::string(std::string_view(secret_in(object, key)));
}

const SecretJson* object_in(const SecretJson& object, const char* key) {
    const auto entry = object.is_object() ? object.find(key) : object.end();
    return entry == object.end() || !entry->is_object() ? nullptr : &*entry;
}

std::chrono::seconds seconds_in(const SecretJson& object, const char* key) {
    const auto entry = object.is_object() ? object.find(key) : object.end();
    if (entry == object.end() || !entry->is_number_integer() || *entry < 0) return std::chrono::seconds(0);
    constexpr std::uint64_t ten_years = std::uint64_t{10} * 365 * 24 * 60 * 60;
    return std::chrono::seconds(static_cast<std::int64_t>(std::min(entry->get<std::uint64_t>(), ten_years)));
}

}  // namespace trebuchet
