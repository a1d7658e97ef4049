#pragma once

#include "common/mask/finder.hpp"
#include "common/mask/mask_counts.hpp"
#include "common/mask/shadow.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Masks one stream at a time against one set of literals.
///
/// All that an unfinished value can consist of is held: it begins at the first position where the rest of the stream is
/// a proper prefix of a literal. So a literal that ends in bytes to come begins in what is held, and nothing before
/// that need be remembered but how far an emitted mask reaches.
class MaskStream {
  public:
    /// `literals` outlives this object.
    explicit MaskStream(const Literals& literals)
        : literals_(&literals),
          finder_(std::make_unique<Finder>(literals)),
          shadow_(GapKind::bare, literals, *finder_),
          indented_shadow_(GapKind::indented, literals, *finder_) {}

    /// From now on each mask is counted here; null: nowhere.
    void count_in(MaskCounts* counts) { counts_ = counts; }

    /// Appends to `out` what is certain after `bytes`.
    void write(std::string_view bytes, std::string& out);
    /// Appends what was held; then a new stream may start.
    void finish(std::string& out);
    /// The stream's last or only bytes: write() and finish() in one.
    void write_last(std::string_view bytes, std::string& out);

    /// Appends what is held back as far as that shows at most min(3, a quarter) of the bytes of any value that may be
    /// under way, however often it is called. If such a value comes, a mask stands for the rest of it.
    void release(std::string& out);

    /// Goes on, as a new stream, with what `earlier` holds back, whose literals are among this one's.
    void take_over(const MaskStream& earlier, std::string& out);

    [[nodiscard]] std::size_t held() const { return held_.size() - held_begin_; }

  private:
    /// Overlapping matches, with the leftmost of them, and of several the longest.
    struct Run {
        std::size_t begin;
        std::size_t end;
        std::size_t first_end;  ///< of the match that gives the mask
        const Literal* literal;
    };

    void take(std::string_view bytes, bool last, std::string& out);
    std::string_view bridge(std::string_view bytes, bool last, std::string& out, std::size_t& scanned);
    std::size_t advance(std::string_view text, std::size_t scanned, bool last, std::string& out);
    void find(std::string_view text, std::size_t scanned, bool last);
    [[nodiscard]] std::size_t first_open(std::string_view text, std::size_t scanned);
    void add_to_runs(const Match& match);
    void emit_mask(const Literal& literal, std::string& out);
    void emit(std::string_view text, std::size_t until, std::string& out);

    const Literals* literals_;
    MaskCounts* counts_ = nullptr;
    std::unique_ptr<Finder> finder_;
    Shadow shadow_;
    Shadow indented_shadow_;
    /// What makes the beginning of what is held open.
    OpenLiteral open_;
    std::vector<Match> matches_;
    /// Found in what is held, not emitted; in order, none overlapping another. Positions count from what is held.
    std::vector<Run> runs_;
    /// How much of what is held has come out, under a mask or, the end of it, as text that was released.
    std::size_t done_ = 0;
    bool shown_ = false;
    /// What is held, behind held_begin_ bytes that are done with.
    WipedString held_;
    std::size_t held_begin_ = 0;
};

}  // namespace trebuchet
