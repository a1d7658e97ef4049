#pragma once

#include "agent/job/added_masks.hpp"
#include "common/mask/mask_set.hpp"

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace trebuchet {

/// The masks of one job, which grow when a phase registers a value. The agent's own log gets them as well.
class JobMasks {
  public:
    explicit JobMasks(std::shared_ptr<const MaskSet> first, AddedMaskLimits limits = {})
        : current_(std::move(first)), limits_(limits) {}

    /// All that was registered. Values are compiled when this is asked for, as many as there are at once.
    [[nodiscard]] const std::shared_ptr<const MaskSet>& current();

    /// Masks the value from now on. An Error, for people and without the value, if it is too long or short, or if there
    /// are too many; an empty one is left out.
    [[nodiscard]] Result<void> add(std::string_view value);

    /// Whether a value that should be masked could not be added, for want of memory: then nothing more may be let out.
    /// Known only once current() was asked for.
    [[nodiscard]] bool has_failed() const { return has_failed_; }

    /// Told of each value that is masked from then on.
    std::function<void(std::string_view value)> on_added = [](std::string_view) {};

  private:
    std::shared_ptr<const MaskSet> current_;
    AddedMaskLimits limits_;
    std::vector<NamedSecret> waiting_;  ///< to be compiled
    std::size_t added_ = 0;
    std::size_t bytes_ = 0;  ///< of what was added
    bool has_failed_ = false;
};

}  // namespace trebuchet
