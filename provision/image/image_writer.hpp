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
    std::optional<Checksum> checksum;  ///< of the source, before decompression
    bool verify = false;               ///< read the target back and compare
    std::chrono::milliseconds timeout = std::chrono::minutes(30);
};

struct ImageTools {
    const ConnectorLog& log;
    Interrupt& interrupt;
    const Clock& clock;
    int terminal = -1;  ///< descriptor for a progress bar; -1: log lines
};

struct ImageError {
    std::string message;           ///< contains no secrets
    int signal = 0;                ///< not 0: a stop signal arrived
    bool is_final = false;         ///< a retry cannot help
    std::string wrong_checksum{};  ///< of the whole source; "": that is not what failed
};

/// Copies an image from a source to a target and decompresses it (zstd, xz, gzip, bzip2, zip or raw, recognised by its
/// first bytes). Streams with at most 16 MiB in memory; one thread reads, one writes. Returns the number of bytes sent
/// to the target. After a failure the target's content is undefined.
///
/// The checksum is verified only at the end: do not boot from the target before this returns.
[[nodiscard]] tl::expected<std::uint64_t, ImageError> write_image(ImageSource& source, ImageTarget& target,
                                                                  const ImageOptions& options, const ImageTools& tools);

}  // namespace trebuchet
