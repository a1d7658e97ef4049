#include "agent/pipeline/job_masks.hpp"

#include "common/log/log.hpp"

#include <utility>
#include <vector>

namespace trebuchet {

Result<void> JobMasks::add(std::string_view value) {
    // A set is compiled anew for each value: whoever prints them by the thousand must not cause that for nothing.
    if (value.empty() || current_->holds(value)) return {};
    if (value.size() > limits_.value_length) {
        return fail("it is longer than the " + std::to_string(limits_.value_length) + " bytes that are accepted");
    }
    if (current_->is_too_short(value)) return fail("it is too short to be told from ordinary text");
    if (added_ >= limits_.values) {
        return fail("a job may register no more than " + std::to_string(limits_.values) + " values");
    }
    std::vector<NamedSecret> more;
    more.push_back({"added value " + std::to_string(added_ + 1), SecretString(value)});
    auto grown = current_->with(std::move(more));
    if (!grown) {
        has_failed_ = true;
        return fail(grown.error());
    }
    ++added_;
    current_ = std::move(*grown);
    set_log_masks(current_);
    on_added(value);
    return {};
}

}  // namespace trebuchet
