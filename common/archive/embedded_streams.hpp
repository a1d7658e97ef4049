#pragma once

#include "common/archive/any_archive.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Finds where compressed data may begin in the middle of a file: by its first bytes, so some of it is chance.
class EmbeddedStreams {
  public:
    /// The file's next bytes.
    void write(std::string_view bytes);

    /// Offsets in the file in ascending order, the first 256.
    [[nodiscard]] std::vector<std::uint64_t> offsets() const;

  private:
    void search(std::string_view bytes, std::uint64_t offset);

    std::vector<std::uint64_t> found_;
    std::string tail_;  ///< of what came before, in which something may have begun
    std::uint64_t size_ = 0;
};

/// Whether a file that begins so may be a zlib stream (RFC 1950), as Git's objects are.
[[nodiscard]] bool may_be_zlib(std::string_view start);

/// The bytes of a zlib stream as a gzip file, which AnyArchive reads.
[[nodiscard]] ArchiveInput zlib_as_gzip(ArchiveInput zlib);

}  // namespace trebuchet
