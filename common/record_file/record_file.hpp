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

/// A file to which records are only ever appended, each with a checksum, so that what a crash or a power cut left of
/// it can be read: 0600, not by way of a link. Records hold 1 byte to 32 MiB.
///
///     the last record is not whole    it is cut off: nobody was promised that it is there
///     damage before a whole record    the whole ones are kept; the file as it was is set aside as <name>.damaged
class RecordFile {
  public:
    /// Returns false if the record makes no sense, which counts as damage. The view is valid during the call.
    using Take = std::function<bool(std::string_view payload)>;

    /// Opens the file, or makes it, and hands over its records in order.
    [[nodiscard]] static Result<RecordFile> open(const std::filesystem::path& path, const Take& take);

    /// What was found wrong when it was opened, for people; "" if nothing was.
    [[nodiscard]] const std::string& problem() const { return problem_; }

    /// Writes it whole or not at all; it is durable after a sync.
    Result<void> append(std::string_view payload) { return append({}, payload); }
    /// One record of two parts.
    Result<void> append(std::string_view first, std::string_view second);

    /// Makes durable what was appended before, the file's name included.
    Result<void> sync() { return sync_work()(); }
    /// The same for another thread, whether this object is still there then or not.
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

/// Makes the names in this folder durable.
[[nodiscard]] Result<void> sync_folder(const std::filesystem::path& folder);

}  // namespace trebuchet
