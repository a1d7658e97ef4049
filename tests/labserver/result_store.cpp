#include "tests/labserver/result_store.hpp"

#include <algorithm>

namespace trebuchet::labserver {

void ResultStore::add_fragment(const std::string& job_id, const std::string& type, LogFragment fragment, Time now) {
    auto& log = logs_[{job_id, type}];
    log.updated = now;
    const auto place = std::upper_bound(log.fragments.begin(), log.fragments.end(), fragment.number,
                                        [](std::int64_t number, const auto& other) { return number < other.number; });
    log.fragments.insert(place, std::move(fragment));
}

LogText ResultStore::text(const std::string& job_id, const std::string& type, std::string_view phase,
                          std::int64_t start_fragment, std::optional<Time> start_time) const {
    LogText text;
    const auto found = logs_.find({job_id, type});
    if (found == logs_.end()) return text;
    for (const auto& fragment : found->second.fragments) {
        if (fragment.phase != phase || fragment.number < start_fragment) continue;
        if (start_time && fragment.timestamp < *start_time) continue;
        text.last_fragment_number = fragment.number;
        text.data += fragment.data;
    }
    return text;
}

void ResultStore::set_file(const std::string& job_id, const std::string& kind, std::string bytes, Time now) {
    files_[{job_id, kind}] = {std::make_shared<const std::string>(std::move(bytes)), now};
}

ResultStore::Bytes ResultStore::file(const std::string& job_id, const std::string& kind) const {
    const auto found = files_.find({job_id, kind});
    return found == files_.end() ? nullptr : found->second.bytes;
}

void ResultStore::forget_before(Time limit) {
    std::erase_if(logs_, [limit](const auto& entry) { return entry.second.updated < limit; });
    std::erase_if(files_, [limit](const auto& entry) { return entry.second.updated < limit; });
}

}  // namespace trebuchet::labserver
