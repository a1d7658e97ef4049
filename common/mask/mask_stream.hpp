#pragma once

#include "common/mask/finder.hpp"
#include "common/mask/gap_search.hpp"
#include "common/mask/mask_counts.hpp"
#include "common/mask/view_search.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Masks the literals of one set in one stream at a time. Holds back only bytes that may be the beginning of a literal.
/// Algorithm: see mask_stream.cpp.
class MaskStream {
  public:
    /// Both must outlive this object. `skeletons`: null if encoded text is not looked into.
    explicit MaskStream(const Literals& literals, const Literals* skeletons = nullptr)
        : literals_(&literals),
          finder_(std::make_unique<Finder>(literals)),
          gap_search_(GapKind::bare, literals, *finder_),
          indented_gap_search_(GapKind::indented, literals, *finder_),
          view_search_(skeletons == nullptr ? nullptr : std::make_unique<ViewSearch>(literals, *skeletons)) {}

    /// Counts further masks in `counts`; null: does not count.
    void count_in(MaskCounts* counts) { counts_ = counts; }

    /// Appends to `out` everything that is certain after `bytes`.
    void write(std::string_view bytes, std::string& out);
    /// Ends the stream: appends what was held. Then a new stream may start.
    void finish(std::string& out);
    /// write() and finish() in one.
    void write_last(std::string_view bytes, std::string& out);

    /// Appends held bytes. Of a value that may have begun, it shows at most 3 bytes, or a quarter if that is less, even
    /// after several calls. If the value then arrives, its rest is masked.
    void release(std::string& out);

    /// Continues the stream of `earlier`, starting with the bytes that it holds back. This object's literals must
    /// include those of `earlier`.
    void take_over(const MaskStream& earlier, std::string& out);

    [[nodiscard]] std::size_t held() const { return held_.size() - held_begin_; }

  private:
    /// Overlapping matches, which get one mask: that of the leftmost match, or the longest of several leftmost ones.
    struct Run {
        std::size_t begin;
        std::size_t end;
        std::size_t first_end;  ///< end of the match whose mask is used
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
    GapSearch gap_search_;
    GapSearch indented_gap_search_;
    /// Null if encoded text is not looked into.
    std::unique_ptr<ViewSearch> view_search_;
    /// The literal with which the held bytes begin, as far as known.
    OpenLiteral open_;
    std::vector<Match> matches_;
    /// Runs in the held bytes, not yet emitted, in order and not overlapping. Positions are relative to the held bytes.
    std::vector<Run> runs_;
    /// How many held bytes are already emitted: covered by a mask, or shown by release().
    std::size_t done_ = 0;
    bool shown_ = false;
    /// The held bytes, after held_begin_ obsolete ones.
    WipedString held_;
    std::size_t held_begin_ = 0;
};

}  // namespace trebuchet
