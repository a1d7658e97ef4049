#include "agent/pipeline/job_masks.hpp"

#include "common/log/log.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace trebuchet {

Result<void> JobMasks::add(std::string_view value) {
    if (value.empty()) return {};
    if (value.size() > limits_.value_length) {
        return fail("it is longer than the " + std::to_string(limits_.value_length) + " bytes that are accepted");
    }
    if (added_ >= limits_.values) {
        return fail("a job may register no more than " + std::to_string(limits_.values) + " values");
    }
    const auto name = "added value " + std::to_string(added_ + 1);
    std::vector<NamedSecret> more;
    more.push_back({name, SecretString(value)});
    auto grown = current_->with(std::move(more));
    if (!grown) return fail(grown.error());
    const auto& too_short = (*grown)->too_short();
    if (std::find(too_short.begin(), too_short.end(), name) != too_short.end()) {
        return fail("it is too short to be told from ordinary text");
    }
    ++added_;
    current_ = std::move(*grown);
    set_log_masks(current_);
    return {};
}

}  // namespace trebuchet
