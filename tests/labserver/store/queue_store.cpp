#include "tests/labserver/store/queue_store.hpp"

namespace trebuchet::labserver {
namespace {

constexpr const char* table = "queues";

}  // namespace

Result<void> QueueStore::keep_in(DataFile& data) {
    data_ = &data;
    return data.for_each(table, [this](const std::string& name, const Json& row, std::string_view) {
        auto& queue = queues_[name];
        queue.description = row.at("description").get<std::string>();
        queue.images = row.at("images");
        if (!row.at("advertised").is_null()) queue.advertised = time_from(row.at("advertised"));
    });
}

void QueueStore::keep(const std::string& name) const {
    if (data_ == nullptr) return;
    const auto& queue = queues_.at(name);
    data_->put(table, name,
               {{"description", queue.description},
                {"images", queue.images},
                {"advertised", queue.advertised ? Json(stored(*queue.advertised)) : Json()}});
}

void QueueStore::advertise(const std::string& queue, const std::string& description, Time now) {
    auto& entry = queues_[queue];
    entry.description = description;
    entry.advertised = now;
    keep(queue);
}

void QueueStore::set_images(const std::string& queue, Json images) {
    queues_[queue].images = std::move(images);
    keep(queue);
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
    std::erase_if(queues_, [&](const auto& entry) {
        const bool is_old = entry.second.advertised && *entry.second.advertised < limit;
        if (is_old && data_ != nullptr) data_->erase(table, entry.first);
        return is_old;
    });
}

Json QueueStore::exported() const {
    Json all = Json::object();
    for (const auto& [name, queue] : queues_)
        all[name] = {{"description", queue.description}, {"images", queue.images}};
    return all;
}

}  // namespace trebuchet::labserver
