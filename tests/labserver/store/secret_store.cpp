#include "tests/labserver/store/secret_store.hpp"

namespace trebuchet::labserver {
namespace {

constexpr const char* table = "secrets";

std::string row_key(const std::string& client_id, const std::string& path) {
    return to_text({client_id, path});
}

}  // namespace

Result<void> SecretStore::keep_in(DataFile& data) {
    data_ = &data;
    return data.for_each(table, [this](const std::string&, const Json& row, std::string_view) {
        auto& entry = entries_[{row.at("client").get<std::string>(), row.at("path").get<std::string>()}];
        entry.value = SecretString(row.at("value").get_ref<const std::string&>());
        if (!row.at("expires").is_null()) entry.expires = time_from(row.at("expires"));
        entry.ephemeral = row.at("ephemeral").get<bool>();
    });
}

void SecretStore::write(const std::string& client_id, const std::string& path, std::string_view value,
                        std::optional<Time> expires, bool ephemeral) {
    entries_[{client_id, path}] = {SecretString(value), expires, ephemeral};
    if (data_ == nullptr) return;
    data_->put(table, row_key(client_id, path),
               {{"client", client_id},
                {"path", path},
                {"value", value},
                {"expires", expires ? Json(stored(*expires)) : Json()},
                {"ephemeral", ephemeral}});
}

void SecretStore::remove(const std::string& client_id, const std::string& path) {
    entries_.erase({client_id, path});
    if (data_ != nullptr) data_->erase(table, row_key(client_id, path));
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
    remove(client_id, path);
    return value;
}

bool SecretStore::has_expired(const Entry& entry) const {
    return entry.expires && *entry.expires < clock_.wall_time();
}

Json SecretStore::names() const {
    Json all = Json::object();
    for (const auto& [key, entry] : entries_) {
        if (!has_expired(entry)) all[key.first].push_back(key.second);
    }
    return all;
}

}  // namespace trebuchet::labserver
