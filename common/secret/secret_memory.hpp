#pragma once

#include <cstddef>
#include <string>

namespace trebuchet {

/// Memory for secrets: locked (never in swap), not in core dumps, wiped when freed. From pools for small blocks; each
/// big block has pages of its own. Not wiped on fork: a phase's environment is made here, and read between fork and
/// exec. On any thread. Throws std::bad_alloc.
[[nodiscard]] void* allocate_secret(std::size_t size, std::size_t alignment = alignof(std::max_align_t));

/// `size` and `alignment` as they were allocated with; nullptr is fine.
void free_secret(void* memory, std::size_t size, std::size_t alignment = alignof(std::max_align_t)) noexcept;

/// What kept memory from being locked until now (RLIMIT_MEMLOCK is small by default), as one sentence; "" if nothing
/// did.
[[nodiscard]] std::string secret_memory_problem();

}  // namespace trebuchet
