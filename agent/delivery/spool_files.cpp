#include "agent/delivery/spool_files.hpp"

#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace trebuchet {

namespace fs = std::filesystem;

SpoolFiles::SpoolFiles(fs::path folder, std::string name, std::uint64_t file_size)
    : folder_(std::move(folder)), name_(std::move(name)), file_size_(file_size) {}

fs::path SpoolFiles::path_of(std::uint64_t number) const {
    return folder_ / (name_ + "." + std::to_string(number));
}

std::vector<std::uint64_t> SpoolFiles::numbers_there() const {
    std::vector<std::uint64_t> numbers;
    std::error_code error;
    for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
        const auto name = entry->path().filename().string();
        if (!name.starts_with(name_ + ".")) continue;
        const auto* begin = name.data() + name_.size() + 1;
        std::uint64_t number = 0;
        const auto read = std::from_chars(begin, name.data() + name.size(), number);
        if (read.ec == std::errc() && read.ptr == name.data() + name.size()) numbers.push_back(number);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

SpoolFiles::Found SpoolFiles::open() {
    Found found;
    for (const auto number : numbers_there()) {
        Segment segment{number, 0, found.end};
        auto file = RecordFile::open(path_of(number), [&](std::string_view payload) {
            auto record = parse_spool_record(payload);
            if (!record) return false;
            if (const auto* text = std::get_if<SpoolText>(&*record)) {
                segment.end = std::max(segment.end, text->position + text->text.size());
                found.has_text = true;
            } else {
                found.state = std::get<SpoolState>(std::move(*record));
            }
            return true;
        });
        if (!file) {
            log_error("cannot read a part of a log: " + file.error().message());
            continue;
        }
        if (!file->problem().empty()) log_error(file->problem());
        segment.size = file->size();
        found.end = segment.end;
        segments_.push_back(segment);
        newest_ = std::move(*file);
    }
    if (!segments_.empty()) reading_number_ = segments_.front().number;
    found.end = std::max({found.end, found.state.confirmed, found.state.under_way ? found.state.under_way->end : 0});
    return found;
}

Result<void> SpoolFiles::begin_segment(const SpoolState& state) {
    const auto number = segments_.empty() ? 0 : segments_.back().number + 1;
    auto file = RecordFile::open(path_of(number), [](std::string_view) { return true; });
    if (!file) return fail(file.error());
    if (!file->problem().empty()) log_error(file->problem());
    if (auto written = file->append(spool_state_payload(state)); !written) {
        ::unlink(path_of(number).c_str());
        return written;
    }
    if (newest_) to_sync_.push_back(newest_->sync_work());
    segments_.push_back({number, file->size(), segments_.empty() ? 0 : segments_.back().end});
    newest_ = std::move(*file);
    return {};
}

Result<void> SpoolFiles::write_text(Phase phase, std::uint64_t position, std::string_view text,
                                    const SpoolState& state) {
    if (!newest_ || newest_->size() >= file_size_) {
        if (auto begun = begin_segment(state); !begun) return begun;
    }
    if (auto written = newest_->append(spool_text_head(phase, position), text); !written) return written;
    segments_.back().size = newest_->size();
    segments_.back().end = position + text.size();
    return {};
}

Result<void> SpoolFiles::write_state(const SpoolState& state) {
    if (!newest_) return begin_segment(state);
    auto written = newest_->append(spool_state_payload(state));
    segments_.back().size = newest_->size();
    return written;
}

bool SpoolFiles::open_next_to_read() {
    const auto next = std::find_if(segments_.begin(), segments_.end(),
                                   [&](const Segment& segment) { return segment.number >= reading_number_; });
    if (next == segments_.end()) return false;
    if (next->number != reading_number_) reading_offset_ = 0;
    reading_number_ = next->number;
    auto file = open_untrusted(path_of(reading_number_));
    if (!file) {
        log_error("cannot read a part of a log: " + file.error().message());
        return false;
    }
    reading_ = std::move(*file);
    return true;
}

std::optional<SpoolText> SpoolFiles::read_text() {
    while (!segments_.empty()) {
        if (reading_ || open_next_to_read()) {
            const auto segment = std::find_if(segments_.begin(), segments_.end(), [&](const Segment& candidate) {
                return candidate.number == reading_number_;
            });
            const auto size = segment == segments_.end() ? reading_offset_ : segment->size;
            scan_.emplace(reading_.get(), reading_offset_, size);
            while (const auto payload = scan_->next()) {
                reading_offset_ = scan_->offset();
                const auto record = parse_spool_record(*payload);
                if (record && std::holds_alternative<SpoolText>(*record)) return std::get<SpoolText>(*record);
            }
        }
        if (reading_number_ >= segments_.back().number) return std::nullopt;
        reading_ = FileDescriptor();
        reading_offset_ = 0;
        ++reading_number_;
    }
    return std::nullopt;
}

void SpoolFiles::skip_to_end() {
    if (segments_.empty()) return;
    if (reading_number_ != segments_.back().number) reading_ = FileDescriptor();
    reading_number_ = segments_.back().number;
    reading_offset_ = segments_.back().size;
}

void SpoolFiles::remove(const Segment& segment) const {
    const auto path = path_of(segment.number);
    std::error_code error;
    fs::remove(path, error);
    if (error) log_warning("cannot remove " + path.string() + ": " + error.message());
}

void SpoolFiles::remove_before(std::uint64_t position) {
    while (segments_.size() > 1 && segments_.front().end <= position) {
        remove(segments_.front());
        segments_.pop_front();
    }
}

bool SpoolFiles::remove_middle() {
    const auto first = std::find_if(segments_.begin(), segments_.end(),
                                    [&](const Segment& segment) { return segment.number > reading_number_; });
    const auto count = segments_.end() - first;
    if (count < 2) return false;
    const auto middle = first + (count - 1) / 2;
    remove(*middle);
    segments_.erase(middle);
    return true;
}

void SpoolFiles::remove_all() {
    for (const auto& segment : segments_) remove(segment);
    segments_.clear();
    newest_.reset();
    to_sync_.clear();
    reading_ = FileDescriptor();
}

std::function<Result<void>()> SpoolFiles::sync_work() {
    auto all = std::exchange(to_sync_, {});
    if (newest_) all.push_back(newest_->sync_work());
    return [all = std::move(all)]() -> Result<void> {
        Result<void> first;
        for (const auto& sync : all) {
            if (auto done = sync(); !done && first) first = done;
        }
        return first;
    };
}

std::uint64_t SpoolFiles::size() const {
    std::uint64_t total = 0;
    for (const auto& segment : segments_) total += segment.size;
    return total;
}

}  // namespace trebuchet
