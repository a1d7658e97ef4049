#include "agent/upload/log_uploader.hpp"

#include "common/base/text.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

/// A phase that prints a little all the time costs the server at most five requests a second.
constexpr milliseconds pace{200};
constexpr std::size_t fragment_limit = 512U << 10;
constexpr std::size_t full_at = 4U << 20;

}  // namespace

LogUploader::LogUploader(EventLoop& loop, const Clock& clock, JobServer& server, LogSeries series, std::string job_id,
                         std::function<double()> draw)
    : loop_(loop),
      clock_(clock),
      server_(server),
      series_(series),
      job_id_(std::move(job_id)),
      backoff_(milliseconds(500), std::chrono::seconds(30), std::move(draw)),
      timer_(loop),
      flush_timer_(loop) {}

void LogUploader::add(Phase phase, const MaskedChunk& text) {
    if (text.empty()) return;
    waiting_bytes_ += text.size();
    if (!waiting_.empty() && waiting_.back().phase == phase && waiting_.back().text.size() < fragment_limit) {
        waiting_.back().text.append(text);
    } else {
        waiting_.push_back({phase, text, clock_.now()});
    }
    send_soon();
}

bool LogUploader::is_full() const {
    return waiting_bytes_ > full_at;
}

void LogUploader::send_soon() {
    if (in_flight_ || timer_runs_ || (waiting_.empty() && !under_way_)) return;
    const auto now = clock_.now();
    const auto due = last_sent_ ? *last_sent_ + pace : now;
    if (flushing_ || due <= now || waiting_bytes_ >= fragment_limit) return send_next();
    timer_runs_ = true;
    timer_.start(std::chrono::ceil<milliseconds>(due - now), [this] {
        timer_runs_ = false;
        send_next();
    });
}

LogFragment LogUploader::next_fragment() {
    auto& first = waiting_.front();
    under_way_since_ = first.since;
    std::size_t size = std::min(first.text.size(), fragment_limit);
    const bool more_may_come = !flushing_ && waiting_.size() == 1;
    if (size < first.text.size() || more_may_come) size -= incomplete_utf8_tail(first.text.bytes().substr(0, size));
    LogFragment fragment{series_, number_, iso8601(clock_.wall_time()), first.phase, first.text.take_front(size)};
    waiting_bytes_ -= size;
    if (first.text.empty()) waiting_.pop_front();
    return fragment;
}

void LogUploader::send_next() {
    if (!under_way_) {
        if (waiting_.empty()) return;
        auto fragment = next_fragment();
        if (fragment.text.empty()) return;  // only the start of a character: the rest of it will come
        ++number_;
        under_way_ = std::move(fragment);
    }
    in_flight_ = true;
    last_sent_ = clock_.now();
    server_.post_log(job_id_, *under_way_, [this, alive = std::weak_ptr(alive_)](const Result<void>& answer) {
        if (!alive.expired()) sent(answer);
    });
}

void LogUploader::sent(const Result<void>& answer) {
    in_flight_ = false;
    if (!answer) {
        if (!std::exchange(told_of_trouble_, true)) {
            log_warning("can't send the log of job " + job_id_ + ", trying again: " + answer.error().message());
        }
        timer_runs_ = true;
        timer_.start(backoff_.next(), [this] {
            timer_runs_ = false;
            send_next();
        });
        return;
    }
    if (std::exchange(told_of_trouble_, false)) log_info("the log of job " + job_id_ + " is sent again");
    backoff_.reset();
    under_way_.reset();
    if (!is_full() && on_room_) std::exchange(on_room_, nullptr)();
    send_soon();
}

Result<void> LogUploader::flush(milliseconds limit) {
    flushing_ = true;
    flush_is_late_ = false;
    flush_timer_.start(std::min(limit, flush_limit_.value_or(limit)), [this] { flush_is_late_ = true; });
    if (timer_runs_ && !told_of_trouble_) {
        timer_.stop();
        timer_runs_ = false;
    }
    send_soon();
    loop_.run_until([&] { return flush_is_late_ || (!under_way_ && waiting_.empty()); });
    flushing_ = false;
    flush_timer_.stop();
    if (!under_way_ && waiting_.empty()) return {};
    const auto lost = waiting_bytes_ + (under_way_ ? under_way_->text.size() : 0);
    return fail(std::to_string(lost) + " bytes of the log of job " + job_id_ + " could not be sent");
}

void LogUploader::hurry(milliseconds limit) {
    flush_limit_ = limit;
    if (flushing_) flush_timer_.start(limit, [this] { flush_is_late_ = true; });
}

std::optional<LogUploader::Time> LogUploader::waiting_since() const {
    if (under_way_) return under_way_since_;
    return waiting_.empty() ? std::nullopt : std::optional(waiting_.front().since);
}

}  // namespace trebuchet
