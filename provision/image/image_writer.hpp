#pragma once

#include "common/base/clock.hpp"
#include "provision/image/checksum.hpp"
#include "provision/image/image_source.hpp"
#include "provision/image/image_target.hpp"
#include "provision/log/connector_log.hpp"
#include "provision/process/interrupt.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <tl/expected.hpp>

namespace trebuchet {

struct ImageOptions {
    std::optional<Checksum> checksum;  ///< of the source as it is, compressed
    bool verify = false;               ///< read back what was written and compare
    std::chrono::milliseconds timeout = std::chrono::minutes(30);
};

struct ImageTools {
    const ConnectorLog& log;
    Interrupt& interrupt;
    const Clock& clock;
    int terminal = -1;  ///< where a progress bar goes
};

struct ImageError {
    std::string message;    ///< for people; no secrets
    int signal = 0;         ///< not 0: we were told to stop
    bool is_final = false;  ///< the same again would fail again
};

/// Copies an image from a source to a target: decompressed (zstd, xz, gzip, bzip2, zip or raw, recognised by its first
/// bytes), streamed, with at most 16 MiB of it in memory, each of reading and writing on a thread of its own. Returns
/// the number of bytes of the image that went to the target. After a failure the target holds anything.
///
/// The checksum is known to be right or wrong only at the end. Whatever has the image written must not start it before.
[[nodiscard]] tl::expected<std::uint64_t, ImageError> write_image(ImageSource& source, ImageTarget& target,
                                                                  const ImageOptions& options, const ImageTools& tools);

}  // namespace trebuchet
