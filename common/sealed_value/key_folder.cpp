#include "common/sealed_value/key_folder.hpp"

#include "common/base/clock.hpp"
#include "common/base/system_text.hpp"
#include "common/file/lock_file.hpp"
#include "common/file/private_file.hpp"
#include "common/file/safe_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

constexpr std::size_t longest_list = 64 * std::size_t{1024};
constexpr std::size_t longest_key = 16 * std::size_t{1024};
constexpr std::size_t most_owners = 10'000;
constexpr std::size_t most_keys = 50;
/// Rotated and revoked keys say a little while that they were there.
constexpr std::size_t most_kept = 10;
constexpr std::size_t most_checked = 50'000;
constexpr const char* list_name = "keys.json";
constexpr const char* lock_name = "lock";

std::string hex(const std::array<unsigned char, SHA256_DIGEST_LENGTH>& digest, std::size_t bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) {
        text += digits[digest.at(i) >> 4U];
        text += digits[digest.at(i) & 0xFU];
    }
    return text;
}

Result<void> check_private(const std::filesystem::path& folder) {
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0) {
        return errno == ENOENT ? Result<void>() : fail(folder.string() + ": " + system_text(errno));
    }
    if (!S_ISDIR(info.st_mode)) return fail(folder.string() + " is not a folder");
    if ((info.st_mode & 0077U) == 0) return {};
    return fail("others may read " + folder.string() + ", which holds private keys: run chmod 0700 " + folder.string());
}

/// As read_private_file() wants it.
Result<void> check_usable(const std::filesystem::path& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return fail(path.string() + ": " + system_text(errno));
    if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
        return fail(path.string() + " belongs to the user " + std::to_string(info.st_uid) + ", and this is the user " +
                    std::to_string(::geteuid()) + ": private keys must belong to the user that reads them");
    }
    const int wanted = S_ISDIR(info.st_mode) ? R_OK | X_OK : R_OK;
    if (::faccessat(AT_FDCWD, path.c_str(), wanted, AT_EACCESS) == 0) return {};
    return fail("the user " + std::to_string(::geteuid()) + " cannot read " + path.string() + ": " +
                system_text(errno));
}

