#pragma once

#include "common/base/result.hpp"
#include "common/mask/mask_set.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace trebuchet {

/// Passes the first `size` bytes of the file, masked, to `take` in pieces. Returns false if there are fewer bytes or
/// some cannot be read: then `take` got the bytes before that. Fails with the Error of `take`, or if another thread
/// sets `stop`.
[[nodiscard]] Result<bool> read_masked(int fd, std::uint64_t size, const std::shared_ptr<const MaskSet>& masks,
                                       const std::function<Result<void>(const MaskedChunk&)>& take,
                                       const std::atomic<bool>* stop = nullptr);

}  // namespace trebuchet
