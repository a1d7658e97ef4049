#include "common/base/free_memory.hpp"

#include <malloc.h>

namespace trebuchet {

void return_free_memory() {
    ::malloc_trim(0);
}

}  // namespace trebuchet
