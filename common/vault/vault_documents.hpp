#pragma once

#include "common/secret/secret_json.hpp"
#include "common/secret/secret_string.hpp"
#include "common/vault/vault_client.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// What Vault keeps under a path. Texts are as they are; other values are JSON, and null is "".
struct VaultDocument {
    std::map<std::string, SecretString> fields;
    /// Of a dynamic credential: for how long it is good, if its token lives as long. 0: no limit.
    std::chrono::seconds lifetime{0};
};

/// How to read what is under a mount.
struct VaultMount {
    enum class Kind { kv1, kv2, other };
    std::string path;  ///< with the slash at its end
    Kind kind = Kind::other;
};

/// The mount that sys/internal/ui/mounts/<path> describes; nullopt if it makes no sense.
[[nodiscard]] std::optional<VaultMount> mount_in(const SecretJson& answer);

/// Where to read `path`, which may have the `data/` of a KV 2 or not.
[[nodiscard]] std::string place_of(const VaultMount& mount, const std::string& path);

/// The document in an answer. `is_kv2`: its fields are one level deeper.
[[nodiscard]] VaultResult<VaultDocument> document_in(const SecretJson& answer, bool is_kv2);

/// Reads documents with one token, and asks only once for each mount. Use it on the loop's thread.
class VaultReader {
  public:
    using Done = std::function<void(VaultResult<VaultDocument>)>;

    /// `client` must outlive it.
    explicit VaultReader(VaultClient& client) : client_(client) {}

    /// Calls `done` once, on the loop. `path`: mount/path, for KV 1 and 2 with or without `data/`. Any other path is
    /// read as it is, which makes a dynamic credential. mount/path?NAME=VALUE&… posts these texts instead, at most
    /// once: each answer is another credential. If Vault does not say what the mount is, then KV 2 is tried.
    void read(const SecretString& token, const std::string& path, Done done);

  private:
    [[nodiscard]] const VaultMount* known_mount_of(std::string_view path) const;
    void post(const SecretString& token, const std::string& path, Done done);
    void read_at(const SecretString& token, const VaultMount& mount, const std::string& path, Done done);
    void read_blindly(const SecretString& token, const std::string& path, Done done);

    VaultClient& client_;
    std::vector<VaultMount> mounts_;
};

}  // namespace trebuchet
