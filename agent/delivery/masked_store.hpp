#pragma once

#include "common/mask/masked_chunk.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// Reads back what was masked before it was stored. Only those who store nothing else may: spools and journals.
class MaskedStore {
  private:
    friend class Spool;
    friend class JournalReader;
    [[nodiscard]] static MaskedChunk read_back(std::string_view text) {
        return MaskedChunk::from_store(std::string(text), StoredBytesKey());
    }
};

}  // namespace trebuchet
