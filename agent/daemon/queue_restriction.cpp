#include "agent/daemon/queue_restriction.hpp"

#include "common/log/log.hpp"

namespace trebuchet {

QueueRestriction ask_restriction(JobServer& server, const std::string& queue) {
    auto record = server.read_agent();
    if (!record) record = server.read_agent();
    if (!record) {
        log_warning("cannot ask whether the queue " + queue +
                    " is restricted, so grants that need it are refused: " + record.error().message());
        return QueueRestriction::unknown;
    }
    const auto owners = record->restricted_to.find(queue);
    const bool is_restricted = owners != record->restricted_to.end() && !owners->second.empty();
    return is_restricted ? QueueRestriction::yes : QueueRestriction::no;
}

}  // namespace trebuchet
