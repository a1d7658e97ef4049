#include "tests/labserver/store/result_store.hpp"

#include <algorithm>

namespace trebuchet::labserver {
namespace {

constexpr const char* fragments_table = "log fragments";
constexpr const char* files_table = "files";

/// `arrival`: how many fragments the log had before this one was added.
std::string fragment_key(const std::pair<std::string, std::string>& log, std::size_t arrival) {
    return to_text({log.first, log.second, arrival});
}

std::string file_key(const std::pair<std::string, std::string>& file) {
    return to_text({file.first, file.second});
}

}  // namespace

Result<void> ResultStore::keep_in(DataFile& data) {
    data_ = &data;
    auto read = data.for_each(fragments_table, [this](const std::string&, const Json& row, std::string_view) {
        insert({row.at("job").get<std::string>(), row.at("type").get<std::string>()},
               {row.at("number").get<std::int64_t>(), time_from(row.at("timestamp")),
                row.at("phase").get<std::string>(), row.at("data").get<std::string>()},
               time_from(row.at("received")));
    });
    if (!read) return read;
    return data.for_each(files_table, [this](const std::string&, const Json& row, std::string_view bytes) {
        files_[{row.at("job").get<std::string>(), row.at("kind").get<std::string>()}] = {
            std::make_shared<const std::string>(bytes), time_from(row.at("updated"))};
    });
}

void ResultStore::add_fragment(const std::string& job_id, const std::string& type, LogFragment fragment, Time now) {
    const Key key(job_id, type);
    if (data_ != nullptr) {
        const auto log = logs_.find(key);
        data_->put(fragments_table, fragment_key(key, log == logs_.end() ? 0 : log->second.fragments.size()),
                   {{"job", job_id},
                    {"type", type},
                    {"number", fragment.number},
                    {"timestamp", stored(fragment.timestamp)},
                    {"phase", fragment.phase},
                    {"data", fragment.data},
                    {"received", stored(now)}});
    }
    insert(key, std::move(fragment), now);
}

void ResultStore::insert(const Key& key, LogFragment fragment, Time now) {
    auto& log = logs_[key];
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
    if (data_ != nullptr) {
        data_->put(files_table, file_key({job_id, kind}), {{"job", job_id}, {"kind", kind}, {"updated", stored(now)}},
                   bytes);
    }
    files_[{job_id, kind}] = {std::make_shared<const std::string>(std::move(bytes)), now};
}

ResultStore::Bytes ResultStore::file(const std::string& job_id, const std::string& kind) const {
    const auto found = files_.find({job_id, kind});
    return found == files_.end() ? nullptr : found->second.bytes;
}

void ResultStore::forget_before(Time limit) {
    std::erase_if(logs_, [&](const auto& entry) {
        if (entry.second.updated >= limit) return false;
        for (std::size_t i = 0; data_ != nullptr && i < entry.second.fragments.size(); ++i) {
            data_->erase(fragments_table, fragment_key(entry.first, i));
        }
        return true;
    });
    std::erase_if(files_, [&](const auto& entry) {
        const bool is_old = entry.second.updated < limit;
        if (is_old && data_ != nullptr) data_->erase(files_table, file_key(entry.first));
        return is_old;
    });
}

}  // namespace trebuchet::labserver
