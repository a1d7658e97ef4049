#pragma once

#include "common/archive/any_archive.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Finds offsets in a file where compressed data may begin, by magic numbers. Some of them are false positives.
class EmbeddedStreams {
  public:
    /// Adds the file's next bytes.
    void write(std::string_view bytes);

    /// The first 256 offsets, ascending.
    [[nodiscard]] std::vector<std::uint64_t> offsets() const;

  private:
    void search(std::string_view bytes, std::uint64_t offset);

    std::vector<std::uint64_t> found_;
    std::string tail_;  ///< the last bytes, in which a magic number may have begun
    std::uint64_t size_ = 0;
};

/// True if a file with these first bytes may be a zlib stream (RFC 1950), such as a Git object.
[[nodiscard]] bool may_be_zlib(std::string_view start);

/// Presents a zlib stream as a gzip file, which AnyArchive can read.
[[nodiscard]] ArchiveInput zlib_as_gzip(ArchiveInput zlib);

}  // namespace trebuchet
