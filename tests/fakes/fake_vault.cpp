#include "tests/fakes/fake_vault.hpp"

#include "common/secret/base64.hpp"
#include "common/vault/es256.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace trebuchet {
namespace {

using Json = FakeVault::Json;

/// Of each kind the fake names its own so that a masker and a test can find them.
std::string of_kind(const std::string& kind, unsigned number) {
    auto digits = std::to_string(number);
    digits.insert(0, 6 - std::min<std::size_t>(digits.size(), 6), '0');
    return kind + "-of-the-fake-" + digits;
}

Json payload_of(std::string_view jwt) {
    const auto first = jwt.find('.');
    const auto second = jwt.rfind('.');
    if (first == std::string_view::npos || second <= first) return {};
    std::string text(jwt.substr(first + 1, second - first - 1));
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    const auto bytes = base64_decoded(text);
    return bytes ? Json::parse(bytes->reveal(), nullptr, false) : Json();
}

std::int64_t unix_time() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string reason_of(int status) {
    return status == 200 ? "OK" : status == 204 ? "No Content" : "Status";
}

}  // namespace

FakeVault::FakeVault(const std::optional<ServerIdentity>& identity) : identity_(identity) {
    for (const auto* name : {"approle-and-wrapping", "engines", "jwt", "kv1-and-discovery", "kv2", "leases",
                             "sealed-and-health", "token"}) {
        std::ifstream stream(std::string(TREBUCHET_VAULT_RECORDS "/") + name + ".json");
        records_[name] = Json::parse(stream);
    }
    tokens_[root_token()] = {"accessor-of-root", std::chrono::steady_clock::time_point::max(), {}, false, false};
    server_ = std::make_unique<LoopbackServer>([this](auto& connection) { serve(connection); }, identity);
}

void FakeVault::restart(bool loses_tokens) {
    const auto port = server_->port();
    server_.reset();
    if (loses_tokens) {
        const std::lock_guard lock(mutex_);
        tokens_.clear();
    }
    server_ = std::make_unique<LoopbackServer>([this](auto& connection) { serve(connection); }, identity_, port);
}

const Json& FakeVault::record(const std::string& file, const std::string& name) const {
    for (const auto& entry : records_.at(file)) {
        if (entry.at("name") == name) return entry.at("response");
    }
    throw std::logic_error("nothing is recorded as " + name);
}

FakeVault::Answer FakeVault::of(const Json& response) {
    Answer answer;
    answer.status = response.at("status").get<int>();
    for (const auto& [name, value] : response.at("headers").items()) {
        answer.headers += name + ": " + value.get<std::string>() + "\r\n";
    }
    const auto& body = response.at("body");
    if (!body.is_null()) answer.body = body.is_string() ? body.get<std::string>() : body.dump();
    return answer;
}

FakeVault::Answer FakeVault::recorded(const std::string& file, const std::string& name) const {
    return of(record(file, name));
}

std::string FakeVault::fresh(const std::string& kind) {
    return of_kind(kind, ++number_);
}

void FakeVault::put(const std::string& path, const Json& fields) {
    const std::lock_guard lock(mutex_);
    documents_[path] = fields;
}

std::string FakeVault::make_token(std::chrono::seconds ttl, bool is_batch) {
    const std::lock_guard lock(mutex_);
    auto token = fresh("hvs.standing");
    tokens_[token] = {fresh("accessor"), now() + ttl, ttl, is_batch, false};
    return token;
}

std::string FakeVault::make_secret_id() {
    const std::lock_guard lock(mutex_);
    return *secret_ids_.insert(fresh("secret-id")).first;
}

std::string FakeVault::make_wrapped_secret_id(const std::string& creation_path) {
    const auto secret_id = make_secret_id();
    const std::lock_guard lock(mutex_);
    auto token = fresh("hvs.wrapping");
    wrapped_[token] = {creation_path, secret_id};
    return token;
}

void FakeVault::trust(const std::string& public_pem, const std::string& audience,
                      const std::map<std::string, Json>& claims) {
    const std::lock_guard lock(mutex_);
    public_pem_ = public_pem;
    audience_ = audience;
    bound_claims_ = claims;
}

void FakeVault::seal(bool is_sealed) {
    const std::lock_guard lock(mutex_);
    is_sealed_ = is_sealed;
}

void FakeVault::fail_next(std::size_t count, int status) {
    const std::lock_guard lock(mutex_);
    failures_ = count;
    failure_status_ = status;
}

void FakeVault::drop_next(std::size_t count) {
    const std::lock_guard lock(mutex_);
    drops_ = count;
}

void FakeVault::hold() {
    const std::lock_guard lock(mutex_);
    is_held_ = true;
}

void FakeVault::release() {
    const std::lock_guard lock(mutex_);
    is_held_ = false;
    released_.notify_all();
}

