#pragma once

#include <cstddef>

namespace trebuchet {

/// Lets us notice that cpprestsdk grows a buffer without limit. trebuchet_wiping_new's operator new calls the thread's
/// `large_block_note`, if set, with the size of each block of at least `large_block` bytes. Programs without that
/// library never call it.
constexpr std::size_t large_block = std::size_t{4} << 20U;

using LargeBlockNote = void (*)(std::size_t size) noexcept;

LargeBlockNote& large_block_note() noexcept;  ///< per thread; nullptr by default

}  // namespace trebuchet
