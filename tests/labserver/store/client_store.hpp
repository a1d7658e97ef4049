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

/// The clients that may get tokens, and the owners of restricted queues.
class ClientStore {
  public:
    /// Adds or replaces the clients of {"id": {"secret_key", "role", "max_priority", "max_reservation_time",
    /// "allowed_queues"}}. If one is wrong, none is added. A queue in any client's `allowed_queues` becomes restricted.
    /// The Error does not quote secrets.
    [[nodiscard]] Result<std::vector<std::string>> add(const Json& clients);

    /// Returns nullptr if there is no such client.
    [[nodiscard]] const Identity* find(const std::string& client_id) const;
    /// Returns nullptr if there is no such client or the secret is wrong.
    [[nodiscard]] const Identity* authenticated(const std::string& client_id, std::string_view secret) const;

    [[nodiscard]] bool is_restricted(const std::string& queue) const { return owners_.contains(queue); }
    [[nodiscard]] bool may_use(const std::string& client_id, const std::string& queue) const;
    /// The clients that may use a restricted queue, sorted. Empty for a queue that is not restricted.
    [[nodiscard]] std::vector<std::string> owners(const std::string& queue) const;
    [[nodiscard]] std::vector<std::string> restricted_queues() const;

    /// In the shape of the clients' file, without keys.
    [[nodiscard]] Json exported() const;

    void allow(const std::string& queue, const std::string& client_id) { owners_[queue].insert(client_id); }
    void restrict_to(const std::string& queue, std::set<std::string> owners) { owners_[queue] = std::move(owners); }
    /// Removes the restriction: everybody may use the queue.
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
