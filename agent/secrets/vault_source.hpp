#pragma once

#include "agent/secrets/document_source.hpp"
#include "common/base/backoff.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"
#include "common/vault/vault_documents.hpp"
#include "common/vault/vault_login.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// Documents of Vault for one job:
///
///     first read   one login; its accessor is told, then the token is used
///     each path    read once; a dynamic credential is good until min(its lease, the token's lifetime)
///     meanwhile    the token is renewed at two thirds of its lifetime; after failures with a backoff of up to 5 min
///     end          revoke-self, which ends the leases, too, whatever happened before; at most end_limit
///
/// A login that Vault refused is not repeated. One whose answer came only after an interruption is ended as well. Use
/// it on the loop's thread.
class VaultSource final : public DocumentSource {
  public:
    /// Gives up ending the login after this time; the token then ends by its lifetime.
    static constexpr std::chrono::seconds end_limit{20};
    /// The same once the agent stops now.
    static constexpr std::chrono::milliseconds hurried_end{700};

    struct Parts {
        EventLoop& loop;
        const Clock& clock;
        /// Makes the client when it is needed first.
        std::function<std::unique_ptr<VaultClient>()> make_client;
        std::function<void(VaultClient&, VaultLoginDone)> log_in;
        /// A credential that is to be masked from now on.
        std::function<void(const std::string& name, std::string_view value)> on_credential;
        std::function<void(const std::string& accessor)> on_accessor;
        std::function<double()> draw;  ///< in [0, 1)
        std::string job;               ///< for the log
        /// Refuse servers whose sys/health says that they have no namespaces.
        bool needs_namespaces = false;
    };
    explicit VaultSource(Parts parts);
    ~VaultSource() override;

    [[nodiscard]] SecretResult<const SecretFields*> read(const std::string& path) override;
    void interrupt() override { ++interruptions_; }
    bool end_logins(const std::vector<std::string>& accessors) override;
    void end() override;
    void stop_now() override;

  private:
    struct Kept {
        SecretResult<SecretFields> fields;
        std::optional<std::chrono::steady_clock::time_point> good_until{};
    };
    enum class Login { none, running, done, refused, failed };

    [[nodiscard]] SecretResult<const SecretFields*> kept(const std::string& path) const;
    /// Until `done`, or until an interruption: then false.
    [[nodiscard]] bool wait_for(const std::function<bool()>& done);
    [[nodiscard]] SecretResult<void> ensure_login();
    void start_login();
    void log_in();
    void logged_in(VaultResult<VaultToken> token);
    void keep(const std::string& path, VaultResult<VaultDocument> document);
    void renew_later(std::chrono::milliseconds pause);
    void renew_now();
    void tell_of_denied_end(const VaultError& error) const;

    Parts parts_;
    std::unique_ptr<VaultClient> client_;
    std::optional<VaultReader> reader_;
    Login login_ = Login::none;
    VaultError login_error_;
    std::optional<VaultToken> token_;
    std::chrono::steady_clock::time_point token_ends_{};
    std::map<std::string, Kept> documents_;
    Timer renewal_;
    Backoff renewal_backoff_;
    unsigned interruptions_ = 0;
    bool is_stopping_now_ = false;
    bool is_ended_ = false;
    bool has_stopped_waiting_ = false;  ///< for the answer to a login, after its end
};

}  // namespace trebuchet
