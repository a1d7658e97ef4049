#pragma once

#include <cstddef>
#include <string>

namespace trebuchet {

/// Allocates secret memory: locked (never swapped), excluded from core dumps, wiped when freed. Small blocks come from
/// pools; a large block has its own pages. Not wiped on fork, because a phase's environment is here and is read between
/// fork and exec. Thread-safe. Throws std::bad_alloc.
[[nodiscard]] void* allocate_secret(std::size_t size, std::size_t alignment = alignof(std::max_align_t));

/// `size` and `alignment` must be those of the allocation. Accepts nullptr.
void free_secret(void* memory, std::size_t size, std::size_t alignment = alignof(std::max_align_t)) noexcept;

/// Why some memory could not be locked, as a sentence (RLIMIT_MEMLOCK is small by default); "" if all is locked.
[[nodiscard]] std::string secret_memory_problem();

}  // namespace trebuchet
