#pragma once

#include "common/base/result.hpp"
#include "common/sealed_value/rsa_oaep.hpp"
#include "common/secret/secret_string.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Whose values a key pair is for: ciphertexts of one repository or user say nothing to the keys of another.
struct KeyOwner {
    std::string repository;  ///< as repository_url() gives it
    std::string user;        ///< a client_id
};

/// One key pair of an owner. The newest usable one encrypts; all usable ones decrypt.
struct KeyRecord {
    using Time = std::chrono::system_clock::time_point;
    std::string id;  ///< rsa_key_id()
    Time made;
    std::optional<Time> until;    ///< after a rotation: it decrypts until then
    std::optional<Time> revoked;  ///< the private key was removed

    [[nodiscard]] bool is_usable(Time now) const { return !revoked && (!until || now < *until); }
};

struct OwnedKeys {
    KeyOwner owner;
    std::vector<KeyRecord> keys;  ///< the oldest first
};

/// The lab's key pairs, in a folder that its hosts may share if the user has the same number on each:
///
///     <folder>/<hash of the owner>/keys.json    repository, user, and when each key was made
///     <folder>/<hash of the owner>/<id>.pem     a private key, 0600
///
/// All folders have mode 0700 and belong to the user that reads them, or to root. Changes take a lock, so that several
/// programs of this user can use the folder.
class KeyFolder {
  public:
    using Time = KeyRecord::Time;

    using KeyMaker = std::function<Result<RsaKeyPair>()>;

    /// Fails if others may read the folder. A missing one is made by the first key. Tests have keys at hand.
    [[nodiscard]] static Result<KeyFolder> open(std::filesystem::path folder, KeyMaker make = make_rsa_key);

    /// Fails, with the reason, if this process cannot use the folder or a file in it: decrypt() would fail, too.
    [[nodiscard]] Result<void> check_readable() const;

    /// Whether public_key() finds a pair.
    [[nodiscard]] Result<bool> has_key(const KeyOwner& owner) const;
    [[nodiscard]] std::size_t count_owners() const;

    /// The public key (PEM) to encrypt with. Makes a pair if there is none, which takes about a second.
    [[nodiscard]] Result<std::string> public_key(const KeyOwner& owner, Time now);
    /// Makes a new pair. Older ones decrypt for `overlap` from now on; those whose time is over
    /// are removed, and their records beyond a few. Returns the public key.
    [[nodiscard]] Result<std::string> rotate(const KeyOwner& owner, Time now, std::chrono::hours overlap);
    /// Removes private keys for good: that with this id, or all of the owner if it is empty. Returns how many.
    [[nodiscard]] Result<int> revoke(const KeyOwner& owner, const std::string& id, Time now);
    [[nodiscard]] Result<std::vector<OwnedKeys>> list() const;

    /// Decrypts with the owner's usable keys, the newest first. Fails if none fits. Only reads; thread-safe.
    [[nodiscard]] Result<SecretString> decrypt(const KeyOwner& owner, std::string_view blocks, Time now) const;

  private:
    KeyFolder(std::filesystem::path folder, KeyMaker make) : folder_(std::move(folder)), make_(std::move(make)) {}

    [[nodiscard]] std::filesystem::path place_of(const KeyOwner& owner) const;
    [[nodiscard]] Result<OwnedKeys> read(const KeyOwner& owner) const;
    [[nodiscard]] Result<void> remove_ended(OwnedKeys& keys, Time now) const;
    [[nodiscard]] Result<std::string> add_key(OwnedKeys& keys, Time now) const;
    [[nodiscard]] Result<void> write(const OwnedKeys& keys) const;

    std::filesystem::path folder_;
    KeyMaker make_;
};

}  // namespace trebuchet
