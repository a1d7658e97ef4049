#pragma once

#include "common/mask/mask_counts.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trebuchet {

/// Counts what was masked in one job, for each place where it would have appeared. Contains no part of a value.
class MaskReport {
  public:
    /// The name is "test", "test serial log", "artifacts", …: from our code, never from outside.
    using Place = std::pair<std::string, std::shared_ptr<MaskCounts>>;

    /// The counts for this place. Use them on one thread at a time.
    [[nodiscard]] std::shared_ptr<MaskCounts> at(std::string_view place);

    /// In the order of the first call of at().
    [[nodiscard]] const std::vector<Place>& places() const { return places_; }
    [[nodiscard]] bool empty() const;

    /// One line for each place, name and form: "test: TOKEN (base64): 2 times\n". At most 200 lines. Names that are not
    /// plain words are quoted. "" if nothing was masked.
    [[nodiscard]] std::string text() const;

  private:
    std::vector<Place> places_;
};

}  // namespace trebuchet
