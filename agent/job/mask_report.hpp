#pragma once

#include "common/mask/mask_counts.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trebuchet {

/// Counts what was masked in one job, by the place where it would have appeared. Contains nothing of a value.
class MaskReport {
  public:
    /// "test", "test serial log", "artifacts", …: from code, never from outside.
    using Place = std::pair<std::string, std::shared_ptr<MaskCounts>>;

    /// The counts of this place; for one thread at a time.
    [[nodiscard]] std::shared_ptr<MaskCounts> at(std::string_view place);

    /// In the order in which they were asked for.
    [[nodiscard]] const std::vector<Place>& places() const { return places_; }
    [[nodiscard]] bool empty() const;

    /// A line for each place, name and form: "test: TOKEN (base64): 2 times\n". The first 200; names that are no words
    /// are quoted. "" if nothing was masked.
    [[nodiscard]] std::string text() const;

  private:
    std::vector<Place> places_;
};

}  // namespace trebuchet
