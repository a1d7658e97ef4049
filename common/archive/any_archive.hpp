#pragma once

#include "common/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// The source of an archive's bytes.
struct ArchiveInput {
    /// Reads at most `size` bytes. Returns 0 at the end and a negative number on an error.
    std::function<std::ptrdiff_t(char* buffer, std::size_t size)> read;
    /// Continues at this offset. Null for a stream: then a ZIP is read without its directory, and a 7z cannot be read.
    std::function<void(std::uint64_t offset)> seek;
    std::uint64_t size = 0;  ///< total bytes, for seek
};

/// An entry of an archive, or the content of a compressed file. Untrusted.
struct ArchivedEntry {
    std::string names;  ///< all its names, one per line: path, link target, owners
    bool is_encrypted = false;
};

/// Reads archives with libarchive: tar, zip, 7z, cpio, ar (deb) and ISO 9660, also inside gzip, bzip2, xz, lzma, lzip,
/// zstd, lz4, compress and rpm, which may be nested; and single compressed files. Does not read formats for which
/// libarchive runs other programs, nor RAR, CAB and LHA, whose readers have a poor record with hostile input: see
/// unreadable_kind.
class AnyArchive {
  public:
    /// nullopt if the input is neither an archive nor compressed.
    [[nodiscard]] static Result<std::optional<AnyArchive>> open(ArchiveInput input);
    AnyArchive(AnyArchive&&) noexcept;
    AnyArchive& operator=(AnyArchive&&) noexcept;
    ~AnyArchive();

    /// nullopt at the end.
    [[nodiscard]] Result<std::optional<ArchivedEntry>> next();
    /// Reads the entry's content; 0 at its end.
    [[nodiscard]] Result<std::size_t> read(char* buffer, std::size_t size);
    /// Number of nested compressions, plus 1 for the archive.
    [[nodiscard]] std::size_t layers() const;
    /// After reading to the end: the length of the archive within the input. nullopt for ZIP, 7z and ISO, whose parts
    /// may be anywhere.
    [[nodiscard]] std::optional<std::uint64_t> length() const;

  private:
    struct State;
    explicit AnyArchive(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// The kind of an archive or compressed file that AnyArchive cannot read, by its first bytes; otherwise "".
[[nodiscard]] std::string_view unreadable_kind(std::string_view start);

}  // namespace trebuchet
