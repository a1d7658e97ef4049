#pragma once

#include "tests/labserver/faults/fault.hpp"
#include "tests/labserver/net/message.hpp"

#include <list>
#include <optional>
#include <string_view>

namespace trebuchet::labserver {

/// Passes requests on, but those that a fault is meant for. Of several, the first that was added and is not used up
/// acts alone.
class Faults final : public Handler {
  public:
    /// `next` must outlive it.
    explicit Faults(Handler& next) : next_(next) {}

    void add(Fault fault) { entries_.push_back({std::move(fault), 0}); }
    void clear() { entries_.clear(); }
    /// In the order of adding, used up or not, each with its `hits`.
    [[nodiscard]] Json list() const;

    /// The fault that cuts the connection of a request before it is read; it counts as a hit.
    [[nodiscard]] std::optional<Fault> before_reading(std::string_view method, std::string_view target);
    [[nodiscard]] Response handle(const Request& request) override;

  private:
    struct Entry {
        Fault fault;
        std::uint64_t hits = 0;
    };
    [[nodiscard]] Entry* find(std::string_view method, std::string_view target, bool before_reading);

    Handler& next_;
    std::list<Entry> entries_;
};

}  // namespace trebuchet::labserver
