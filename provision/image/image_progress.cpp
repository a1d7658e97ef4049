#include "provision/image/image_progress.hpp"

#include "common/file/safe_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr auto bar_interval = 200ms;
constexpr int bar_width = 30;

std::string duration_text(double seconds) {
    const auto whole = std::lround(seconds);
    std::array<char, 48> text{};
    if (whole >= 3600) {
        std::snprintf(text.data(), text.size(), "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    } else {
        std::snprintf(text.data(), text.size(), "%ld:%02ld", whole / 60, whole % 60);
    }
    return text.data();
}

}  // namespace

std::string format_size(double bytes) {
    constexpr double unit = 1024;
    constexpr std::array<const char*, 5> names{"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t index = 0;
    while (bytes >= unit && index + 1 < names.size()) {
        bytes /= unit;
        ++index;
    }
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.*f %s", index == 0 ? 0 : 1, bytes, names.at(index));
    return text.data();
}

ImageProgress::ImageProgress(std::optional<std::uint64_t> source_size, const ConnectorLog& log, const Clock& clock,
                             int terminal, std::chrono::milliseconds interval)
    : source_size_(source_size),
      log_(&log),
      clock_(&clock),
      terminal_(terminal),
      interval_(terminal >= 0 ? std::min<std::chrono::milliseconds>(interval, bar_interval) : interval),
      start_(clock.now()),
      next_(start_ + interval_) {}

double ImageProgress::seconds() const {
    return std::chrono::duration<double>(clock_->now() - start_).count();
}

std::string ImageProgress::text(std::uint64_t read, std::uint64_t written) const {
    const double time = std::max(seconds(), 0.001);
    auto line = format_size(static_cast<double>(written)) + " written, " +
                format_size(static_cast<double>(written) / time) + "/s";
    if (source_size_ && *source_size_ > 0 && read > 0) {
        const auto size = static_cast<double>(*source_size_);
        const auto done = std::min(static_cast<double>(read), size);
        line += ", " + std::to_string(static_cast<int>(100 * done / size)) + " %, " +
                duration_text(time * (size - done) / done) + " left";
    }
    return line;
}

void ImageProgress::update(std::uint64_t read, std::uint64_t written) {
    if (clock_->now() < next_) return;
    next_ = clock_->now() + interval_;
    if (terminal_ < 0) {
        log_->info("Writing the image: " + text(read, written));
        return;
    }
    std::string bar = "\r\033[K";
    if (source_size_ && *source_size_ > 0) {
        const double share = std::min(1.0, static_cast<double>(read) / static_cast<double>(*source_size_));
        const auto filled = static_cast<std::size_t>(share * bar_width);
        bar += "[" + std::string(filled, '#') + std::string(bar_width - filled, ' ') + "] ";
    }
    has_bar_ = true;
    (void)write_all(terminal_, bar + text(read, written));
}

void ImageProgress::clear() {
    if (!std::exchange(has_bar_, false)) return;
    (void)write_all(terminal_, "\r\033[K");
}

void ImageProgress::finish(std::uint64_t written) {
    clear();
    const double time = std::max(seconds(), 0.001);
    log_->info("Wrote the image: " + format_size(static_cast<double>(written)) + " in " + duration_text(time) + ", " +
               format_size(static_cast<double>(written) / time) + "/s");
}

}  // namespace trebuchet
