#pragma once

#include "common/base/result.hpp"
#include "tests/labserver/text/json_text.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace trebuchet::labserver {

/// The rows of a few tables in one SQLite file. Only one program at a time can use it. Changes survive a kill of the
/// program; after a crash of the machine they may be lost.
class DataFile {
  public:
    /// Creates the file if it is missing, with mode 0600.
    [[nodiscard]] static Result<DataFile> open(const std::filesystem::path& path);

    DataFile(DataFile&&) noexcept;
    DataFile& operator=(DataFile&&) noexcept;
    ~DataFile();

    /// Replaces the row with this key, or adds one at the end. `bytes` may contain any bytes.
    void put(std::string_view table, std::string_view key, const Json& row, std::string_view bytes = {});
    void erase(std::string_view table, std::string_view key);

    /// Returns the error of the first put() or erase() that failed since the last call.
    [[nodiscard]] Result<void> check();

    using Visit = std::function<void(const std::string& key, const Json& row, std::string_view bytes)>;
    /// Visits the rows in the order in which they were added. Fails if `visit` throws because of a row's JSON.
    [[nodiscard]] Result<void> for_each(std::string_view table, const Visit& visit);

  private:
    struct Impl;
    explicit DataFile(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// The form in a row: microseconds since 1970.
[[nodiscard]] inline std::int64_t stored(std::chrono::system_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}
[[nodiscard]] inline std::chrono::system_clock::time_point time_from(const Json& row) {
    return std::chrono::system_clock::time_point(std::chrono::microseconds(row.get<std::int64_t>()));
}

}  // namespace trebuchet::labserver