void FakeVault::redirect_to(const std::string& origin) {
    const std::lock_guard lock(mutex_);
    redirection_ = origin;
}

void FakeVault::set_ttl(std::chrono::seconds ttl) {
    const std::lock_guard lock(mutex_);
    ttl_ = ttl;
}

void FakeVault::advance(std::chrono::seconds by) {
    const std::lock_guard lock(mutex_);
    offset_ += by;
}

void FakeVault::give_batch_tokens() {
    const std::lock_guard lock(mutex_);
    batch_ = true;
}

void FakeVault::allow_revoke_accessor(bool allowed) {
    const std::lock_guard lock(mutex_);
    may_revoke_accessor_ = allowed;
}

void FakeVault::set_enterprise(std::optional<bool> enterprise) {
    const std::lock_guard lock(mutex_);
    enterprise_ = enterprise;
}

std::vector<std::string> FakeVault::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

std::size_t FakeVault::count(std::string_view start_of_request) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(requests_.begin(), requests_.end(), [&](const std::string& request) {
        return request.starts_with(start_of_request);
    }));
}

std::size_t FakeVault::living_tokens() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(tokens_.begin(), tokens_.end(), [&](const auto& entry) {
        const bool is_of_login = entry.first.starts_with("hvs.login");
        return is_of_login && !entry.second.is_gone && entry.second.expires_at > now();
    }));
}

std::set<std::string> FakeVault::all_tokens() const {
    const std::lock_guard lock(mutex_);
    std::set<std::string> all;
    for (const auto& [token, entry] : tokens_) all.insert(token);
    return all;
}

std::size_t FakeVault::revocations() const {
    const std::lock_guard lock(mutex_);
    return revocations_;
}

Json FakeVault::last_claims() const {
    const std::lock_guard lock(mutex_);
    return claims_;
}

std::chrono::steady_clock::time_point FakeVault::now() const {
    return std::chrono::steady_clock::now() + offset_;
}

FakeVault::Token* FakeVault::valid(const std::string& token) {
    const auto found = tokens_.find(token);
    if (found == tokens_.end() || found->second.is_gone || found->second.expires_at <= now()) return nullptr;
    return &found->second;
}

void FakeVault::serve(LoopbackServer::Connection& connection) {
    while (const auto request = connection.read_request()) {
        Call call;
        const auto line = request->line();
        const auto first = line.find(' ');
        const auto second = line.rfind(' ');
        call.method = line.substr(0, first);
        const auto target = line.substr(first + 1, second - first - 1);
        call.path = target.starts_with("/v1/") ? target.substr(4) : "";
        call.path = call.path.substr(0, call.path.find('?'));
        call.token = request->header("X-Vault-Token");
        if (call.token == "none") call.token.clear();
        call.body = request->body.empty() ? Json::object() : Json::parse(request->body, nullptr, false);
        Answer answered;
        {
            std::unique_lock lock(mutex_);
            released_.wait(lock, [this] { return !is_held_; });
            if (drops_ > 0) {
                --drops_;
                return;
            }
            requests_.push_back(call.method + " " + target);
            if (!redirection_.empty()) {
                answered = {307, "Location: " + redirection_ + target + "\r\n", ""};
            } else if (failures_ > 0) {
                --failures_;
                answered = {failure_status_, "Content-Type: application/json\r\n", R"({"errors":[]})"};
            } else {
                answered = answer(call);
            }
        }
        const bool has_body = call.method != "HEAD" && answered.status != 204;
        connection.send("HTTP/1.1 " + std::to_string(answered.status) + " " + reason_of(answered.status) + "\r\n" +
                        answered.headers +
                        (answered.status == 204 ? std::string()
                                                : "Content-Length: " + std::to_string(answered.body.size()) + "\r\n") +
                        "\r\n" + (has_body ? answered.body : ""));
    }
}

FakeVault::Answer FakeVault::answer(const Call& call) {
    if (call.path == "sys/health") return answer_health();
    if (call.path == "sys/init") return {200, "Content-Type: application/json\r\n", R"({"initialized":true})"};
    if (call.path == "sys/seal-status") {
        return is_sealed_ ? recorded("sealed-and-health", "seal-status, sealed")
                          : recorded("kv2", "seal-status, unsealed");
    }
    if (is_sealed_) return recorded("sealed-and-health", "read, sealed");
    if (call.body.is_discarded()) return recorded("kv2", "malformed JSON");
    if (call.path.starts_with("sys/wrapping/")) return answer_wrapping(call);
    if (call.path.starts_with("auth/") && call.path.ends_with("/login")) return answer_login(call);
    if (call.token.empty()) return recorded("kv2", "read, no token header");
    if (valid(call.token) == nullptr) return recorded("kv2", "read, token unknown");
    if (call.path.starts_with("auth/token/")) return answer_token(call);
    return answer_read(call);
}

