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

/// Where an archive's bytes come from.
struct ArchiveInput {
    /// The next bytes, at most `size`; 0 at the end, fewer than 0 if they can't be read.
    std::function<std::ptrdiff_t(char* buffer, std::size_t size)> read;
    /// Goes on at this place. Null if the bytes come in one pass: then a ZIP is read without its directory, a 7z not.
    std::function<void(std::uint64_t offset)> seek;
    std::uint64_t size = 0;  ///< of all, for seek
};

/// One entry of an archive, or what a compressed file holds. Nothing of it is to be trusted.
struct ArchivedEntry {
    std::string names;  ///< every name in it, a line each: path, link's target, owners
    bool is_encrypted = false;
};

/// Reads what libarchive knows: tar, zip, 7z, cpio, ar (deb), ISO 9660; gzip, bzip2, xz, lzma, lzip, zstd, lz4,
/// compress and rpm around them, one in the other too, or around a single file. Not those that it hands to other
/// programs, and not RAR, CAB and LHA, whose readers have a poor record with hostile input: see unreadable_kind.
class AnyArchive {
  public:
    /// Nothing if it is neither an archive nor compressed.
    [[nodiscard]] static Result<std::optional<AnyArchive>> open(ArchiveInput input);
    AnyArchive(AnyArchive&&) noexcept;
    AnyArchive& operator=(AnyArchive&&) noexcept;
    ~AnyArchive();

    /// Nothing at the end.
    [[nodiscard]] Result<std::optional<ArchivedEntry>> next();
    /// The next bytes of the entry's content; 0 at its end.
    [[nodiscard]] Result<std::size_t> read(char* buffer, std::size_t size);
    /// Compressions around what is read, and the archive.
    [[nodiscard]] std::size_t layers() const;
    /// Once it was read to its end: so many bytes of the input are its own. Nothing of a ZIP, 7z or ISO, whose parts
    /// may lie anywhere.
    [[nodiscard]] std::optional<std::uint64_t> length() const;

  private:
    struct State;
    explicit AnyArchive(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// What a file that begins so is, if it is an archive or compressed and AnyArchive can't read it; else "".
[[nodiscard]] std::string_view unreadable_kind(std::string_view start);

}  // namespace trebuchet
