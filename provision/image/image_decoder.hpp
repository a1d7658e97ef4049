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

/// By the first bytes.
[[nodiscard]] Compression recognise_compression(std::string_view start);

/// Reads an image, compressed or not, from a descriptor. Memory is bounded by what the formats' decoders need.
/// Lives on one thread, but for bytes_read.
class ImageDecoder {
  public:
    struct Options {
        bool decompress = true;  ///< else what zstdcat takes (zstd, gzip, xz) comes out as it is
        std::optional<DigestKind> digest;
    };
    /// Reads the image's start. `fd` must stay open.
    [[nodiscard]] static Result<ImageDecoder> open(int fd, const Options& options);
    ImageDecoder(ImageDecoder&& other) noexcept;
    ImageDecoder& operator=(ImageDecoder&& other) noexcept;
    ~ImageDecoder();

    [[nodiscard]] Compression compression() const;
    /// Fills the buffer; less than its size, and then 0, at the image's end. A compressed image that was cut is an
    /// Error.
    [[nodiscard]] Result<std::size_t> read(char* buffer, std::size_t size);
    /// Reads what follows the image, and returns the digest of all that was read, if one was asked for.
    [[nodiscard]] Result<std::string> finish();
    /// Bytes of the source so far. From any thread.
    [[nodiscard]] std::uint64_t bytes_read() const;
    /// The descriptor came to its end.
    [[nodiscard]] bool source_ended() const;
    /// Size of the decompressed image, where a zip tells it.
    [[nodiscard]] std::optional<std::uint64_t> known_size() const;

  private:
    struct State;
    explicit ImageDecoder(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace trebuchet
