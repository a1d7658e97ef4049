#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace trebuchet {

/// An append-only file of records with checksums, readable after a crash or a power cut. Mode 0600; links are not
/// followed. A record has 1 byte to 32 MiB.
///
///     incomplete last record            is removed: its append had not returned, or sync had not
///     damage before a complete record   complete records are kept; the old file is renamed to <name>.damaged
///     something else than a file        is renamed to <name>.set-aside-N; the file is made anew
class RecordFile {
  public:
    /// Returns false if the record is invalid, which counts as damage. The view is valid during the call.
    using Take = std::function<bool(std::string_view payload)>;

    /// Opens or creates the file and passes its records to `take`, in order. Never waits, whatever is in its place.
    [[nodiscard]] static Result<RecordFile> open(const std::filesystem::path& path, const Take& take);

    /// Damage found by open(), or what was in the file's place, as a message; "" if there was none.
    [[nodiscard]] const std::string& problem() const { return problem_; }

    /// Writes all of the record or nothing. Durable after a sync.
    Result<void> append(std::string_view payload) { return append({}, payload); }
    /// Appends one record made of two parts.
    Result<void> append(std::string_view first, std::string_view second);

    /// Makes all appended records, and the file's name, durable.
    Result<void> sync() { return sync_work()(); }
    /// A function that syncs on another thread. It may outlive this object.
    [[nodiscard]] std::function<Result<void>()> sync_work() const;

    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] int fd() const { return file_->descriptor.get(); }
    [[nodiscard]] const std::filesystem::path& path() const { return file_->path; }

  private:
    struct File {
        std::filesystem::path path;
        FileDescriptor descriptor;
        std::atomic<bool> name_is_durable{false};
    };

    RecordFile() = default;

    std::shared_ptr<File> file_;
    std::uint64_t size_ = 0;
    std::string problem_;
};

/// Makes the names of the files in this folder durable.
[[nodiscard]] Result<void> sync_folder(const std::filesystem::path& folder);

}  // namespace trebuchet