FakeVault::Answer FakeVault::answer_health() const {
    Json response = is_sealed_ ? record("sealed-and-health", "health, sealed") : record("kv2", "health, active");
    if (enterprise_) response["body"]["enterprise"] = *enterprise_;
    if (!enterprise_) response["body"].erase("enterprise");
    return of(response);
}

FakeVault::Answer FakeVault::give_token(const Json& response, std::chrono::seconds ttl) {
    Json changed = response;
    auto& auth = changed["body"]["auth"];
    const auto value = fresh("hvs.login");
    const auto accessor = batch_ ? std::string() : fresh("accessor");
    ttl = ttl_.value_or(ttl);
    tokens_[value] = {accessor, now() + ttl, ttl, batch_, false};
    auth["client_token"] = value;
    auth["accessor"] = accessor;
    auth["lease_duration"] = ttl.count();
    auth["token_type"] = batch_ ? "batch" : "service";
    if (batch_) auth["renewable"] = false;
    return of(changed);
}

FakeVault::Answer FakeVault::answer_login(const Call& call) {
    if (call.path == "auth/approle/login") return answer_approle(call.body);
    if (call.path == "auth/jwt/login") return answer_jwt(call.body);
    return recorded("approle-and-wrapping", "login, auth mount unknown");
}

FakeVault::Answer FakeVault::answer_approle(const Json& body) {
    constexpr const char* file = "approle-and-wrapping";
    if (body.value("role_id", "") != role_id()) return recorded(file, "login, role_id wrong");
    if (!body.contains("secret_id")) return recorded(file, "login, secret_id missing");
    if (!secret_ids_.contains(body.value("secret_id", ""))) return recorded(file, "login, secret_id wrong");
    return give_token(record(file, "login"), std::chrono::seconds(1200));
}

FakeVault::Answer FakeVault::answer_jwt(const Json& body) {
    if (body.value("role", "") != "lab") {
        auto refusal = record("jwt", "jwt login, unknown role");
        refusal["body"]["errors"] = {"role \"" + body.value("role", "") + "\" could not be found"};
        return of(refusal);
    }
    const auto jwt = body.value("jwt", "");
    if (!is_es256_token_of(public_pem_, jwt)) return recorded("jwt", "jwt login, signature broken");
    const auto claims = payload_of(jwt);
    if (claims.value("aud", "") != audience_) return recorded("jwt", "jwt login, audience wrong");
    if (claims.value("exp", std::int64_t{0}) <= unix_time()) return recorded("jwt", "jwt login, expired");
    if (claims.value("nbf", std::int64_t{0}) > unix_time() + 150) {
        return recorded("jwt", "jwt login, clock of the agent ahead");
    }
    for (const auto& [name, value] : bound_claims_) {
        const bool is_known = claims.contains(name);
        if (is_known && claims[name] == value) continue;
        auto refusal = record("jwt", is_known ? "jwt login, queue not bound" : "jwt login, claim missing");
        auto text = refusal["body"]["errors"][0].get<std::string>();
        text.replace(text.find("\"queue\""), 7, "\"" + name + "\"");
        refusal["body"]["errors"] = {text};
        return of(refusal);
    }
    claims_ = claims;
    return give_token(record("jwt", "jwt login, ES256"), std::chrono::seconds(900));
}

FakeVault::Answer FakeVault::answer_token(const Call& call) {
    auto* const token = valid(call.token);
    const auto what = call.path.substr(11);
    if (what == "lookup-self") {
        auto response = record("token", "lookup-self");
        response["body"]["data"]["id"] = call.token;
        response["body"]["data"]["accessor"] = token->accessor;
        return of(response);
    }
    if (what == "revoke-self") {
        if (token->is_batch) return recorded("token", "revoke-self, batch token");
        token->is_gone = true;
        ++revocations_;
        return recorded("token", "revoke-self");
    }
    if (what == "renew-self") {
        if (token->is_batch) return recorded("token", "renew-self, batch token");
        token->expires_at = now() + token->ttl;
        auto response = record("token", "renew-self");
        response["body"]["auth"]["client_token"] = call.token;
        response["body"]["auth"]["accessor"] = token->accessor;
        response["body"]["auth"]["lease_duration"] = token->ttl.count();
        return of(response);
    }
    if (what == "create") {
        const auto text = call.body.value("ttl", "3600s");
        return give_token(record("token", "create a child token for one job"),
                          std::chrono::seconds((text.ends_with('m') ? 60 : 1) * std::stol(text)));
    }
    if (what == "revoke-accessor") {
        if (!may_revoke_accessor_) return recorded("leases", "lease revoke by the job token (default policy)");
        const auto accessor = call.body.value("accessor", "");
        const auto found = std::find_if(tokens_.begin(), tokens_.end(), [&](const auto& entry) {
            return entry.second.accessor == accessor && !entry.second.is_gone;
        });
        if (found == tokens_.end()) return recorded("token", "revoke by accessor, already gone");
        found->second.is_gone = true;
        return recorded("token", "revoke-self");
    }
    return recorded("kv2", "kv2 read, path not in the policy");
}

