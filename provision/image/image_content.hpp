#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace trebuchet {

/// How much of an image inspect_image() wants to see.
inline constexpr std::size_t image_start_size = std::size_t{64} * 1024 + 512;

/// What the first bytes of a decompressed image tell.
struct ImageContent {
    std::string refusal{};  ///< what it is instead of an image: "a web page (HTML)"; "": it may be an image
    std::string warning{};  ///< one sentence; "": nothing
};

/// Refuses what a server sends instead of an image (a web page, XML, JSON, a folder listing), archives, scripts, and
/// disk images that need a conversion. Warns where there is neither a partition table (MBR, GPT) nor a filesystem at
/// the start: no device boots from that, but some write a boot loader to its place. Says nothing of an empty text.
[[nodiscard]] ImageContent inspect_image(std::string_view start);

}  // namespace trebuchet
