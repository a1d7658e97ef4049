#pragma once

#include "common/mask/finder.hpp"
#include "common/mask/gap.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Finds literals that gaps of one kind cut in one stream at a time: it searches the stream without its gaps, but only
/// those parts where the bytes on both sides of a gap may belong together. All positions count from the start of the
/// text given.
class Shadow {
  public:
    /// Literals shorter than this are not looked for.
    static constexpr std::size_t least = Literals::least_to_join;

    /// Both outlive this object.
    Shadow(GapKind kind, const Literals& literals, Finder& finder)
        : kind_(kind), literals_(literals), finder_(finder) {}

    /// Appends to `matches` what has a gap in it and ends in bytes of `text` that were not there at the last call.
    /// `line_ends`: of GapKind::indented, those that line_ends() of the other kind gives for the same text.
    void find(std::string_view text, bool last, const std::vector<std::size_t>& line_ends, std::vector<Match>& matches);

    /// Of GapKind::bare: where line ends begin that have blanks behind them, or nothing yet, among those that the last
    /// call of find() saw.
    [[nodiscard]] const std::vector<std::size_t>& line_ends() const { return line_ends_; }

    /// The earliest position of `text`, as it was searched last, that may begin a literal with a gap in it, or a
    /// terminal's sequence that is not finished; the text's size if there is none.
    [[nodiscard]] std::size_t first_open(std::string_view text);

    /// How far `text`, as it was searched last, may be shown although a literal with a gap in it may have begun; at
    /// most `until`.
    [[nodiscard]] std::size_t showable_until(std::string_view text, std::size_t until) const;

    /// The first `count` bytes of `text`, as it was searched last, are done with.
    void drop(std::string_view text, std::size_t count);

    /// A new stream starts.
    void clear();

  private:
    /// Bytes of the chain that follow each other in the text.
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
    /// Up to here the text has been read; if there is more of it, a gap begins here that is not complete.
    std::size_t read_ = 0;
    std::vector<std::size_t> line_ends_;
    /// At read_ begins a gap that is not complete.
    bool is_pending_ = false;
    /// What follows at read_ goes on with a gap of which the beginning was dropped.
    bool in_gap_ = false;
    /// Behind the last gap, or whatever else ends what belongs together.
    std::size_t piece_begin_ = 0;
    /// What is read, without gaps, from a place in front of the last gap on; empty if nothing goes on over that.
    WipedString chain_;
    std::vector<Piece> pieces_;
    std::size_t searched_ = 0;
    /// How much of the chain had been searched before the last call of find().
    std::size_t known_ = 0;
    /// What makes the chain open from open_at_ on.
    OpenLiteral open_;
    std::size_t open_at_ = 0;
    std::vector<Match> found_;
};

}  // namespace trebuchet
