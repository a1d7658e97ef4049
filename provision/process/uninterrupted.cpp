#include "provision/process/uninterrupted.hpp"

#include <algorithm>

namespace trebuchet {

CommandResult UninterruptedRunner::run(const Command& command) {
    auto same = command;
    same.timeout = std::min(command.timeout.value_or(limit_), limit_);
    same.ignore_stop_signal = true;
    return inner_->run(same);
}

tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> UninterruptedRunner::start(const Command& command,
                                                                                     Piped piped) {
    auto same = command;
    same.ignore_stop_signal = true;
    return inner_->start(same, piped);
}

}  // namespace trebuchet
