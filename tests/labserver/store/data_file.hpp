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

/// The rows of a few tables in one SQLite file, for one program at a time. What put() or erase() did is there after the
/// program was killed, though not for certain after the machine was.
class DataFile {
  public:
    /// Makes the file, for its owner alone, if there is none.
    [[nodiscard]] static Result<DataFile> open(const std::filesystem::path& path);

    DataFile(DataFile&&) noexcept;
    DataFile& operator=(DataFile&&) noexcept;
    ~DataFile();

    /// Replaces the row of that key, or adds one at the end. `bytes` may be anything.
    void put(std::string_view table, std::string_view key, const Json& row, std::string_view bytes = {});
    void erase(std::string_view table, std::string_view key);

    /// Why the first put() or erase() since the last call had no effect.
    [[nodiscard]] Result<void> check();

    using Visit = std::function<void(const std::string& key, const Json& row, std::string_view bytes)>;
    /// In the order in which they were added. Fails if a row is not what `visit` expects of the JSON in it.
    [[nodiscard]] Result<void> for_each(std::string_view table, const Visit& visit);

  private:
    struct Impl;
    explicit DataFile(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// As a row holds it: microseconds since 1970.
[[nodiscard]] inline std::int64_t stored(std::chrono::system_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}
[[nodiscard]] inline std::chrono::system_clock::time_point time_from(const Json& row) {
    return std::chrono::system_clock::time_point(std::chrono::microseconds(row.get<std::int64_t>()));
}

}  // namespace trebuchet::labserver
