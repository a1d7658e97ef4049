#include "tests/labserver/secret_store.hpp"

namespace trebuchet::labserver {

void SecretStore::write(const std::string& client_id, const std::string& path, std::string_view value,
                        std::optional<Time> expires, bool ephemeral) {
    entries_[{client_id, path}] = {SecretString(value), expires, ephemeral};
}

void SecretStore::remove(const std::string& client_id, const std::string& path) {
    entries_.erase({client_id, path});
}

bool SecretStore::exists(const std::string& client_id, const std::string& path) const {
    const auto found = entries_.find({client_id, path});
    return found != entries_.end() && !has_expired(found->second);
}

SecretString SecretStore::take(const std::string& client_id, const std::string& path) {
    const auto found = entries_.find({client_id, path});
    if (found == entries_.end()) return {};
    if (!has_expired(found->second) && !found->second.ephemeral) return found->second.value.clone();
    auto value = has_expired(found->second) ? SecretString() : std::move(found->second.value);
    entries_.erase(found);
    return value;
}

bool SecretStore::has_expired(const Entry& entry) const {
    return entry.expires && *entry.expires < clock_.wall_time();
}

}  // namespace trebuchet::labserver
