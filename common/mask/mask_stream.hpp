#pragma once

#include "common/mask/anchor_matcher.hpp"
#include "common/mask/literal_table.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Masks one stream at a time against one table.
///
/// All that an unfinished value can consist of is held: it begins at the first position where the rest of the stream is
/// a proper prefix of a literal. So a literal that ends in bytes to come begins in what is held, and nothing before
/// that need be remembered but how far an emitted mask reaches.
class MaskStream {
  public:
    /// All outlive this object. `anchors` was compiled from table.anchors(), `heads` from table.heads(); it is null if
    /// there are none.
    MaskStream(const LiteralTable& table, const AnchorMatcher& anchors, const AnchorMatcher* heads);

    /// Appends to `out` what is certain after `bytes`.
    void write(std::string_view bytes, std::string& out);
    /// Appends what was held; then a new stream may start.
    void finish(std::string& out);
    /// The stream's last or only bytes: write() and finish() in one.
    void write_last(std::string_view bytes, std::string& out);

    [[nodiscard]] std::size_t held() const { return held_.size() - held_begin_; }

  private:
    struct Match {
        std::size_t end;
        std::uint32_t literal;
    };
    /// Overlapping matches, with the leftmost of them, and of several the longest.
    struct Run {
        std::size_t begin;
        std::size_t end;
        std::uint32_t literal;
    };

    void take(std::string_view bytes, bool last, std::string& out);
    std::string_view bridge(std::string_view bytes, bool last, std::string& out, std::size_t& scanned);
    std::size_t advance(std::string_view text, std::size_t scanned, bool last, std::string& out);
    void find(std::string_view text, std::size_t scanned);
    void find_with_matcher(std::string_view text, std::size_t scanned);
    void add_to_runs(Match match);
    std::size_t first_open(std::string_view text, std::size_t scanned);
    std::size_t first_long_open(std::string_view text, std::size_t begin, std::size_t end);
    void emit(std::string_view text, std::size_t until, std::string& out);

    const LiteralTable& table_;
    const AnchorMatcher& anchors_;
    const AnchorMatcher* heads_;
    AnchorMatcher::Scratch scratch_;
    std::optional<AnchorMatcher::Scratch> heads_scratch_;
    std::vector<Match> matches_;
    /// Found in what is held, not emitted; in order, none overlapping another. Positions count from what is held.
    std::vector<Run> runs_;
    /// How much of what is held belongs to a run whose mask has been emitted.
    std::size_t covered_ = 0;
    /// What is held, behind held_begin_ bytes that are done with.
    WipedString held_;
    std::size_t held_begin_ = 0;
};

}  // namespace trebuchet
