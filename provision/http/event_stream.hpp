#pragma once

#include "provision/http/rest_call.hpp"
#include "provision/process/interrupt.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// A server-sent event: the text of its `data` lines, and the `id` that it set. nullopt: it set none.
struct StreamEvent {
    std::string data;
    std::optional<std::string> id;
};

/// Splits a text/event-stream into events, in pieces as they come. An event that the end cuts off is dropped. A line or
/// an event over 256 KiB is cut.
class EventParser {
  public:
    using Take = std::function<void(const StreamEvent&)>;
    explicit EventParser(Take take) : take_(std::move(take)) {}

    void feed(std::string_view bytes);
    /// What came after the last end of a line.
    [[nodiscard]] const std::string& rest() const { return line_; }

  private:
    void end_line();

    Take take_;
    std::string line_;
    StreamEvent event_;
    bool has_data_ = false;
    bool after_return_ = false;
};

struct StreamCall {
    std::string url;
    std::string last_event_id{};     ///< sent as Last-Event-ID; "": not sent
    std::chrono::seconds silence{};  ///< ends a stream that sends nothing for so long
    std::chrono::seconds limit{};    ///< of the whole stream
};

/// Reads a stream until it ends. Each event goes to `take` as soon as it is there. The status of the answer: 0 if the
/// connection broke after it had begun. Uses the system's curl.
[[nodiscard]] tl::expected<int, RestFailure> follow_stream(const StreamCall& call, const EventParser::Take& take,
                                                           CommandRunner& commands, Interrupt& interrupt);

}  // namespace trebuchet
