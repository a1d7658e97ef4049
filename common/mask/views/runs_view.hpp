#pragma once

#include "common/mask/views/derived_text.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Decodes base64, base32 and hex wherever they are in a text, also if it is wrapped, with other text before and behind
/// it in each line. See runs_view.cpp.
class RunsView {
  public:
    /// Appends what the runs of `source` say. `joins`: also across line ends.
    void append(const Source& source, bool joins, DerivedText& out);

  private:
    /// Characters of a run that may go on in the next line: [begin, end) of the source.
    struct Part {
        std::size_t begin;
        std::size_t end;
    };
    void append_run(const Source& source, Part run, bool joins, DerivedText& out);
    [[nodiscard]] bool is_joined(std::size_t begin, std::size_t end) const;
    void append_open_chain(const Source& source, DerivedText& out);
    void append_chain(const Source& source, bool open, DerivedText& out);
    [[nodiscard]] std::size_t join_next(const Source& source, std::size_t behind, DerivedText& out);
    [[nodiscard]] std::size_t in_source(std::size_t index);

    std::vector<Part> chain_;
    /// The characters of the chain, and for each of chain_ where it begins in them.
    WipedString characters_;
    std::vector<std::size_t> starts_;
    std::size_t cursor_ = 0;
    /// Where the parts begin that continue another, and the end of the last of them: they are decoded already.
    std::vector<std::size_t> joined_;
    std::size_t covered_ = 0;
};

}  // namespace trebuchet
