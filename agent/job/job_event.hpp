#pragma once

#include "common/mask/masked_chunk.hpp"

#include <string>

namespace trebuchet {

/// An event for a job's webhook.
struct JobEvent {
    std::string name;
    std::string timestamp;  ///< ISO 8601
    MaskedChunk detail;
};

}  // namespace trebuchet
