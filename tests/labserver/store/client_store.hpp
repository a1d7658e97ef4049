#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"
#include "tests/labserver/store/identity.hpp"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet::labserver {

/// The clients that may ask for tokens, and which queues are restricted to whom.
class ClientStore {
  public:
    /// Adds or replaces the clients of {"id": {"secret_key", "role", "max_priority", "max_reservation_time",
    /// "allowed_queues"}}; all of them or, if one is wrong, none. A queue that anybody is allowed is thereby
    /// restricted. The Error quotes no secret.
    [[nodiscard]] Result<std::vector<std::string>> add(const Json& clients);

    /// nullptr if there is no such client.
    [[nodiscard]] const Identity* find(const std::string& client_id) const;
    /// nullptr if the client does not exist or the secret is wrong.
    [[nodiscard]] const Identity* authenticated(const std::string& client_id, std::string_view secret) const;

    [[nodiscard]] bool is_restricted(const std::string& queue) const { return owners_.contains(queue); }
    [[nodiscard]] bool may_use(const std::string& client_id, const std::string& queue) const;
    /// Those who may use a restricted queue, sorted; for a queue that is not restricted, none.
    [[nodiscard]] std::vector<std::string> owners(const std::string& queue) const;
    [[nodiscard]] std::vector<std::string> restricted_queues() const;

    void allow(const std::string& queue, const std::string& client_id) { owners_[queue].insert(client_id); }
    void restrict_to(const std::string& queue, std::set<std::string> owners) { owners_[queue] = std::move(owners); }
    /// Anybody may use the queue again.
    void release(const std::string& queue) { owners_.erase(queue); }

  private:
    struct Client {
        Identity identity;
        SecretString secret;
    };
    std::map<std::string, Client> clients_;
    std::map<std::string, std::set<std::string>> owners_;
};

}  // namespace trebuchet::labserver
