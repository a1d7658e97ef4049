#include "agent/upload/log_uploader.hpp"

#include "agent/job/job_step.hpp"
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
/// Of a fragment's end, when it is looked for in what the server shows.
constexpr std::size_t compared_tail = 4096;
constexpr int most_refusals_to_say = 5;
/// A proxy may say so for a while; within seconds, or a job would wait for each of its fragments.
constexpr int most_times_invalid = 4;

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
        waiting_.push_back({{phase, text}, clock_.now()});
    }
    send_soon();
}

void LogUploader::resume(UnsentLog left) {
    number_ = left.next_number;
    confirmed_bytes_ = std::move(left.confirmed_bytes);
    under_way_ = std::move(left.under_way);
    under_way_since_ = clock_.now();
    for (auto& piece : left.waiting) {
        waiting_bytes_ += piece.text.size();
        waiting_.push_back({std::move(piece), clock_.now()});
    }
    if (under_way_) {
        look_whether_it_arrived();
    } else {
        send_soon();
    }
}

UnsentLog LogUploader::give_up() {
    alive_ = std::make_shared<bool>(true);  // no answer that comes now changes what is returned
    timer_.stop();
    UnsentLog left{number_, confirmed_bytes_, std::exchange(under_way_, std::nullopt), {}};
    for (auto& piece : std::exchange(waiting_, {})) left.waiting.push_back(std::move(piece));
    waiting_bytes_ = 0;
    in_flight_ = true;
    return left;
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
        reached("fragment built");
    }
    in_flight_ = true;
    last_sent_ = clock_.now();
    server_.post_log(job_id_, *under_way_, [this, alive = std::weak_ptr(alive_)](const LogAnswer& answer) {
        if (!alive.expired()) sent(answer);
    });
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
            tell_of_trouble("it is not known whether all of the log of job " + job_id_ + " arrived: " + answer.problem);
            refusals_to_say_ = 0;
            return after_a_while([this] { look_whether_it_arrived(); });
    }
}

void LogUploader::arrived() {
    in_flight_ = false;
    if (std::exchange(told_of_trouble_, false)) log_info("the log of job " + job_id_ + " is sent again");
    backoff_.reset();
    times_invalid_ = 0;
    confirmed_bytes_[under_way_->phase] += to_valid_utf8(under_way_->text.bytes()).size();
    under_way_.reset();
    reached("fragment confirmed");
    if (!is_full() && on_room_) std::exchange(on_room_, nullptr)();
    send_soon();
}

void LogUploader::leave_out(const std::string& problem) {
    log_error(std::to_string(under_way_->text.size()) + " bytes of the log of job " + job_id_ +
              " are left out, since the server does not take them: " + problem);
    times_invalid_ = 0;
    in_flight_ = false;
    under_way_.reset();
    if (!is_full() && on_room_) std::exchange(on_room_, nullptr)();
    send_soon();
}

void LogUploader::try_again(const std::string& problem) {
    tell_of_trouble("can't send the log of job " + job_id_ + ", trying again: " + problem);
    after_a_while([this] { send_next(); });
}

void LogUploader::tell_of_trouble(const std::string& trouble) {
    if (!std::exchange(told_of_trouble_, true)) log_warning(trouble);
}

void LogUploader::after_a_while(std::function<void()> next) {
    in_flight_ = false;
    timer_runs_ = true;
    timer_.start(backoff_.next(), [this, next = std::move(next)] {
        timer_runs_ = false;
        next();
    });
}

void LogUploader::look_whether_it_arrived() {
    in_flight_ = true;
    const auto tail = std::min(under_way_->text.size(), compared_tail);
    server_.read_log(job_id_, series_, under_way_->phase, tail,
                     [this, alive = std::weak_ptr(alive_)](const tl::expected<ShownLog, LogReadFailure>& shown) {
                         if (!alive.expired()) looked(shown);
                     });
}

void LogUploader::looked(const tl::expected<ShownLog, LogReadFailure>& shown) {
    if (!shown) {
        const bool go_on_asking = shown.error().is_away || ++refusals_to_say_ < most_refusals_to_say;
        if (go_on_asking) return after_a_while([this] { look_whether_it_arrived(); });
        ++doubtful_;
        return try_again(shown.error().problem);
    }
    const auto text = to_valid_utf8(under_way_->text.bytes());
    const auto before = confirmed_bytes_[under_way_->phase];
    if (shown->length == before + text.size() && text.ends_with(shown->tail)) return arrived();
    if (shown->length != before) {
        ++doubtful_;
        log_warning("the server shows " + std::to_string(shown->length) + " bytes of the log of job " + job_id_ +
                    ", expected " + std::to_string(before) + " or " + std::to_string(before + text.size()) +
                    ": a piece of it may be there twice");
    }
    in_flight_ = false;
    send_next();
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
