#pragma once

#include "common/mask/masked_chunk.hpp"

#include <string>

namespace trebuchet {

/// What a job's webhook is told.
struct JobEvent {
    std::string name;
    std::string timestamp;  ///< ISO 8601
    MaskedChunk detail;
};

}  // namespace trebuchet
