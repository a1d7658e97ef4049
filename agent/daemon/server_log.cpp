#include "agent/daemon/server_log.hpp"

#include "common/log/log.hpp"

#include <algorithm>

namespace trebuchet {
namespace {

/// So that a phase's banner is sent together with its first output.
constexpr std::chrono::milliseconds gather_time{50};

}  // namespace

ServerLog::ServerLog(const DaemonParts& parts, JobFolder& folder, std::chrono::milliseconds serial_wait)
    : parts_(parts),
      folder_(folder),
      serial_wait_(serial_wait),
      output_spool_(folder.worker(), folder.path(), output_spool_name, parts.config.trebuchet.spool),
      serial_spool_(folder.worker(), folder.path(), serial_spool_name, parts.config.trebuchet.spool) {}

void ServerLog::begin() {
    const auto uploader = [&](LogSeries series, Spool& spool) {
        auto made = std::make_unique<LogUploader>(parts_.loop, parts_.clock, parts_.server, spool, series,
                                                  folder_.path().filename().string(), parts_.draw, gather_time);
        if (wait_limit_) made->limit_flush(*wait_limit_);
        return made;
    };
    output_ = uploader(LogSeries::output, output_spool_);
    serial_ = uploader(LogSeries::serial, serial_spool_);
}

void ServerLog::output(Phase phase, const MaskedChunk& text) {
    output_->add(phase, text);
}

void ServerLog::serial(Phase phase, const MaskedChunk& text) {
    if (serial_to_skip_ == 0) return serial_->add(phase, text);
    auto rest = text;
    const auto skipped =
        rest.take_front(static_cast<std::size_t>(std::min<std::uint64_t>(serial_to_skip_, rest.size())));
    serial_to_skip_ -= skipped.size();
    serial_->add(phase, rest);
}

void ServerLog::skip_spooled_serial(std::uint64_t begin) {
    serial_to_skip_ = serial_spool_.end() - std::min(serial_spool_.end(), begin);
}

std::uint64_t ServerLog::begin_serial() {
    serial_to_skip_ = 0;
    serial_wait_left_ = serial_wait_;
    return serial_spool_.end();
}

void ServerLog::wait_for_serial_room() {
    if (!serial_->is_full() || wait_limit_ || serial_wait_left_ <= std::chrono::milliseconds(0)) return;
    const auto begun = parts_.clock.now();
    bool has_room = false;
    serial_->on_room([&] { has_room = true; });
    const bool is_over = !parts_.loop.wait_for(serial_wait_left_, [&] { return has_room || wait_limit_; });
    serial_->on_room(nullptr);
    const auto waited = std::chrono::ceil<std::chrono::milliseconds>(parts_.clock.now() - begun);
    serial_wait_left_ = is_over ? std::chrono::milliseconds(0) : serial_wait_left_ - waited;
}

void ServerLog::wait_for_upload() {
    for (auto* series : {output_.get(), serial_.get()}) {
        if (auto flushed = series->flush(log_upload_limit); !flushed) log_error(flushed.error().message());
    }
}

void ServerLog::limit_waits(std::chrono::milliseconds limit) {
    wait_limit_ = limit;
    for (auto* series : {output_.get(), serial_.get()}) {
        if (series != nullptr) series->limit_flush(limit);
    }
}

void ServerLog::finish() {
    output_->finish();
    serial_->finish();
}

void ServerLog::retry_disk() {
    output_spool_.retry_disk();
    serial_spool_.retry_disk();
}

std::chrono::steady_clock::duration ServerLog::lag() const {
    std::chrono::steady_clock::duration lag{};
    for (const auto* series : {output_.get(), serial_.get()}) {
        const auto since = series == nullptr ? std::nullopt : series->waiting_since();
        if (since) lag = std::max(lag, parts_.clock.now() - *since);
    }
    return lag;
}

}  // namespace trebuchet