/// Waits a little while another program changes the keys.
Result<LockFile> lock(const std::filesystem::path& folder) {
    constexpr int tries = 100;
    for (int i = 1;; ++i) {
        auto taken = LockFile::take(folder / lock_name);
        if (taken) return std::move(*taken);
        if (!taken.error().is_held || i == tries) return fail(taken.error().reason);
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

nlohmann::json time_json(const std::optional<KeyRecord::Time>& time) {
    return time ? nlohmann::json(iso8601(*time)) : nlohmann::json();
}

std::optional<KeyRecord::Time> time_in(const nlohmann::json& key, const char* name) {
    const auto found = key.find(name);
    if (found == key.end() || !found->is_string()) return std::nullopt;
    return parse_iso8601(found->get<std::string>());
}

bool is_key_id(const std::string& id) {
    return !id.empty() && id.size() <= 64 &&
           std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

Result<OwnedKeys> parse_list(const std::string& text, const std::filesystem::path& file) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    const auto wrong = [&] { return fail(file.string() + " is not a list of keys that this program has written"); };
    if (!json.is_object() || !json.contains("keys") || !json["keys"].is_array()) return wrong();
    OwnedKeys keys;
    for (const auto& [name, target] : {std::pair{"repository", &keys.owner.repository}, {"user", &keys.owner.user}}) {
        if (!json.contains(name) || !json[name].is_string()) return wrong();
        *target = json[name].get<std::string>();
    }
    for (const auto& entry : json["keys"]) {
        if (!entry.is_object() || !entry.contains("id") || !entry["id"].is_string()) return wrong();
        KeyRecord key{entry["id"].get<std::string>(), {}, time_in(entry, "until"), time_in(entry, "revoked")};
        const auto made = time_in(entry, "made");
        if (!made || !is_key_id(key.id)) return wrong();
        key.made = *made;
        keys.keys.push_back(std::move(key));
    }
    return keys;
}

nlohmann::json list_json(const OwnedKeys& keys) {
    nlohmann::json json{{"repository", keys.owner.repository}, {"user", keys.owner.user}};
    json["keys"] = nlohmann::json::array();
    for (const auto& key : keys.keys) {
        json["keys"].push_back({{"id", key.id},
                                {"made", iso8601(key.made)},
                                {"until", time_json(key.until)},
                                {"revoked", time_json(key.revoked)}});
    }
    return json;
}

}  // namespace

Result<KeyFolder> KeyFolder::open(std::filesystem::path folder, KeyMaker make) {
    if (auto checked = check_private(folder); !checked) return fail(checked.error());
    return KeyFolder(std::move(folder), std::move(make));
}

Result<void> KeyFolder::check_readable() const {
    std::error_code error;
    if (!std::filesystem::exists(folder_, error) && !error) return {};
    if (auto usable = check_usable(folder_); !usable) return usable;
    std::size_t count = 0;
    for (std::filesystem::recursive_directory_iterator entry(folder_, error), end; !error && entry != end;
         entry.increment(error)) {
        if (++count > most_checked) return {};
        // Only who changes keys takes the lock.
        if (entry->path() == folder_ / lock_name) continue;
        if (auto usable = check_usable(entry->path()); !usable) return usable;
    }
    return error ? fail(folder_.string() + ": " + error.message()) : Result<void>();
}

std::filesystem::path KeyFolder::place_of(const KeyOwner& owner) const {
    const auto text = owner.repository + "\n" + owner.user;
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return folder_ / hex(digest, 20);
}

Result<OwnedKeys> KeyFolder::read(const KeyOwner& owner) const {
    const auto file = place_of(owner) / list_name;
    std::error_code error;
    if (!std::filesystem::exists(file, error) && !error) return OwnedKeys{owner, {}};
    const auto text = read_untrusted(file, longest_list);
    if (!text) return fail(text.error());
    return parse_list(*text, file);
}

Result<void> KeyFolder::write(const OwnedKeys& keys) const {
    return write_file(place_of(keys.owner) / list_name, list_json(keys).dump(2) + "\n");
}

Result<std::string> KeyFolder::add_key(OwnedKeys& keys, Time now) const {
    if (keys.keys.size() >= most_keys) {
        return fail("there are " + std::to_string(most_keys) + " keys of this repository and user: too many");
    }
    const auto pair = make_();
    if (!pair) return fail(pair.error());
    const auto id = rsa_key_id(pair->public_pem);
    if (!id) return fail(id.error());
    auto made = write_file(place_of(keys.owner) / (*id + ".pem"), pair->private_pem.reveal());
    if (!made) return fail(made.error());
    keys.keys.push_back({*id, now, std::nullopt, std::nullopt});
    if (auto written = write(keys); !written) return fail(written.error());
    return pair->public_pem;
}

Result<std::string> KeyFolder::public_key(const KeyOwner& owner, Time now) {
    const auto place = place_of(owner);
    if (auto made = make_private_folder(folder_); !made) return fail(made.error());
    const auto locked = lock(folder_);
    if (!locked) return fail(locked.error());
    auto keys = read(owner);
    if (!keys) return fail(keys.error());
    for (auto key = keys->keys.rbegin(); key != keys->keys.rend(); ++key) {
        if (key->revoked || key->until) continue;
        const auto pem = read_private_file(place / (key->id + ".pem"), longest_key);
        return pem ? rsa_public_key(pem->reveal()) : fail(pem.error());
    }
    if (auto made = make_private_folder(place); !made) return fail(made.error());
    return add_key(*keys, now);
}

Result<void> KeyFolder::remove_ended(OwnedKeys& keys, Time now) const {
    auto& list = keys.keys;
    for (const auto& key : list) {
        if (key.is_usable(now)) continue;
        const auto file = place_of(keys.owner) / (key.id + ".pem");
        if (::unlink(file.c_str()) != 0 && errno != ENOENT) return fail(file.string() + ": " + system_text(errno));
    }
    while (list.size() >= most_kept) {
        const auto ended = std::find_if(list.begin(), list.end(), [&](const auto& key) { return !key.is_usable(now); });
        if (ended == list.end()) break;
        list.erase(ended);
    }
    return {};
}

Result<bool> KeyFolder::has_key(const KeyOwner& owner) const {
    const auto keys = read(owner);
    if (!keys) return fail(keys.error());
    return std::any_of(keys->keys.begin(), keys->keys.end(),
                       [](const auto& key) { return !key.revoked && !key.until; });
}

std::size_t KeyFolder::count_owners() const {
    std::error_code error;
    std::size_t count = 0;
    for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end;
         entry.increment(error)) {
        if (is_folder(entry->path())) ++count;
    }
    return count;
}

