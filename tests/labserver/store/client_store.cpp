#include "tests/labserver/store/client_store.hpp"

#include "common/base/text.hpp"
#include "tests/labserver/api/api_schemas.hpp"

#include <openssl/crypto.h>

namespace trebuchet::labserver {
namespace {

bool equal_in_constant_time(std::string_view left, std::string_view right) {
    return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace

Result<std::vector<std::string>> ClientStore::add(const Json& clients) {
    if (!clients.is_object())
        return fail("clients: expected an object {\"client_id\": {\"secret_key\": …, \"role\": …}}");
    Json checked = clients;
    const auto check = schemas::client();
    for (auto& [id, client] : checked.items()) {
        if (id.empty()) return fail("clients: a client_id must not be empty");
        const auto errors = check(client);
        if (!errors.is_null()) return fail("client " + trebuchet::quoted(id) + ": " + to_text(errors));
    }
    std::vector<std::string> added;
    for (const auto& [id, client] : checked.items()) {
        Client entry;
        entry.identity = {id, role_named(string_at(client, "role")).value_or(Role::contributor), client["max_priority"],
                          client["max_reservation_time"]};
        entry.secret = SecretString(client["secret_key"].get_ref<const std::string&>());
        clients_[id] = std::move(entry);
        for (auto& [queue, owners] : owners_) owners.erase(id);
        for (const auto& queue : client["allowed_queues"]) allow(queue.get<std::string>(), id);
        added.push_back(id);
    }
    return added;
}

const Identity* ClientStore::find(const std::string& client_id) const {
    const auto found = clients_.find(client_id);
    return found == clients_.end() ? nullptr : &found->second.identity;
}

const Identity* ClientStore::authenticated(const std::string& client_id, std::string_view secret) const {
    const auto found = clients_.find(client_id);
    if (found == clients_.end() || !equal_in_constant_time(found->second.secret.reveal(), secret)) return nullptr;
    return &found->second.identity;
}

bool ClientStore::may_use(const std::string& client_id, const std::string& queue) const {
    const auto found = owners_.find(queue);
    return found == owners_.end() || found->second.contains(client_id);
}

std::vector<std::string> ClientStore::owners(const std::string& queue) const {
    const auto found = owners_.find(queue);
    if (found == owners_.end()) return {};
    return {found->second.begin(), found->second.end()};
}

std::vector<std::string> ClientStore::restricted_queues() const {
    std::vector<std::string> queues;
    for (const auto& [queue, unused] : owners_) queues.push_back(queue);
    return queues;
}

Json ClientStore::exported() const {
    Json all = Json::object();
    for (const auto& [id, client] : clients_) {
        Json queues = Json::array();
        for (const auto& [queue, owners] : owners_) {
            if (owners.contains(id)) queues.push_back(queue);
        }
        all[id] = {{"role", name_of(client.identity.role)},
                   {"max_priority", client.identity.max_priority},
                   {"max_reservation_time", client.identity.max_reservation_time},
                   {"allowed_queues", queues}};
    }
    return all;
}

}  // namespace trebuchet::labserver
