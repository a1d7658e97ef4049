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

/// Uploads one of a job's two logs: each byte once and in order, even if answers are lost or the agent crashes. Sends
/// one fragment at a time and retries it with growing waits. If the server refuses a fragment for good, leaves it out
/// after a few tries, with a note in the log. Use it on the loop's thread. Algorithm: see log_uploader.cpp.
class LogUploader {
  public:
    /// Starts to send what is in the spool. `gather_time`: how long the first text after a pause waits for more. All
    /// arguments except the id must outlive this object.
    LogUploader(EventLoop& loop, const Clock& clock, JobServer& server, Spool& spool, LogSeries series,
                std::string job_id, std::function<double()> draw, std::chrono::milliseconds gather_time = {});

    void add(Phase phase, const MaskedChunk& text);

    /// True if nothing is being sent or waiting.
    [[nodiscard]] bool is_done() const { return !under_way_ && spool_.is_empty(); }
    /// The loop calls `handler` when is_done() becomes true.
    void on_done(std::function<void()> handler) { on_done_ = std::move(handler); }

    /// True if too much is waiting: the caller of add() should pause until the handler of on_room is called (once).
    [[nodiscard]] bool is_full() const { return spool_.is_full(); }
    void on_room(std::function<void()> handler) { on_room_ = std::move(handler); }

    /// Sends everything now, even an incomplete character. Runs the loop until that is done, for at most `limit`. The
    /// rest stays queued; the Error says how much.
    Result<void> flush(std::chrono::milliseconds limit);
    /// Nothing more will be added: sends everything, even an incomplete character.
    void finish();
    /// Limits the running flush and every later one.
    void limit_flush(std::chrono::milliseconds limit);

    /// How many fragments were posted again although the server may already have had them.
    [[nodiscard]] unsigned doubtful() const { return doubtful_; }

    /// When the oldest byte that the server has not confirmed arrived here; nullopt if there is none.
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> waiting_since() const;

  private:
    using Time = std::chrono::steady_clock::time_point;
    void send_soon(std::chrono::milliseconds least_wait = {});
    void send_next();
    void sent(const LogAnswer& answer);
    void arrived();
    void leave_out(const std::string& problem);
    void try_again(const std::string& problem);
    void tell_of_trouble(const std::string& trouble);
    /// Retries later, with growing waits.
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
    const std::chrono::milliseconds gather_time_;
    Backoff backoff_;
    Timer timer_;
    std::function<void()> on_room_;
    std::function<void()> on_done_;

    struct Mark {
        std::uint64_t position;
        Time since;
    };
    std::deque<Mark> came_;  ///< when the text at these positions arrived, roughly
    unsigned doubtful_ = 0;
    int refusals_to_say_ = 0;
    int times_invalid_ = 0;
    std::uint64_t left_out_ = 0;  ///< bytes left out that the log does not mention yet
    std::optional<LogFragment> under_way_;
    bool is_durable_ = false;  ///< the fragment under way
    bool is_unsure_ = false;   ///< it may have arrived
    Time under_way_since_;
    std::optional<Time> last_sent_;
    Timer flush_timer_;
    std::optional<std::chrono::milliseconds> flush_limit_;  ///< while the agent stops
    bool timer_runs_ = false;
    bool in_flight_ = false;
    bool flushing_ = false;
    bool flush_is_late_ = false;
    bool told_of_trouble_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< answers may come after this object is destroyed
};

}  // namespace trebuchet
