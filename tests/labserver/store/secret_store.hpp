#pragma once

#include "common/base/clock.hpp"
#include "common/secret/secret_string.hpp"
#include "tests/labserver/store/data_file.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet::labserver {

/// What submitters stored with PUT /v1/secrets, by client and path.
class SecretStore {
  public:
    using Time = std::chrono::system_clock::time_point;

    explicit SecretStore(const Clock& clock) : clock_(clock) {}

    /// Loads the store from the file, and from then on saves every change in it. The file must outlive the store.
    [[nodiscard]] Result<void> keep_in(DataFile& data);

    /// Replaces a secret of the same path. An ephemeral secret is deleted when it is first read; it has no `expires`.
    void write(const std::string& client_id, const std::string& path, std::string_view value,
               std::optional<Time> expires, bool ephemeral);
    void remove(const std::string& client_id, const std::string& path);

    [[nodiscard]] bool exists(const std::string& client_id, const std::string& path) const;
    /// Returns the value, or "" if there is none or it has expired. Deletes an ephemeral secret.
    [[nodiscard]] SecretString take(const std::string& client_id, const std::string& path);

    /// {client: [path]}, without values
    [[nodiscard]] Json names() const;

  private:
    struct Entry {
        SecretString value;
        std::optional<Time> expires;
        bool ephemeral = false;
    };
    using Key = std::pair<std::string, std::string>;

    [[nodiscard]] bool has_expired(const Entry& entry) const;

    const Clock& clock_;
    std::map<Key, Entry> entries_;
    DataFile* data_ = nullptr;
};

}  // namespace trebuchet::labserver
