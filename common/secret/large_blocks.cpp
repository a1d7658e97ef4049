#include "common/secret/large_blocks.hpp"

namespace trebuchet {

LargeBlockNote& large_block_note() noexcept {
    thread_local LargeBlockNote note = nullptr;
    return note;
}

}  // namespace trebuchet
