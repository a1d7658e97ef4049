#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace trebuchet {

/// Whether the server lets only owners post to a job's queue.
enum class QueueRestriction {
    no,
    yes,
    unknown,  ///< the server did not answer
};

/// What is known of a job when its grants are decided. Only the first three cannot be chosen freely by whoever posts a
/// job.
struct JobFacts {
    std::string queue;
    QueueRestriction queue_restriction = QueueRestriction::unknown;
    /// The submitter, set by the server; only for jobs with `test_data.secrets` (newer servers: for all).
    std::optional<std::string> client_id;
    bool has_attachments = false;  ///< anybody can have uploaded them
    std::vector<std::string> tags;
    std::string name;
    std::int64_t priority = 0;
    /// NAME of each tag secret:NAME, and each name in test_data.secrets whose value arrived empty.
    std::set<std::string> asked_names;
};

}  // namespace trebuchet
