#include "agent/job/job_masks.hpp"

#include "common/log/log.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {

void JobMasks::look_for_own() {
    const auto last = own_->look();
    if (last == own_known_) return;
    for (auto& secret : own_->after(own_known_)) {
        if (!current_->holds(secret.value.reveal())) waiting_.push_back(std::move(secret));
    }
    own_known_ = last;
}

const std::shared_ptr<const MaskSet>& JobMasks::current() {
    if (!has_failed_) look_for_own();
    if (waiting_.empty() || has_failed_) return current_;
    has_failed_ = true;  // any exception
    auto grown = current_->with(std::exchange(waiting_, {}));
    if (!grown) return current_;
    has_failed_ = false;
    current_ = std::move(*grown);
    set_log_masks(current_);
    return current_;
}

Result<void> JobMasks::add(std::string_view value) {
    if (value.empty() || has_failed_) return {};
    if (value.size() > limits_.value_length) {
        return fail("it is longer than the " + std::to_string(limits_.value_length) + " bytes that are accepted");
    }
    if (current_->is_too_short(value)) return fail("it is too short to be told apart from ordinary text");
    // Ignore values that are already registered: each new value means a new set, and a job may register the same one a
    // thousand times.
    const bool is_waiting = std::any_of(waiting_.begin(), waiting_.end(),
                                        [&](const NamedSecret& secret) { return secret.value.reveal() == value; });
    if (is_waiting || current_->holds(value)) return {};
    if (added_ >= limits_.values) {
        return fail("a job may register no more than " + std::to_string(limits_.values) + " values");
    }
    if (value.size() > limits_.bytes - bytes_) {
        return fail("a job may register no more than " + std::to_string(limits_.bytes) + " bytes of values");
    }
    ++added_;
    bytes_ += value.size();
    take("added value " + std::to_string(added_), value);
    return {};
}

bool JobMasks::add_given(const std::string& name, std::string_view value) {
    if (value.empty() || has_failed_ || current_->holds(value)) return true;
    take(name, value);  // a short one may be masked together with its blanks or quotes
    return !current_->is_too_short(value);
}

void JobMasks::take(const std::string& name, std::string_view value) {
    has_failed_ = true;  // whatever is thrown
    waiting_.push_back({name, SecretString(value)});
    on_added_(value);
    has_failed_ = false;
}

}  // namespace trebuchet
