#pragma once

#include "common/base/result.hpp"
#include "common/mask/mask_set.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace trebuchet {

/// Hands the first `size` bytes of the file to `take`, masked, piece by piece. False if there are fewer now or they
/// can't be read: then `take` had what could be. An Error is one of `take`, or
/// says that another thread set `stop`.
[[nodiscard]] Result<bool> read_masked(int fd, std::uint64_t size, const std::shared_ptr<const MaskSet>& masks,
                                       const std::function<Result<void>(const MaskedChunk&)>& take,
                                       const std::atomic<bool>* stop = nullptr);

}  // namespace trebuchet
