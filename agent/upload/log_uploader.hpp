#pragma once

#include "agent/server/job_server.hpp"
#include "common/base/backoff.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// What is left of a log series when its uploader goes, so that another one can go on where it was.
struct UnsentLog {
    struct Piece {
        Phase phase = Phase::setup;
        MaskedChunk text;
    };
    std::uint64_t next_number = 0;
    std::map<Phase, std::uint64_t> confirmed_bytes;  ///< as they are shown: in valid UTF-8
    std::optional<LogFragment> under_way;            ///< whether it arrived may not be known
    std::vector<Piece> waiting;

    [[nodiscard]] bool empty() const { return !under_way && waiting.empty(); }
};

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
/// What the server refuses for good, again and again, is left out.
/// Lives on the loop's thread.
class LogUploader {
  public:
    LogUploader(EventLoop& loop, const Clock& clock, JobServer& server, LogSeries series, std::string job_id,
                std::function<double()> draw);

    void add(Phase phase, const MaskedChunk& text);

    /// Takes over what another one left. Before anything is added.
    void resume(UnsentLog left);
    /// What is not known to have arrived; then this one sends no more.
    [[nodiscard]] UnsentLog give_up();

    /// More than this waits to be sent: whoever adds should pause until the handler of `on_room` is called, once.
    [[nodiscard]] bool is_full() const;
    void on_room(std::function<void()> handler) { on_room_ = std::move(handler); }

    /// Sends all of it now, a character that is not finished included, and runs the loop until that is done or `limit`
    /// is over. What is left then stays queued: the Error says how much.
    Result<void> flush(std::chrono::milliseconds limit);
    /// A flush that runs has only so much time from now on, and so has every later one.
    void hurry(std::chrono::milliseconds limit);

    /// How many fragments were sent again although they may have been there.
    [[nodiscard]] unsigned doubtful() const { return doubtful_; }

    /// Since when the oldest byte that the server has not confirmed is here; nothing if there is none.
    [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> waiting_since() const;

  private:
    using Time = std::chrono::steady_clock::time_point;
    struct Piece : UnsentLog::Piece {
        Time since;
    };

    void send_soon();
    void send_next();
    void post();
    void sent(const LogAnswer& answer);
    void arrived();
    void leave_out(const std::string& problem);
    void try_again(const std::string& problem);
    void tell_of_trouble(const std::string& trouble);
    /// Later calls `next`, with growing waits between such calls.
    void after_a_while(std::function<void()> next);
    void look_whether_it_arrived();
    void looked(const tl::expected<ShownLog, LogReadFailure>& shown);
    [[nodiscard]] LogFragment next_fragment();

    EventLoop& loop_;
    const Clock& clock_;
    JobServer& server_;
    LogSeries series_;
    std::string job_id_;
    Backoff backoff_;
    Timer timer_;
    std::function<void()> on_room_;

    std::deque<Piece> waiting_;
    std::size_t waiting_bytes_ = 0;
    std::uint64_t number_ = 0;
    std::map<Phase, std::uint64_t> confirmed_bytes_;  ///< as they are shown: in valid UTF-8
    unsigned doubtful_ = 0;
    int refusals_to_say_ = 0;
    int times_invalid_ = 0;
    std::optional<LogFragment> under_way_;
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
