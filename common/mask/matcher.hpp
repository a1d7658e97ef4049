#pragma once

#include "common/mask/anchor_matcher.hpp"
#include "common/mask/literal_table.hpp"
#include "common/mask/mask_set.hpp"
#include "common/mask/mask_stream.hpp"

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace trebuchet {

/// What a set with values is made of.
class MaskSet::Matcher {
  public:
    /// `heads` may be null: see MaskStream.
    Matcher(std::unique_ptr<const LiteralTable> table, std::unique_ptr<const AnchorMatcher> anchors,
            std::unique_ptr<const AnchorMatcher> heads)
        : table_(std::move(table)), anchors_(std::move(anchors)), heads_(std::move(heads)) {}

    [[nodiscard]] const LiteralTable& table() const { return *table_; }
    [[nodiscard]] MaskStream make_stream() const { return {*table_, *anchors_, heads_.get()}; }

    /// For any thread.
    [[nodiscard]] std::string mask(std::string_view text) const;

  private:
    std::unique_ptr<const LiteralTable> table_;
    std::unique_ptr<const AnchorMatcher> anchors_;
    std::unique_ptr<const AnchorMatcher> heads_;
    mutable std::mutex mutex_;
    /// Streams that no call uses at the moment; guarded by mutex_.
    mutable std::vector<std::unique_ptr<MaskStream>> idle_;
};

}  // namespace trebuchet
