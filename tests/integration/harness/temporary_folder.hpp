#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet::harness {

/// A folder of the test's own, 0700, removed with all that is in it.
class TemporaryFolder {
  public:
    enum class Place { disk, memory };
    /// Below the folder for temporary files, or on tmpfs.
    explicit TemporaryFolder(Place place = Place::disk);
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

    /// Writes a file, its folders made where missing; returns its path.
    std::filesystem::path write(const std::filesystem::path& name, std::string_view bytes) const;

  private:
    std::filesystem::path path_;
};

/// The file's bytes; "" if it can't be read.
[[nodiscard]] std::string bytes_of(const std::filesystem::path& file);

/// Every file, folder and link below `folder`, sorted.
[[nodiscard]] std::vector<std::filesystem::path> everything_in(const std::filesystem::path& folder);

/// The regular files below `folder` that hold `text`, in their bytes or in their names.
[[nodiscard]] std::vector<std::filesystem::path> files_holding(const std::filesystem::path& folder,
                                                               std::string_view text);

}  // namespace trebuchet::harness
