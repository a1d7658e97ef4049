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

/// What submitters stored under PUT /v1/secrets, by client and path.
class SecretStore {
  public:
    using Time = std::chrono::system_clock::time_point;

    explicit SecretStore(const Clock& clock) : clock_(clock) {}

    /// Takes over what the file holds, and keeps in it every change from now on. It must outlive this store.
    [[nodiscard]] Result<void> keep_in(DataFile& data);

    /// Replaces what was there. An ephemeral secret goes away when it is first read and has no `expires`.
    void write(const std::string& client_id, const std::string& path, std::string_view value,
               std::optional<Time> expires, bool ephemeral);
    void remove(const std::string& client_id, const std::string& path);

    [[nodiscard]] bool exists(const std::string& client_id, const std::string& path) const;
    /// The value, "" if there is none or it has expired; an ephemeral one is gone afterwards.
    [[nodiscard]] SecretString take(const std::string& client_id, const std::string& path);

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
