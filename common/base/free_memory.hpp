#pragma once

namespace trebuchet {

/// Returns memory that was freed to the kernel, where malloc keeps it. Takes a tenth of a millisecond or longer: call
/// it after work that needed much, when nothing waits. Thread-safe.
void return_free_memory();

}  // namespace trebuchet