FakeVault::Answer FakeVault::answer_wrapping(const Call& call) {
    constexpr const char* file = "approle-and-wrapping";
    const bool is_lookup = call.path == "sys/wrapping/lookup";
    const auto found = wrapped_.find(is_lookup ? call.body.value("token", "") : call.token);
    if (found == wrapped_.end()) {
        return recorded(file, is_lookup ? "wrapping lookup after unwrap" : "unwrap again");
    }
    auto response = record(file, is_lookup ? "wrapping lookup, no auth" : "unwrap with the wrapping token alone");
    if (is_lookup) {
        response["body"]["data"]["creation_path"] = found->second.first;
    } else {
        response["body"]["data"]["secret_id"] = found->second.second;
        wrapped_.erase(found);
    }
    return of(response);
}

FakeVault::Answer FakeVault::answer_mount(const std::string& path) const {
    constexpr const char* file = "kv1-and-discovery";
    for (const auto& [mount, name] :
         {std::pair{"secret/", "kv2"}, {"kv1/", "kv1"}, {"team/kv/", "mount with a slash"}}) {
        if (!path.starts_with(mount) || path.starts_with(std::string(mount) + "other/")) continue;
        return recorded(file, std::string("which version has this path: ") + name);
    }
    if (!path.starts_with("rabbit/")) return recorded(file, "which version has this path: unknown mount");
    auto response = record(file, "which version has this path: kv1");
    response["body"]["data"]["path"] = "rabbit/";
    response["body"]["data"]["type"] = "rabbitmq";
    response["body"]["data"]["options"] = nullptr;
    return of(response);
}

FakeVault::Answer FakeVault::answer_engine(const Call& call) const {
    constexpr const char* file = "engines";
    if (call.path == "pki/issue/dut") {
        const bool is_allowed = call.body.value("common_name", "").ends_with(".lab.test");
        return recorded(file, is_allowed ? "pki issue, with lease" : "pki issue, name not allowed");
    }
    const bool is_ubuntu = call.body.value("valid_principals", "") == "ubuntu";
    return recorded(file, is_ubuntu ? "ssh: sign a key for one job" : "ssh: principal not allowed");
}

FakeVault::Answer FakeVault::answer_read(const Call& call) {
    if (call.path == "pki/issue/dut" || call.path == "ssh/sign/dut") return answer_engine(call);
    const std::string discovery = "sys/internal/ui/mounts/";
    if (call.path.starts_with(discovery)) return answer_mount(call.path.substr(discovery.size()));
    if (call.path == "rabbit/creds/ci") {
        auto response = record("leases", "dynamic credentials");
        response["body"]["lease_id"] = "rabbit/creds/ci/" + fresh("lease");
        response["body"]["data"] = {{"username", fresh("user")}, {"password", fresh("password")}};
        return of(response);
    }
    for (const std::string mount : {"secret/", "team/kv/"}) {
        if (!call.path.starts_with(mount)) continue;
        auto rest = call.path.substr(mount.size());
        const bool is_versioned = rest.starts_with("data/");
        if (is_versioned) rest = rest.substr(5);
        if (rest.starts_with("other/")) return recorded("kv2", "kv2 read, path not in the policy");
        if (!is_versioned) return recorded("kv2", "kv1 style path on a kv2 mount, path not in the policy");
        if (call.method != "GET") {  // not recorded
            documents_[mount + rest] = call.body.value("data", Json::object());
            auto response = record("kv2", "kv2 read, newest version");
            auto metadata = response["body"]["data"]["metadata"];
            response["body"]["data"] = std::move(metadata);
            return of(response);
        }
        const auto document = documents_.find(mount + rest);
        if (document == documents_.end()) return recorded("kv2", "kv2 read, no such path");
        if (document->second.is_null()) return recorded("kv2", "kv2 read, soft-deleted");
        auto response = record("kv2", "kv2 read, newest version");
        response["body"]["data"]["data"] = document->second;
        return of(response);
    }
    if (call.path.starts_with("kv1/")) {
        const auto document = documents_.find(call.path);
        if (document == documents_.end()) return recorded("kv1-and-discovery", "kv1 read, no such path");
        auto response = record("kv1-and-discovery", "kv1 read");
        response["body"]["data"] = document->second;
        return of(response);
    }
    return recorded("kv2", "unknown mount, poor token");
}

}  // namespace trebuchet
