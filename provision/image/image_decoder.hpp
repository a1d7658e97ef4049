#pragma once

#include "common/base/result.hpp"
#include "provision/image/digest.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

enum class Compression { none, zstd, xz, gzip, bzip2, zip };

[[nodiscard]] const char* name_of(Compression compression);

/// Recognises a format by its magic number.
[[nodiscard]] Compression recognise_compression(std::string_view start);

/// Reads an image from a descriptor and decompresses it. Memory use is bounded by the formats' decoders. Not
/// thread-safe, except bytes_read().
class ImageDecoder {
  public:
    struct Options {
        bool decompress = true;  ///< false: zstd, gzip and xz come out compressed, for a target that runs zstdcat
        std::optional<DigestKind> digest;
    };
    /// Reads the first 256 KiB of the source, or all of it. `fd` must stay open.
    [[nodiscard]] static Result<ImageDecoder> open(int fd, const Options& options);
    ImageDecoder(ImageDecoder&& other) noexcept;
    ImageDecoder& operator=(ImageDecoder&& other) noexcept;
    ~ImageDecoder();

    [[nodiscard]] Compression compression() const;
    /// The first bytes of the decompressed image, at most image_start_size. Fewer, or none, where the start of the
    /// source does not tell more.
    [[nodiscard]] std::string start() const;
    /// Fills the buffer. A short read, then 0, marks the end of the image. Fails if a compressed image is truncated.
    [[nodiscard]] Result<std::size_t> read(char* buffer, std::size_t size);
    /// Reads the source to its end. Returns the digest of the whole source, or "" if Options::digest is not set.
    [[nodiscard]] Result<std::string> finish();
    /// Bytes read from the source. Thread-safe.
    [[nodiscard]] std::uint64_t bytes_read() const;
    /// The descriptor is at its end.
    [[nodiscard]] bool source_ended() const;
    /// Size of the decompressed image, if a zip states it.
    [[nodiscard]] std::optional<std::uint64_t> known_size() const;

  private:
    struct State;
    explicit ImageDecoder(std::unique_ptr<State> state);
    [[nodiscard]] static std::string start_of(const char* bytes, std::size_t size, Compression compression);
    std::unique_ptr<State> state_;
};

}  // namespace trebuchet
