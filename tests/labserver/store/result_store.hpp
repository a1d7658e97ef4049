#pragma once

#include "tests/labserver/store/data_file.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet::labserver {

struct LogFragment {
    std::int64_t number = 0;
    std::chrono::system_clock::time_point timestamp;
    std::string phase;
    std::string data;
};

struct LogText {
    std::int64_t last_fragment_number = -1;
    std::string data;
};

/// Logs and files by job id, whether or not the job exists: the real server does not keep them with the jobs either.
class ResultStore {
  public:
    using Time = std::chrono::system_clock::time_point;
    using Bytes = std::shared_ptr<const std::string>;

    /// Loads the store from the file, and from then on saves every change in it. The file must outlive the store.
    [[nodiscard]] Result<void> keep_in(DataFile& data);

    /// `type` is "output" or "serial". A fragment that is sent twice is stored twice.
    void add_fragment(const std::string& job_id, const std::string& type, LogFragment fragment, Time now);

    /// The fragments of one phase, joined in the order of their numbers. Starts at `start_fragment` and, if given, at
    /// `start_time`.
    [[nodiscard]] LogText text(const std::string& job_id, const std::string& type, std::string_view phase,
                               std::int64_t start_fragment = INT64_MIN, std::optional<Time> start_time = {}) const;

    /// `kind` is "artifact" or "attachments".
    void set_file(const std::string& job_id, const std::string& kind, std::string bytes, Time now);
    /// Returns nullptr if there is no such file.
    [[nodiscard]] Bytes file(const std::string& job_id, const std::string& kind) const;

    /// Removes logs and files that were last updated before `limit`.
    void forget_before(Time limit);

  private:
    using Key = std::pair<std::string, std::string>;
    struct Log {
        std::vector<LogFragment> fragments;  // sorted by number
        Time updated;
    };
    struct File {
        Bytes bytes;
        Time updated;
    };
    void insert(const Key& key, LogFragment fragment, Time now);

    std::map<Key, Log> logs_;
    std::map<Key, File> files_;
    DataFile* data_ = nullptr;
};

}  // namespace trebuchet::labserver
