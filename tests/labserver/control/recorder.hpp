#pragma once

#include "common/base/clock.hpp"
#include "tests/labserver/net/message.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

namespace trebuchet::labserver {

/// Passes requests on and records them for GET /control/requests. Never recorded: headers, answers, and the secrets in
/// the bodies of calls that send secrets. Above `limit`, the oldest requests are deleted.
class Recorder final : public Handler {
  public:
    /// `next` and `clock` must outlive the recorder. `limit`: total size of the recorded targets and bodies, in bytes.
    Recorder(Handler& next, const Clock& clock, std::size_t limit = 64U << 20U)
        : next_(next), clock_(clock), limit_(limit) {}

    [[nodiscard]] Response handle(const Request& request) override;

    /// The requests with a number above `number`, oldest first, each as
    /// {number, time, method, target, status, agent, client, size, body}. `time` is in seconds since 1970; `size` and
    /// `body` are those of the request, `body` only if it was JSON; status 0 means: neither handled nor answered.
    [[nodiscard]] Json since(std::uint64_t number) const;
    /// Deletes all records; the numbers continue.
    void clear();
    [[nodiscard]] std::uint64_t last_number() const { return last_number_; }

  private:
    struct Record {
        std::uint64_t number = 0;
        std::chrono::system_clock::time_point time;
        std::string method, target, agent, client, body;
        std::size_t size = 0;
        int status = 0;

        [[nodiscard]] std::size_t weight() const { return target.size() + body.size(); }
    };

    Handler& next_;
    const Clock& clock_;
    std::size_t limit_;
    std::size_t weight_ = 0;
    std::uint64_t last_number_ = 0;
    std::deque<Record> records_;
};

}  // namespace trebuchet::labserver
