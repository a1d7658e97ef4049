#pragma once

#include "common/mask/finder.hpp"
#include "common/mask/gap.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Finds literals that are interrupted by gaps of one kind (line ends, escape sequences), in one stream at a time. All
/// positions are relative to the start of the given text. Algorithm: see gap_search.cpp.
class GapSearch {
  public:
    /// Shorter literals are not searched for. In bytes.
    static constexpr std::size_t least = Literals::least_to_join;

    /// Both must outlive this object.
    GapSearch(GapKind kind, const Literals& literals, Finder& finder)
        : kind_(kind), literals_(literals), finder_(finder) {}

    /// Appends to `matches` the literals with gaps that end in bytes of `text` which are new since the last call.
    /// `line_ends` is for GapKind::indented: line_ends() of the search for the other kind, after find() with the same
    /// text.
    void find(std::string_view text, bool last, const std::vector<std::size_t>& line_ends, std::vector<Match>& matches);

    /// For GapKind::bare: the line ends of the last find() that are followed by blanks or by the end of the text.
    [[nodiscard]] const std::vector<std::size_t>& line_ends() const { return line_ends_; }

    /// The first position of the last text at which a literal with a gap may begin, or an incomplete escape sequence
    /// begins; the text's size if there is none.
    [[nodiscard]] std::size_t first_open(std::string_view text);

    /// How far the last text may be shown although a literal with a gap may have begun; at most `until`. See
    /// Finder::showable.
    [[nodiscard]] std::size_t showable_until(std::string_view text, std::size_t until) const;

    /// Removes the first `count` bytes of the last text.
    void drop(std::string_view text, std::size_t count);

    /// Starts a new stream.
    void clear();

  private:
    /// A part of the chain that is contiguous in the text.
    struct Piece {
        std::size_t chain_begin;
        std::size_t text_begin;
    };

    [[nodiscard]] bool is_gap_byte(char c) const;
    void skip_rest_of_gap(std::string_view text);
    [[nodiscard]] std::size_t next_gap(std::string_view text, GapScanner& scanner,
                                       const std::vector<std::size_t>& line_ends, std::size_t& next) const;
    void note_line_end(std::string_view text, const Gap& gap);
    [[nodiscard]] std::size_t piece_begin(std::string_view text, std::size_t end) const;
    [[nodiscard]] std::size_t behind_plain_line_end(std::string_view text) const;
    [[nodiscard]] std::size_t open_before(std::string_view text, std::size_t end);
    void extend(std::string_view text, std::size_t end, std::vector<Match>& matches);
    [[nodiscard]] bool join(std::string_view text, const Gap& gap);
    void search(std::vector<Match>& matches);
    void end_chain(std::vector<Match>& matches);
    [[nodiscard]] const Piece& piece_at(std::size_t chain_position) const;
    [[nodiscard]] std::size_t in_text(std::size_t chain_position) const;

    GapKind kind_;
    const Literals& literals_;
    Finder& finder_;
    /// The text is read up to here. If there is more text, an incomplete gap begins here.
    std::size_t read_ = 0;
    std::vector<std::size_t> line_ends_;
    /// An incomplete gap begins at read_.
    bool is_pending_ = false;
    /// The text at read_ continues a gap whose beginning was removed by drop().
    bool in_gap_ = false;
    /// The end of the last gap, or of the last text that cannot be part of a literal.
    std::size_t piece_begin_ = 0;
    /// The text without gaps, from before the last gap on; empty if no literal can continue across that gap.
    WipedString chain_;
    std::vector<Piece> pieces_;
    std::size_t searched_ = 0;
    /// How much of the chain was searched before the last find().
    std::size_t known_ = 0;
    /// The literal with which the chain begins at open_at_, as far as known.
    OpenLiteral open_;
    std::size_t open_at_ = 0;
    std::vector<Match> found_;
};

}  // namespace trebuchet
