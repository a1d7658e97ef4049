#include "agent/delivery/log_uploader.hpp"

#include "agent/api/call_policy.hpp"
#include "agent/job/job_step.hpp"
#include "common/base/text.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <utility>

// Uploads each byte of a log exactly once, even if answers are lost or the agent is killed at any moment. The server
// appends what it gets, so a fragment that is posted twice appears twice.
//
//  1. Text goes to the spool as it arrives. At most one fragment is being sent; new text goes into the next one.
//  2. A fragment is taken from the front of the spool: text of one phase, whole characters, at most piece_limit bytes.
//     The spool notes its number, time stamp and end as "under way".
//  3. The text and the note are made durable. Only then is the fragment posted.
//  4. The answer says what happened:
//       confirmed   "confirmed" moves to the fragment's end, "shown" grows by its size → 2
//       refused     the server does not have it → post it again, after growing waits
//       invalid     the server will never accept it → retry a few times (a proxy may have said so), then leave it
//                   out, with a note in the log
//       unknown     the answer was lost, or was a 5xx → 5
//  5. After a wait, read what the server shows of the phase's log: its length and its last bytes.
//       longer by the fragment, and ends with it   it arrived → as for confirmed
//       as long as before                          it did not arrive → post it again
//       anything else, or five refused reads       post it again (better twice than never); counted as doubtful
//  6. After a crash, the next agent opens the same spool. A fragment that is "under way" may have been posted: continue
//     at 5.
//
// Example: the spool holds "one\ntwo\n"; the server shows 4 bytes; "one\n" is confirmed.
//     "two\n" becomes fragment 1, under way, ends at 8. It is made durable and posted. The answer is lost.
//     The server shows 8 bytes = 4 + 4 that end with "two\n". So it arrived: confirmed = 8, shown = 8.
//     If the server shows 4 bytes, fragment 1 is posted again. If the agent was killed, the next one asks the same.

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

/// A phase that keeps printing a little costs the server at most five requests a second.
constexpr milliseconds pace{200};
constexpr std::size_t most_marks = 1000;
constexpr std::chrono::seconds mark_pause{1};
/// How many of a fragment's last bytes to compare with what the server shows.
constexpr std::size_t compared_tail = 4096;
constexpr int most_refusals_to_say = 5;
/// A proxy may refuse for a while. Only a few retries, or a job would wait long for each of its fragments.
constexpr int most_times_invalid = 4;

}  // namespace

LogUploader::LogUploader(EventLoop& loop, const Clock& clock, JobServer& server, Spool& spool, LogSeries series,
                         std::string job_id, std::function<double()> draw, milliseconds gather_time)
    : loop_(loop),
      clock_(clock),
      server_(server),
      spool_(spool),
      series_(series),
      job_id_(std::move(job_id)),
      gather_time_(gather_time),
      backoff_(policy_of(Call::post_log).first_wait, policy_of(Call::post_log).longest_wait, std::move(draw)),
      timer_(loop),
      flush_timer_(loop) {
    came_.push_back({0, clock_.now()});
    under_way_since_ = clock_.now();
    if (const auto& left = spool_.state().under_way) {
        under_way_ = LogFragment{series_, left->number, left->timestamp, left->phase, spool_.take_text_under_way()};
        is_durable_ = true;
        is_unsure_ = true;
        after_a_while();
    } else {
        send_soon();
    }
}

void LogUploader::add(Phase phase, const MaskedChunk& text) {
    if (text.empty()) return;
    const auto now = clock_.now();
    if (is_done()) came_.clear();
    const bool is_worth_a_mark = came_.empty() || (now - came_.back().since >= mark_pause && came_.size() < most_marks);
    if (is_worth_a_mark) came_.push_back({spool_.end(), now});
    spool_.add(phase, text);
    send_soon(gather_time_);
}

void LogUploader::send_soon(milliseconds least_wait) {
    if (in_flight_ || timer_runs_ || is_done()) return;
    const auto now = clock_.now();
    const auto due = std::max(last_sent_ ? *last_sent_ + pace : now, now + least_wait);
    if (flushing_ || due <= now || spool_.waiting_bytes() >= Spool::piece_limit) return send_next();
    timer_runs_ = true;
    timer_.start(std::chrono::ceil<milliseconds>(due - now), [this] {
        timer_runs_ = false;
        send_next();
    });
}

bool LogUploader::begin_next_fragment() {
    const auto piece = spool_.front(flushing_);
    if (!piece) return false;
    const auto number = spool_.state().next_number;
    under_way_ = LogFragment{series_, number, iso8601(clock_.wall_time()), piece->phase, piece->text};
    const auto begin = spool_.end() - spool_.waiting_bytes();
    while (came_.size() > 1 && came_[1].position <= begin) came_.pop_front();
    under_way_since_ = came_.front().since;
    is_durable_ = false;
    spool_.begin(*piece, number, under_way_->timestamp);
    reached("fragment built");
    return true;
}

void LogUploader::send_next() {
    if (!under_way_ && !begin_next_fragment()) return;
    in_flight_ = true;
    spool_.retry_disk();
    tell_of_room();
    if (is_unsure_) return look_whether_it_arrived();
    if (!is_durable_) return make_durable();
    last_sent_ = clock_.now();
    server_.post_log(job_id_, *under_way_, [this, alive = std::weak_ptr(alive_)](const LogAnswer& answer) {
        if (!alive.expired()) sent(answer);
    });
}

void LogUploader::make_durable() {
    spool_.sync([this, alive = std::weak_ptr(alive_)] {
        if (alive.expired()) return;
        is_durable_ = true;
        reached("fragment durable");
        tell_of_room();
        send_next();
    });
}

