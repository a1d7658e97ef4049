#pragma once

#include "common/mask/masked_chunk.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// Reads masked text back from storage. Only for classes that store nothing but masked text: spools and journals.
class MaskedStore {
  private:
    friend class Spool;
    friend class JournalReader;
    [[nodiscard]] static MaskedChunk read_back(std::string_view text) {
        return MaskedChunk::from_store(std::string(text), StoredBytesKey());
    }
};

}  // namespace trebuchet