Result<std::string> KeyFolder::rotate(const KeyOwner& owner, Time now, std::chrono::hours overlap) {
    if (auto made = make_private_folder(place_of(owner)); !made) return fail(made.error());
    const auto locked = lock(folder_);
    if (!locked) return fail(locked.error());
    auto keys = read(owner);
    if (!keys) return fail(keys.error());
    for (auto& key : keys->keys) {
        if (!key.until && !key.revoked) key.until = now + overlap;
    }
    if (auto removed = remove_ended(*keys, now); !removed) return fail(removed.error());
    return add_key(*keys, now);
}

Result<int> KeyFolder::revoke(const KeyOwner& owner, const std::string& id, Time now) {
    const auto locked = lock(folder_);
    if (!locked) return fail(locked.error());
    auto keys = read(owner);
    if (!keys) return fail(keys.error());
    int count = 0;
    for (auto& key : keys->keys) {
        if (key.revoked || (!id.empty() && key.id != id)) continue;
        const auto file = place_of(owner) / (key.id + ".pem");
        if (::unlink(file.c_str()) != 0 && errno != ENOENT) return fail(file.string() + ": " + system_text(errno));
        key.revoked = now;
        ++count;
    }
    if (count == 0) return 0;
    if (auto written = write(*keys); !written) return fail(written.error());
    return count;
}

Result<std::vector<OwnedKeys>> KeyFolder::list() const {
    std::vector<OwnedKeys> all;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end;
         entry.increment(error)) {
        if (all.size() >= most_owners) break;
        const auto file = entry->path() / list_name;
        // A program that was killed may have left an empty folder.
        if (std::error_code unknown; !std::filesystem::exists(file, unknown) && !unknown) continue;
        const auto text = read_untrusted(file, longest_list);
        if (!text) return fail(text.error());
        auto keys = parse_list(*text, file);
        if (!keys) return fail(keys.error());
        all.push_back(std::move(*keys));
    }
    if (error) return fail(folder_.string() + ": " + error.message());
    std::sort(all.begin(), all.end(), [](const OwnedKeys& a, const OwnedKeys& b) {
        return std::tie(a.owner.repository, a.owner.user) < std::tie(b.owner.repository, b.owner.user);
    });
    return all;
}

Result<SecretString> KeyFolder::decrypt(const KeyOwner& owner, std::string_view blocks, Time now) const {
    const auto keys = read(owner);
    if (!keys) return fail(keys.error());
    bool was_revoked = false;
    for (auto key = keys->keys.rbegin(); key != keys->keys.rend(); ++key) {
        was_revoked = was_revoked || !key->is_usable(now);
        if (!key->is_usable(now)) continue;
        const auto pem = read_private_file(place_of(owner) / (key->id + ".pem"), longest_key);
        if (!pem) return fail(pem.error());
        if (auto value = rsa_decrypted(pem->reveal(), blocks)) return std::move(*value);
    }
    return fail(std::string("it cannot be decrypted: was it encrypted for another repository or user") +
                (was_revoked ? ", or with a key that was revoked or rotated?" : "?"));
}

}  // namespace trebuchet
