#pragma once

#include "agent/job/added_masks.hpp"
#include "agent/job/own_secrets.hpp"
#include "common/mask/mask_set.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// The masks of one job. They grow when a phase registers a value, and when the agent gets a new credential of its own.
/// The agent's own log uses them too.
class JobMasks {
  public:
    /// Calls `on_added` for each value that is masked from then on.
    explicit JobMasks(
        std::shared_ptr<const MaskSet> first, AddedMaskLimits limits = {},
        std::function<void(std::string_view value)> on_added = [](std::string_view) {},
        std::shared_ptr<OwnSecrets> own = std::make_shared<OwnSecrets>())
        : current_(std::move(first)), limits_(limits), on_added_(std::move(on_added)), own_(std::move(own)) {}

    /// The set with all registered values and the agent's current credentials. Compiles new values in one step.
    [[nodiscard]] const std::shared_ptr<const MaskSet>& current();

    /// Masks the value from now on; ignores an empty one. Fails if the value is too long or too short, or if there are
    /// too many values. The Error does not contain the value.
    [[nodiscard]] Result<void> add(std::string_view value);

    /// The same for a value that the agent gives to a phase: it has no limits. False if it is too short to be masked.
    /// current() compiles all that were added, so call that before anything of the phase is shown.
    [[nodiscard]] bool add_given(const std::string& name, std::string_view value);

    /// True if a value could not be added because memory ran out: then output nothing more. Known only after current().
    [[nodiscard]] bool has_failed() const { return has_failed_; }

  private:
    /// Looks for new credentials of the agent, to be compiled.
    void look_for_own();
    void take(const std::string& name, std::string_view value);

    std::shared_ptr<const MaskSet> current_;
    AddedMaskLimits limits_;
    std::function<void(std::string_view value)> on_added_;
    std::shared_ptr<OwnSecrets> own_;
    std::uint64_t own_known_ = 0;       ///< number of the last own credential that is masked
    std::vector<NamedSecret> waiting_;  ///< values to be compiled
    std::size_t added_ = 0;
    std::size_t bytes_ = 0;  ///< of all added values
    bool has_failed_ = false;
};

}  // namespace trebuchet
