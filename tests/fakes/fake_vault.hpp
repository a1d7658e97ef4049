#pragma once

#include "tests/fakes/loopback_server.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// A Vault on loopback that gives the answers of a real one: tests/testdata/vault/, recorded from Vault 1.19.0. The
/// fake decides which of them fits the request and its state, and puts its own tokens, accessors and secrets into it.
/// What was not recorded (429, a standby's 307) is marked below. Thread-safe.
///
/// Mounts: secret/ (KV 2), kv1/ (KV 1), team/kv/ (KV 2), rabbit/ (dynamic credentials), pki/, ssh/, auth/approle,
/// auth/jwt. An ordinary token may read everything but what is below `other/` of a mount.
class FakeVault {
  public:
    using Json = nlohmann::json;

    explicit FakeVault(const std::optional<ServerIdentity>& identity = std::nullopt);

    [[nodiscard]] std::string origin() const { return server_->origin(); }
    [[nodiscard]] std::string root_token() const { return "hvs.root-of-the-fake"; }

    /// `path` without `data/`: "secret/team/db". Null: a document that was deleted.
    void put(const std::string& path, const Json& fields);
    /// A token that may do what an ordinary one may.
    [[nodiscard]] std::string make_token(std::chrono::seconds ttl, bool is_batch = false);

    // AppRole: the role "lab".
    [[nodiscard]] static std::string role_id() { return "0b1c-role"; }
    [[nodiscard]] std::string make_secret_id();
    /// `creation_path` as Vault tells it.
    [[nodiscard]] std::string make_wrapped_secret_id(
        const std::string& creation_path = "auth/approle/role/lab/secret-id");

    /// The role "lab" of auth/jwt: tokens of this key for this audience, whose claims have these values.
    void trust(const std::string& public_pem, const std::string& audience, const std::map<std::string, Json>& claims);

    // States.
    void seal(bool is_sealed = true);
    /// The next requests are answered with this status and {"errors": []}: 429, 500, 502, …
    void fail_next(std::size_t count, int status);
    /// The next request's connection is closed without an answer.
    void drop_next(std::size_t count);
    /// Ends all connections and listens on the same port again. As with storage in memory, tokens are lost if
    /// `loses_tokens`.
    void restart(bool loses_tokens = false);
    /// Requests are answered only after release().
    void hold();
    void release();
    /// A standby: each request is redirected to the same path there (not recorded).
    void redirect_to(const std::string& origin);
    /// Login tokens live so long, and children no longer.
    void set_ttl(std::chrono::seconds ttl);
    /// Tokens get older by this.
    void advance(std::chrono::seconds by);
    /// Logins make batch tokens.
    void give_batch_tokens();
    /// Tokens may end others by their accessors (true at first).
    void allow_revoke_accessor(bool allowed);
    /// sys/health has `enterprise`: this value, as it is recorded (false), or none as in OpenBao.
    void set_enterprise(std::optional<bool> enterprise);

    /// "GET /v1/secret/data/team/db" of each request that was answered, in order.
    [[nodiscard]] std::vector<std::string> requests() const;
    [[nodiscard]] std::size_t count(std::string_view start_of_request) const;
    [[nodiscard]] std::vector<ReceivedRequest> raw_requests() const { return server_->requests(); }
    [[nodiscard]] std::size_t connections() const { return server_->connections(); }
    /// Tokens of logins and children that are valid now.
    [[nodiscard]] std::size_t living_tokens() const;
    /// Their values, so that a test can look for them.
    [[nodiscard]] std::set<std::string> all_tokens() const;
    /// Successful revoke-self.
    [[nodiscard]] std::size_t revocations() const;
    /// Claims of the last identity that logged in.
    [[nodiscard]] Json last_claims() const;

  private:
    struct Token {
        std::string accessor;
        std::chrono::steady_clock::time_point expires_at;
        std::chrono::seconds ttl{0};
        bool is_batch = false;
        bool is_gone = false;
    };
    struct Answer {
        int status = 200;
        std::string headers{};
        std::string body{};
    };
    struct Call {
        std::string method;
        std::string path;  ///< behind /v1/
        std::string token;
        Json body;
    };

    void serve(LoopbackServer::Connection& connection);
    [[nodiscard]] Answer answer(const Call& call);
    [[nodiscard]] Answer answer_login(const Call& call);
    [[nodiscard]] Answer answer_approle(const Json& body);
    [[nodiscard]] Answer answer_jwt(const Json& body);
    [[nodiscard]] Answer answer_token(const Call& call);
    [[nodiscard]] Answer answer_wrapping(const Call& call);
    [[nodiscard]] Answer answer_mount(const std::string& path) const;
    /// pki/issue/dut for *.lab.test, ssh/sign/dut for the principal ubuntu.
    [[nodiscard]] Answer answer_engine(const Call& call) const;
    [[nodiscard]] Answer answer_read(const Call& call);
    [[nodiscard]] Answer answer_health() const;
    [[nodiscard]] Answer give_token(const Json& record, std::chrono::seconds ttl);
    [[nodiscard]] Token* valid(const std::string& token);
    [[nodiscard]] std::chrono::steady_clock::time_point now() const;
    [[nodiscard]] std::string fresh(const std::string& kind);

    [[nodiscard]] const Json& record(const std::string& file, const std::string& name) const;
    [[nodiscard]] Answer recorded(const std::string& file, const std::string& name) const;
    [[nodiscard]] static Answer of(const Json& response);

    std::map<std::string, Json> records_;
    mutable std::mutex mutex_;  ///< guards all below but the server
    std::condition_variable released_;
    bool is_held_ = false;
    std::map<std::string, Json> documents_;
    std::map<std::string, Token> tokens_;
    std::set<std::string> secret_ids_;
    std::map<std::string, std::pair<std::string, std::string>> wrapped_;  ///< token → creation path, secret_id
    std::string public_pem_;
    std::string audience_;
    std::map<std::string, Json> bound_claims_;
    Json claims_;
    bool is_sealed_ = false;
    std::size_t failures_ = 0;
    int failure_status_ = 500;
    std::size_t drops_ = 0;
    std::string redirection_;
    std::optional<std::chrono::seconds> ttl_;
    std::chrono::seconds offset_{0};
    bool batch_ = false;
    bool may_revoke_accessor_ = true;
    std::optional<bool> enterprise_ = false;
    std::vector<std::string> requests_;
    std::size_t revocations_ = 0;
    unsigned number_ = 0;
    std::optional<ServerIdentity> identity_;
    std::unique_ptr<LoopbackServer> server_;  ///< last, so that it ends first
};

}  // namespace trebuchet
