#pragma once

#include "agent/job/added_masks.hpp"
#include "common/mask/mask_set.hpp"

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace trebuchet {

/// The masks of one job. They grow when a phase registers a value; the agent's own log uses them too.
class JobMasks {
  public:
    /// `on_added` is told of each value that is masked from then on.
    explicit JobMasks(
        std::shared_ptr<const MaskSet> first, AddedMaskLimits limits = {},
        std::function<void(std::string_view value)> on_added = [](std::string_view) {})
        : current_(std::move(first)), limits_(limits), on_added_(std::move(on_added)) {}

    /// The set with all registered values. Compiles the new ones, in one step.
    [[nodiscard]] const std::shared_ptr<const MaskSet>& current();

    /// Masks the value from now on; ignores an empty one. Fails if it is too long or too short, or if there are too
    /// many. The Error does not contain the value.
    [[nodiscard]] Result<void> add(std::string_view value);

    /// True if a value could not be added because memory ran out: then do not output anything more. Known only after
    /// current().
    [[nodiscard]] bool has_failed() const { return has_failed_; }

  private:
    std::shared_ptr<const MaskSet> current_;
    AddedMaskLimits limits_;
    std::function<void(std::string_view value)> on_added_;
    std::vector<NamedSecret> waiting_;  ///< to be compiled
    std::size_t added_ = 0;
    std::size_t bytes_ = 0;  ///< of what was added
    bool has_failed_ = false;
};

}  // namespace trebuchet
