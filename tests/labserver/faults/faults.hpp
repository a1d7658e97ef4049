#pragma once

#include "tests/labserver/faults/fault.hpp"
#include "tests/labserver/net/message.hpp"

#include <list>
#include <optional>
#include <string_view>

namespace trebuchet::labserver {

/// Passes requests on, and injects faults into those that match one. If several faults match a request, only the first
/// added that is not used up acts.
class Faults final : public Handler {
  public:
    /// `next` must outlive this object.
    explicit Faults(Handler& next) : next_(next) {}

    void add(Fault fault) { entries_.push_back({std::move(fault), 0}); }
    void clear() { entries_.clear(); }
    /// All faults in the order in which they were added, used up or not, each with its `hits`.
    [[nodiscard]] Json list() const;

    /// Returns the fault that cuts the connection before this request is read, and counts a hit.
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
