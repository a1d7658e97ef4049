#include "agent/secrets/vault_source.hpp"

#include "common/log/log.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

using Kind = SecretProblem::Kind;
using std::chrono::milliseconds;

constexpr milliseconds first_renewal_pause{5'000};
constexpr milliseconds longest_renewal_pause{300'000};
constexpr milliseconds shortest_renewal_pause{500};
/// Of one try to end the login.
constexpr std::chrono::seconds revoke_timeout{8};
constexpr milliseconds revoke_pause{1'000};
constexpr int most_revokes = 2;

SecretProblem problem_of(const VaultError& error) {
    switch (error.kind) {
        case VaultError::Kind::missing:
            return {Kind::missing, error.text};
        case VaultError::Kind::denied:
            return {Kind::denied, error.text};
        case VaultError::Kind::refused:
        case VaultError::Kind::unreachable:
            break;
    }
    return {Kind::unreachable, error.text};
}

tl::unexpected<SecretProblem> interrupted() {
    return tl::unexpected(SecretProblem{Kind::unreachable, "the phase was ended before Vault answered"});
}

}  // namespace

VaultSource::VaultSource(Parts parts)
    : parts_(std::move(parts)),
      renewal_(parts_.loop),
      renewal_backoff_(first_renewal_pause, longest_renewal_pause, parts_.draw) {}

VaultSource::~VaultSource() = default;

bool VaultSource::wait_for(const std::function<bool()>& done) {
    const auto before = interruptions_;
    parts_.loop.run_until([&] { return done() || interruptions_ != before || is_stopping_now_; });
    return done();
}

SecretResult<const SecretFields*> VaultSource::kept(const std::string& path) const {
    const auto& document = documents_.at(path);
    if (!document.fields) return tl::unexpected(document.fields.error());
    if (document.good_until && parts_.clock.now() >= *document.good_until) {
        return tl::unexpected(SecretProblem{Kind::missing, "the credential of " + path + " has ended by its lease"});
    }
    return &*document.fields;
}

SecretResult<const SecretFields*> VaultSource::read(const std::string& path) {
    if (documents_.contains(path)) return kept(path);
    if (auto ready = ensure_login(); !ready) return tl::unexpected(ready.error());
    // Shared, because the answer may come after an interruption.
    const auto answer = std::make_shared<std::optional<VaultResult<VaultDocument>>>();
    reader_->read(token_->value, path,
                  [answer](VaultResult<VaultDocument> document) { *answer = std::move(document); });
    if (!wait_for([&] { return answer->has_value(); })) return interrupted();
    auto& document = **answer;
    if (!document && document.error().kind == VaultError::Kind::unreachable) {
        return tl::unexpected(problem_of(document.error()));  // the next phase may try again
    }
    keep(path, std::move(document));
    return kept(path);
}

void VaultSource::keep(const std::string& path, VaultResult<VaultDocument> document) {
    if (!document) {
        documents_.emplace(path, Kept{tl::unexpected(problem_of(document.error()))});
        return;
    }
    Kept entry{std::move(document->fields)};
    if (document->lifetime.count() > 0) {
        entry.good_until = parts_.clock.now() + document->lifetime;
        // A token that is not renewed takes its leases along.
        if (token_->lifetime.count() > 0 && !token_->is_renewable) {
            entry.good_until = std::min(*entry.good_until, token_ends_);
        }
    }
    documents_.emplace(path, std::move(entry));
}

SecretResult<void> VaultSource::ensure_login() {
    if (is_ended_ || is_stopping_now_) return interrupted();
    const bool is_over = token_ && token_->lifetime.count() > 0 && parts_.clock.now() >= token_ends_;
    if (is_over) {
        return tl::unexpected(SecretProblem{Kind::unreachable, "the job's login to Vault has ended by its lifetime"});
    }
    if (login_ == Login::none || login_ == Login::failed) start_login();
    if (!wait_for([&] { return login_ != Login::running; })) return interrupted();
    if (login_ == Login::done) return {};
    auto problem = problem_of(login_error_);
    if (problem.kind == Kind::missing) problem.kind = Kind::unreachable;  // not what was asked for
    problem.text = "cannot log in to Vault: " + problem.text;
    return tl::unexpected(std::move(problem));
}

void VaultSource::start_login() {
    login_ = Login::running;
    if (!client_) client_ = parts_.make_client();
    if (!reader_) reader_.emplace(*client_);
    if (!parts_.needs_namespaces) return log_in();
    client_->ask_health([this](const VaultResult<SecretJson>& health) {
        if (health && has_no_namespaces(*health)) {
            return logged_in(tl::unexpected(VaultError{
                VaultError::Kind::denied, 200,
                "trebuchet.secrets.vault.namespace is set, but this server has no namespaces and would ignore it"}));
        }
        log_in();
    });
}

void VaultSource::log_in() {
    parts_.log_in(*client_, [this](VaultResult<VaultToken> token) { logged_in(std::move(token)); });
}

void VaultSource::logged_in(VaultResult<VaultToken> token) {
    if (!token) {
        login_error_ = token.error();
        const bool may_pass = login_error_.kind == VaultError::Kind::unreachable;
        login_ = may_pass ? Login::failed : Login::refused;
        return;
    }
    parts_.on_credential("job's Vault token", token->value.reveal());
    if (is_ended_ && has_stopped_waiting_) {
        login_ = Login::refused;
        return revoke(*client_, token->value, revoke_timeout, [](const VaultResult<SecretJson>& /*result*/) {});
    }
    if (!token->accessor.empty()) parts_.on_accessor(token->accessor);
    if (!token->is_revocable) {
        log_warning("job " + parts_.job +
                    ": the login to Vault gave a batch token, which cannot be revoked: it ends by its lifetime of " +
                    std::to_string(token->lifetime.count()) + " s. Give the role token_type=service");
    }
    token_ = std::move(*token);
    token_ends_ = parts_.clock.now() + token_->lifetime;
    login_ = Login::done;
    if (token_->is_renewable && token_->lifetime.count() > 0) renew_later(milliseconds(token_->lifetime) * 2 / 3);
}

void VaultSource::renew_later(milliseconds pause) {
    renewal_.start(std::max(pause, shortest_renewal_pause), [this] { renew_now(); });
}

void VaultSource::renew_now() {
    if (is_ended_) return;
    renew(*client_, token_->value, [this](const VaultResult<std::chrono::seconds>& lifetime) {
        if (is_ended_) return;
        if (lifetime) {
            renewal_backoff_.reset();
            token_ends_ = parts_.clock.now() + *lifetime;
            // Close to its maximum, a token gets less and less.
            if (lifetime->count() > 0) renew_later(milliseconds(*lifetime) * 2 / 3);
            return;
        }
        const bool may_pass = lifetime.error().kind == VaultError::Kind::unreachable;
        log_warning("job " + parts_.job + ": cannot renew the login to Vault" +
                    (may_pass ? "; trying again" : ", so it ends by its lifetime") + ": " + lifetime.error().text);
        if (may_pass) renew_later(renewal_backoff_.next());
    });
}

bool VaultSource::end_logins(const std::vector<std::string>& accessors) {
    Timer limit(parts_.loop);
    limit.start(end_limit, [this] { interrupt(); });
    auto ready = ensure_login();
    std::string problem;
    for (const auto& accessor : accessors) {
        if (!ready) break;
        const auto answer = std::make_shared<std::optional<VaultResult<SecretJson>>>();
        revoke_accessor(*client_, token_->value, accessor,
                        [answer](VaultResult<SecretJson> result) { *answer = std::move(result); });
        if (!wait_for([&] { return answer->has_value(); })) ready = interrupted();
        // One that has ended already must not keep the others.
        if (*answer && !**answer) problem = problem_of((*answer)->error()).text;
    }
    if (!ready) problem = ready.error().text;
    if (problem.empty()) {
        log_info("job " + parts_.job + ": ended its login to Vault, which a killed agent had left");
        return true;
    }
    log_warning(
        "job " + parts_.job +
        ": cannot end its login to Vault, which a killed agent had left, so it ends by its lifetime: " + problem);
    return false;
}

void VaultSource::stop_now() {
    is_stopping_now_ = true;
}

/// A token that has ended by its lifetime is denied, too.
void VaultSource::tell_of_denied_end(const VaultError& error) const {
    const bool has_ended = token_->lifetime.count() > 0 && parts_.clock.now() >= token_ends_;
    if (has_ended) return;
    log_warning(
        "job " + parts_.job +
        ": Vault refuses to end the login. If the token is still valid, it ends by its lifetime: give the role a "
        "policy that allows update on auth/token/revoke-self. " +
        error.text);
}

// How the login is ended:
//
//  1. A login whose answer is still to come may make a token: its answer is waited for.
//  2. revoke-self is sent, and sent again after a failure that may pass. An answer that says that the token is unknown
//     ends it, too.
//  3. All of that within end_limit; within hurried_end from the moment on when the agent stops now.
void VaultSource::end() {
    if (std::exchange(is_ended_, true)) return;
    renewal_.stop();
    if (login_ != Login::running && !token_) return;
    bool is_late = false;
    Timer limit(parts_.loop);
    Timer hurry(parts_.loop);
    limit.start(end_limit, [&] { is_late = true; });
    bool hurries = false;
    const auto give_up = [&] {
        if (is_stopping_now_ && !std::exchange(hurries, true)) hurry.start(hurried_end, [&] { is_late = true; });
        return is_late;
    };
    parts_.loop.run_until([&] { return login_ != Login::running || give_up(); });
    if (login_ == Login::running) {
        log_warning("job " + parts_.job +
                    ": Vault has not answered the login yet: if it still does, the token is revoked then");
    }
    std::string problem = "there was no answer";
    for (int attempt = 1; token_ && token_->is_revocable && attempt <= most_revokes && !is_late; ++attempt) {
        const auto answer = std::make_shared<std::optional<VaultResult<SecretJson>>>();
        revoke(*client_, token_->value, revoke_timeout,
               [answer](VaultResult<SecretJson> result) { *answer = std::move(result); });
        parts_.loop.run_until([&] { return answer->has_value() || give_up(); });
        if (!answer->has_value()) break;
        if (**answer || (*answer)->error().kind == VaultError::Kind::denied) {
            if (!**answer) tell_of_denied_end((*answer)->error());
            token_.reset();
            documents_.clear();
            return;
        }
        problem = (*answer)->error().text;
        if (attempt == most_revokes) break;
        bool is_time = false;
        Timer pause(parts_.loop);
        pause.start(revoke_pause, [&] { is_time = true; });
        parts_.loop.run_until([&] { return is_time || give_up(); });
    }
    documents_.clear();
    has_stopped_waiting_ = true;
    if (!token_ || !token_->is_revocable) return;
    log_warning("job " + parts_.job + ": cannot end the login to Vault, so it ends by its lifetime, at most " +
                std::to_string(token_->lifetime.count()) + " s: " + problem);
    token_.reset();
}

}  // namespace trebuchet
