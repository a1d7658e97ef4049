#pragma once

#include <cstddef>

namespace trebuchet {

/// Where cpprestsdk grows a buffer with whatever the server sends, this is how we learn of it: if a thread has set
/// `large_block_note`, it is called with its size when that thread gets a block of at least this size from operator new
/// (trebuchet_wiping_new; without that library never).
constexpr std::size_t large_block = std::size_t{4} << 20U;

using LargeBlockNote = void (*)(std::size_t size) noexcept;

LargeBlockNote& large_block_note() noexcept;  ///< of this thread; nullptr at first

}  // namespace trebuchet
