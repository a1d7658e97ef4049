#pragma once

#include "common/mask/views/derived_text.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Reads bytes that are written as numbers: dumps by xxd, hexdump, od, kernels and boot loaders, and lists in
/// programming languages. See numbers_view.cpp.
class NumbersView {
  public:
    /// Appends what the lists of numbers in `source` say.
    void append(const Source& source, DerivedText& out);

    struct Line {
        std::size_t begin;
        std::size_t end;
    };

  private:
    std::vector<Line> lines_;
};

}  // namespace trebuchet