void LogUploader::tell_of_room() {
    if (!is_full() && on_room_) std::exchange(on_room_, nullptr)();
}

void LogUploader::sent(const LogAnswer& answer) {
    reached("fragment answered");
    switch (answer.arrival) {
        case Arrival::confirmed:
            return arrived();
        case Arrival::refused:
            return try_again(answer.problem);
        case Arrival::invalid:
            if (++times_invalid_ < most_times_invalid) return try_again(answer.problem);
            return leave_out(answer.problem);
        case Arrival::unknown:
            tell_of_trouble("job " + job_id_ +
                            ": not known whether a part of the log arrived, asking the server: " + answer.problem);
            refusals_to_say_ = 0;
            is_unsure_ = true;
            return after_a_while();
    }
}

void LogUploader::arrived() {
    if (std::exchange(told_of_trouble_, false)) log_info("job " + job_id_ + ": sending the log works again");
    backoff_.reset();
    times_invalid_ = 0;
    if (const auto bytes = std::exchange(left_out_, 0); bytes > 0) {
        auto note = MaskedChunk::literal("\n[");
        note.append_count(bytes).append(" bytes of log left out: the server did not accept them]\n");
        spool_.add(under_way_->phase, note);
    }
    finish_fragment(to_valid_utf8(under_way_->text.bytes()).size());
}

void LogUploader::finish_fragment(std::uint64_t shown) {
    in_flight_ = false;
    under_way_.reset();
    spool_.finish_fragment(shown);
    reached("fragment confirmed");
    tell_of_room();
    if (is_done() && on_done_) return on_done_();
    send_soon();
    // A sync removes the files of arrived text. Usually the sync for the next fragment does that; here there is none.
    if (is_full() && !in_flight_)
        spool_.sync([this, alive = std::weak_ptr(alive_)] {
            if (!alive.expired()) tell_of_room();
        });
}

void LogUploader::leave_out(const std::string& problem) {
    log_error("job " + job_id_ + ": leaving out " + std::to_string(under_way_->text.size()) +
              " bytes of the log, which the server does not accept: " + problem);
    times_invalid_ = 0;
    left_out_ += under_way_->text.size();
    finish_fragment(0);
}

void LogUploader::try_again(const std::string& problem) {
    tell_of_trouble("job " + job_id_ + ": cannot send the log, retrying: " + problem);
    after_a_while();
}

void LogUploader::tell_of_trouble(const std::string& trouble) {
    if (!std::exchange(told_of_trouble_, true)) log_warning(trouble);
}

void LogUploader::after_a_while() {
    in_flight_ = false;
    timer_runs_ = true;
    timer_.start(backoff_.next(), [this] {
        timer_runs_ = false;
        send_next();
    });
}

void LogUploader::look_whether_it_arrived() {
    const auto tail = std::min(under_way_->text.size(), compared_tail);
    server_.read_log(job_id_, series_, under_way_->phase, tail,
                     [this, alive = std::weak_ptr(alive_)](const tl::expected<ShownLog, LogReadFailure>& shown) {
                         if (!alive.expired()) looked(shown);
                     });
}

void LogUploader::looked(const tl::expected<ShownLog, LogReadFailure>& shown) {
    if (!shown) {
        tell_of_trouble("job " + job_id_ +
                        ": cannot read the log back from the server, retrying: " + shown.error().problem);
        const bool go_on_asking = shown.error().is_away || ++refusals_to_say_ < most_refusals_to_say;
        if (go_on_asking) return after_a_while();
        is_unsure_ = false;
        ++doubtful_;
        return try_again(shown.error().problem);
    }
    is_unsure_ = false;
    const auto text = to_valid_utf8(under_way_->text.bytes());
    const auto before = spool_.state().shown_bytes_of(under_way_->phase);
    if (shown->length == before + text.size() && text.ends_with(shown->tail)) return arrived();
    if (shown->length != before) {
        ++doubtful_;
        log_warning("job " + job_id_ + ": the server shows " + std::to_string(shown->length) +
                    " bytes of the log, expected " + std::to_string(before) + " or " +
                    std::to_string(before + text.size()) + ": a part of it may be there twice");
    }
    in_flight_ = false;
    send_next();
}

Result<void> LogUploader::flush(milliseconds limit) {
    flushing_ = true;
    flush_is_late_ = false;
    flush_timer_.start(std::min(limit, flush_limit_.value_or(limit)), [this] { flush_is_late_ = true; });
    const bool runs_for_the_pace = timer_runs_ && !told_of_trouble_ && !is_unsure_;
    if (runs_for_the_pace) {
        timer_.stop();
        timer_runs_ = false;
    }
    send_soon();
    loop_.run_until([&] { return flush_is_late_ || is_done(); });
    flushing_ = false;
    flush_timer_.stop();
    if (is_done()) return {};
    const auto lost = spool_.waiting_bytes() + (under_way_ ? under_way_->text.size() : 0);
    return fail("job " + job_id_ + ": " + std::to_string(lost) + " bytes of the log are not sent yet");
}

void LogUploader::finish() {
    flushing_ = true;
    send_soon();
}

void LogUploader::limit_flush(milliseconds limit) {
    flush_limit_ = limit;
    if (flushing_) flush_timer_.start(limit, [this] { flush_is_late_ = true; });
}

std::optional<LogUploader::Time> LogUploader::waiting_since() const {
    if (under_way_) return under_way_since_;
    return is_done() ? std::nullopt : std::optional(came_.front().since);
}

}  // namespace trebuchet
