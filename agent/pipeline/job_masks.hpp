#pragma once

#include "agent/pipeline/added_masks.hpp"
#include "common/mask/mask_set.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// The masks of one job, which grow when a phase registers a value. The agent's own log gets them as well.
class JobMasks {
  public:
    explicit JobMasks(std::shared_ptr<const MaskSet> first, AddedMaskLimits limits = {})
        : current_(std::move(first)), limits_(limits) {}

    [[nodiscard]] const std::shared_ptr<const MaskSet>& current() const { return current_; }

    /// Masks the value from now on. An Error, for people and without the value, if it is too long or short, or if there
    /// are too many; an empty one is left out.
    [[nodiscard]] Result<void> add(std::string_view value);

    /// Whether a value that should be masked could not be added, for want of memory: then nothing more may be let out.
    [[nodiscard]] bool has_failed() const { return has_failed_; }

    /// Told of each value that is masked from then on.
    std::function<void(std::string_view value)> on_added = [](std::string_view) {};

  private:
    std::shared_ptr<const MaskSet> current_;
    AddedMaskLimits limits_;
    std::size_t added_ = 0;
    bool has_failed_ = false;
};

}  // namespace trebuchet
