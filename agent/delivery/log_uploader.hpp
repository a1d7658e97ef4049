#pragma once

#include "agent/api/job_server.hpp"
#include "agent/delivery/spool.hpp"
#include "common/base/backoff.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace trebuchet {

/// Sends one of a job's log series, in order, one fragment under way at a time: what arrives meanwhile goes into the
/// next one. A fragment that could not be sent is tried again, with growing waits.
///
/// The server shows a fragment twice that it gets twice. So when it is unknown whether one arrived, what the server
/// shows of the phase's log decides:
///
///     as long as before it             it did not: again
///     longer by it, and ends with it   it did: on to the next
///     else, or the server won't say    again: rather twice than not at all
///
/// That works across a crash as well: text and fragment are durable before the fragment is posted, and the next
/// uploader of the same spool goes on from there. What the server refuses for good, again and again, is left out; a
/// note says so behind what it takes again. Lives on the loop's thread.
class LogUploader {
  public:
    /// What stands in the spool is sent. All but the id must outlive this object.
    LogUploader(EventLoop& loop, const Clock& clock, JobServer& server, Spool& spool, LogSeries series,
                std::string job_id, std::function<double()> draw);

    void add(Phase phase, const MaskedChunk& text);

    /// Nothing is under way or waits.
    [[nodiscard]] bool is_done() const { return !under_way_ && spool_.is_empty(); }
    /// Called on the loop when that comes about.
    void on_done(std::function<void()> handler) { on_done_ = std::move(handler); }

    /// Too much waits to be sent: whoever adds should pause until the handler of `on_room` is called, once.
    [[nodiscard]] bool is_full() const { return spool_.is_full(); }
    void on_room(std::function<void()> handler) { on_room_ = std::move(handler); }

    /// Sends all of it now, a character that is not finished included, and runs the loop until that is done or `limit`
    /// is over. What is left then stays queued: the Error says how much.
    Result<void> flush(std::chrono::milliseconds limit);
    /// Nothing is added any more: the start of a character is sent as well.
    void finish();
    /// A flush that runs has only so much time from now on, and so has every later one.
    void hurry(std::chrono::milliseconds limit);

    /// How many fragments were sent again although they may have been there.
    [[nodiscard]] unsigned doubtful() const { return doubtful_; }

    /// Since when the oldest byte that the server has not confirmed is here; nothing if there is none.
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> waiting_since() const;

  private:
    using Time = std::chrono::steady_clock::time_point;
    void send_soon();
    void send_next();
    void sent(const LogAnswer& answer);
    void arrived();
    void leave_out(const std::string& problem);
    void try_again(const std::string& problem);
    void tell_of_trouble(const std::string& trouble);
    /// Goes on later, with growing waits.
    void after_a_while();
    void look_whether_it_arrived();
    void looked(const tl::expected<ShownLog, LogReadFailure>& shown);
    [[nodiscard]] bool begin_next_fragment();
    void make_durable();
    void finish_fragment(std::uint64_t shown);
    void tell_of_room();

    EventLoop& loop_;
    const Clock& clock_;
    JobServer& server_;
    Spool& spool_;
    LogSeries series_;
    std::string job_id_;
    Backoff backoff_;
    Timer timer_;
    std::function<void()> on_room_;
    std::function<void()> on_done_;

    struct Mark {
        std::uint64_t position;
        Time since;
    };
    std::deque<Mark> came_;  ///< when the text at these positions came, roughly
    unsigned doubtful_ = 0;
    int refusals_to_say_ = 0;
    int times_invalid_ = 0;
    std::uint64_t left_out_ = 0;  ///< bytes of which no note is in the log yet
    std::optional<LogFragment> under_way_;
    bool is_durable_ = false;  ///< what is under way, with its text
    bool is_unsure_ = false;   ///< whether it arrived
    Time under_way_since_;
    std::optional<Time> last_sent_;
    Timer flush_timer_;
    std::optional<std::chrono::milliseconds> flush_limit_;  ///< once in a hurry
    bool timer_runs_ = false;
    bool in_flight_ = false;
    bool flushing_ = false;
    bool flush_is_late_ = false;
    bool told_of_trouble_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< answers may come when we are gone
};

}  // namespace trebuchet
