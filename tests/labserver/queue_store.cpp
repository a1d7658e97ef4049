#include "tests/labserver/queue_store.hpp"

namespace trebuchet::labserver {

void QueueStore::advertise(const std::string& queue, const std::string& description, Time now) {
    auto& entry = queues_[queue];
    entry.description = description;
    entry.advertised = now;
}

Json QueueStore::descriptions() const {
    auto all = Json::object();
    for (const auto& [name, queue] : queues_) all[name] = queue.description;
    return all;
}

Json QueueStore::images(const std::string& queue) const {
    const auto found = queues_.find(queue);
    return found == queues_.end() ? Json::object() : found->second.images;
}

void QueueStore::forget_before(Time limit) {
    std::erase_if(queues_,
                  [limit](const auto& entry) { return entry.second.advertised && *entry.second.advertised < limit; });
}

}  // namespace trebuchet::labserver
