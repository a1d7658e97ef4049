#pragma once

#include "tests/labserver/store/data_file.hpp"
#include "tests/labserver/text/json_text.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace trebuchet::labserver {

/// The queues and images that agents advertise.
class QueueStore {
  public:
    using Time = std::chrono::system_clock::time_point;

    /// Loads the store from the file, and from then on saves every change in it. The file must outlive the store.
    [[nodiscard]] Result<void> keep_in(DataFile& data);

    void advertise(const std::string& queue, const std::string& description, Time now);
    /// Replaces the queue's images. Does not count as advertising the queue.
    void set_images(const std::string& queue, Json images);

    /// {queue: description}
    [[nodiscard]] Json descriptions() const;
    /// {image: provision data}; empty for an unknown queue.
    [[nodiscard]] Json images(const std::string& queue) const;

    /// {queue: {"description", "images"}}, for another server
    [[nodiscard]] Json exported() const;

    /// Removes the queues that were last advertised before `limit`.
    void forget_before(Time limit);

  private:
    struct Queue {
        std::string description;
        Json images = Json::object();
        std::optional<Time> advertised;
    };
    void keep(const std::string& name) const;

    std::map<std::string, Queue> queues_;
    DataFile* data_ = nullptr;
};

}  // namespace trebuchet::labserver
