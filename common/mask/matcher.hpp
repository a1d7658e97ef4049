#pragma once

#include "common/mask/finder.hpp"
#include "common/mask/mask_counts.hpp"
#include "common/mask/mask_set.hpp"
#include "common/mask/mask_stream.hpp"

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace trebuchet {

/// The compiled values of a MaskSet.
class MaskSet::Matcher {
  public:
    /// `skeletons`: null if encoded text is not looked into.
    Matcher(std::unique_ptr<const Literals> literals, std::unique_ptr<const Literals> skeletons)
        : literals_(std::move(literals)), skeletons_(std::move(skeletons)) {}

    [[nodiscard]] const Literals& literals() const { return *literals_; }
    [[nodiscard]] MaskStream make_stream() const { return MaskStream(*literals_, skeletons_.get()); }

    /// Thread-safe.
    [[nodiscard]] std::string mask(std::string_view text, MaskCounts* counts) const;

  private:
    std::unique_ptr<const Literals> literals_;
    std::unique_ptr<const Literals> skeletons_;
    mutable std::mutex mutex_;
    /// Streams that are not in use; guarded by mutex_.
    mutable std::vector<std::unique_ptr<MaskStream>> idle_;
};

}  // namespace trebuchet
