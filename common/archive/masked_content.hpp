#pragma once

#include "common/base/result.hpp"
#include "common/mask/mask_set.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace trebuchet {

/// Hands the first `size` bytes of the file to `take`, masked, piece by piece. False if there are fewer now or they
/// can't be read: then `take` had what could be. An Error is one of `take`, or
/// says that another thread set `stop`.
[[nodiscard]] Result<bool> read_masked(int fd, std::uint64_t size, const std::shared_ptr<const MaskSet>& masks,
                                       const std::function<Result<void>(const MaskedChunk&)>& take,
                                       const std::atomic<bool>* stop = nullptr);

/// How many bytes read_masked will hand over if the file stays as it is; nothing if it can't be read.
[[nodiscard]] std::optional<std::uint64_t> masked_size(int fd, std::uint64_t size,
                                                       const std::shared_ptr<const MaskSet>& masks,
                                                       const std::atomic<bool>* stop = nullptr);

}  // namespace trebuchet
