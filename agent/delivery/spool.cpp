#include "agent/delivery/spool.hpp"

#include "agent/delivery/masked_store.hpp"
#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <memory>
#include <utility>

// Keeps a log until the server has it: on disk, or in memory while the disk refuses data. The space is bounded.
//
//  1. The log is one sequence of bytes for the whole job. Positions count its bytes from 0:
//
//          0 ≤ confirmed ≤ taken ≤ loaded ≤ end
//
//       up to confirmed   arrived or left out: its files will be removed
//       up to taken       under way: front() returned it; not known whether it arrived
//       up to loaded      in memory (`ahead_`), to be sent next
//       up to end         on disk, to be read back later; `refused_` holds what the disk refused
//
//  2. add() writes text at the position `end`. If the reader is not behind, the text also goes to `ahead_`, so that it
//     need not be read back. Text that the disk refuses stays in memory, in order, and is written once the disk accepts
//     it.
//  3. load() fills `ahead_` in the order of positions, first from the files, then from `refused_`. If text is missing
//     (a damaged file, or one removed to make room), a note with the number of bytes replaces it.
//  4. begin() notes the piece that is about to be posted; finish_fragment() notes that it arrived. The next sync
//     removes files whose text is all confirmed.
//  5. When the spool is full: with `wait`, is_full() tells the caller of add() to wait; with `cut`, files in the middle
//     are removed.
//  6. A new object reads the last state and the end from the files and continues at `confirmed`.
//
// Example: "one\n" arrived, "two\n" is under way, "three\n" was added while the disk was full.
//     confirmed = 4, taken = 8, loaded = 8, end = 14. Files: "one\ntwo\n"; refused_: "three\n" at 8.
//     A crash now loses "three\n", which was only in memory: the next spool has end = 8 and "two\n" under way.
//     If the disk accepts data again first, "three\n" is written at 8, and a crash loses nothing.

namespace trebuchet {
namespace {

constexpr std::uint64_t largest_file = std::uint64_t{8} << 20;
/// Small files, so that removing one leaves out little and the limit is kept closely.
constexpr std::uint64_t least_files = 16;
/// Report success only after this many writes: a nearly full disk accepts a little now and then.
constexpr int good_writes_to_tell = 16;

std::string note_of(std::uint64_t bytes) {
    return "\n[" + std::to_string(bytes) + " bytes of log left out: they could not be stored]\n";
}

}  // namespace

Spool::Spool(Worker& worker, const std::filesystem::path& folder, const std::string& name, SpoolOptions options)
    : worker_(worker),
      folder_(folder),
      options_(options),
      files_(folder, name, std::min(largest_file, options.limit / least_files)) {
    auto found = files_.open();
    state_ = std::move(found.state);
    end_ = found.end;
    taken_ = loaded_ = state_.confirmed;
}

void Spool::note_disk(const Result<void>& done) {
    disk_refuses_ = !done;
    if (!done) good_writes_ = 0;
    if (!done && !std::exchange(told_of_disk_, true)) {
        log_error("cannot store a job's log on disk, keeping it in memory (a crash would lose it): " +
                  done.error().message());
    }
    if (told_of_disk_ && done && ++good_writes_ >= good_writes_to_tell) {
        told_of_disk_ = false;
        log_info("a job's log is stored on disk again");
    }
}

Result<void> Spool::write_text(Phase phase, std::uint64_t position, std::string_view text) {
    if (files_.size() == 0) {
        if (auto made = make_private_folder(folder_); !made) return made;
    }
    if (state_is_stale_) {
        if (auto written = files_.write_state(state_); !written) return written;
        state_is_stale_ = false;
    }
    return files_.write_text(phase, position, text, state_);
}

void Spool::write_state() {
    retry_disk();
    state_is_stale_ = true;
    if (files_.size() == 0 && !make_private_folder(folder_)) return;
    const auto written = files_.write_state(state_);
    state_is_stale_ = !written;
    if (!written) note_disk(written);
}

void Spool::make_room() {
    if (options_.when_full != SpoolFull::cut) return;
    while (files_.size() > options_.limit && files_.remove_middle()) continue;
}

void Spool::add(Phase phase, const MaskedChunk& text) {
    if (text.empty()) return;
    make_room();
    retry_disk();
    const auto position = std::exchange(end_, end_ + text.size());
    const bool leave_out = options_.when_full == SpoolFull::cut &&
                           (files_.size() > options_.limit || refused_bytes_ > options_.memory_limit);
    if (leave_out) return;
    // Keep the order of positions: write nothing while earlier text is still refused.
    if (!disk_refuses_) note_disk(write_text(phase, position, text.bytes()));
    // If the reader is not behind, it need not read the text from the disk.
    const bool is_next = refused_.empty() && loaded_ == position;
    if (is_next && has_room_ahead()) {
        push_ahead(phase, position, text.bytes(), !disk_refuses_);
        files_.skip_to_end();
    } else if (disk_refuses_) {
        refused_bytes_ += text.size();
        refused_.push_back({phase, position, end_, std::string(text.bytes()), false, false});
    }
}

void Spool::retry_disk() {
    if (!disk_refuses_) return;
    if (refused_under_way_) {
        const auto& chunk = *refused_under_way_;
        const auto written = write_text(chunk.phase, chunk.position, chunk.text);
        note_disk(written);
        if (!written) return;
        refused_under_way_.reset();
    }
    for (auto& chunk : ahead_) {
        if (chunk.on_disk || chunk.is_note) continue;
        const auto written = write_text(chunk.phase, chunk.position, chunk.text);
        note_disk(written);
        if (!written) return;
        chunk.on_disk = true;
    }
    if (!refused_.empty() && loaded_ >= refused_.front().position) files_.skip_to_end();
    while (!refused_.empty()) {
        auto& chunk = refused_.front();
        const auto written = write_text(chunk.phase, chunk.position, chunk.text);
        note_disk(written);
        if (!written) return;
        refused_bytes_ -= chunk.text.size();
        refused_.pop_front();
    }
    disk_refuses_ = false;
    if (!state_is_stale_) return;
    const auto written = files_.write_state(state_);
    state_is_stale_ = !written;
    note_disk(written);
}

bool Spool::is_full() const {
    if (options_.when_full == SpoolFull::cut) return false;
    return files_.size() > options_.limit || refused_bytes_ > options_.memory_limit;
}

bool Spool::has_room_ahead() const {
    if (ahead_.empty() || ahead_.back().end - ahead_.front().position < piece_limit) return true;
    return ahead_.size() == 1 && incomplete_utf8_tail(ahead_.front().text) > 0;
}

void Spool::push_ahead(Phase phase, std::uint64_t position, std::string_view text, bool on_disk) {
    const auto end = position + text.size();
    if (end <= loaded_) return;
    if (position > loaded_) {
        const auto missing = position - loaded_;
        ahead_.push_back({phase, loaded_, position, note_of(missing), true, true});
        loaded_ = position;
    }
    text.remove_prefix(loaded_ - position);
    const bool follows = !ahead_.empty() && !ahead_.back().is_note && ahead_.back().phase == phase;
    const auto append = [&](std::size_t size) {
        auto& last = ahead_.back();
        last.text += text.substr(0, size);
        last.end += size;
        last.on_disk = last.on_disk && on_disk;
        text.remove_prefix(size);
    };
    if (follows && ahead_.back().on_disk == on_disk && ahead_.back().text.size() < piece_limit) append(text.size());
    // Complete a character that the last piece began.
    while (follows && !text.empty() && incomplete_utf8_tail(ahead_.back().text) > 0) append(1);
    if (!text.empty()) ahead_.push_back({phase, end - text.size(), end, std::string(text), false, on_disk});
    loaded_ = end;
}

void Spool::load() {
    while (loaded_ < end_ && has_room_ahead()) {
        if (const auto text = files_.read_text()) {
            push_ahead(text->phase, text->position, text->text, true);
        } else if (!refused_.empty()) {
            auto chunk = std::move(refused_.front());
            refused_.pop_front();
            refused_bytes_ -= chunk.text.size();
            push_ahead(chunk.phase, chunk.position, chunk.text, false);
        } else {
            const auto phase = ahead_.empty() ? Phase::setup : ahead_.back().phase;
            ahead_.push_back({phase, loaded_, end_, note_of(end_ - loaded_), true, true});
            loaded_ = end_;
        }
    }
}

std::optional<Spool::Piece> Spool::front(bool all) {
    load();
    if (ahead_.empty()) return std::nullopt;
    const auto& first = ahead_.front();
    if (first.is_note) return Piece{first.phase, MaskedStore::read_back(first.text), first.end};
    auto size = std::min(first.text.size(), piece_limit);
    const bool more_may_come = !all && ahead_.size() == 1 && loaded_ == end_;
    if (size < first.text.size() || more_may_come) {
        size -= incomplete_utf8_tail(std::string_view(first.text).substr(0, size));
    }
    if (size == 0) return std::nullopt;
    return Piece{first.phase, MaskedStore::read_back(std::string_view(first.text).substr(0, size)),
                 first.position + size};
}

void Spool::begin(const Piece& piece, std::uint64_t number, const std::string& timestamp) {
    auto& first = ahead_.front();
    if (!first.on_disk && !first.is_note)
        refused_under_way_ =
            Chunk{piece.phase, first.position, piece.end, std::string(piece.text.bytes()), false, false};
    if (first.end == piece.end) {
        ahead_.pop_front();
    } else {
        first.text.erase(0, piece.end - first.position);
        first.position = piece.end;
    }
    taken_ = piece.end;
    state_.next_number = number + 1;
    state_.under_way = SpooledFragment{number, timestamp, piece.phase, piece.end};
    write_state();
}

void Spool::finish_fragment(std::uint64_t shown) {
    state_.confirmed = state_.under_way->end;
    if (shown > 0) state_.shown_bytes[state_.under_way->phase] += shown;
    state_.under_way.reset();
    refused_under_way_.reset();
    write_state();
    // Normally the text stays until the disk has the new state. A full disk needs the room now.
    if (state_is_stale_) files_.remove_before(state_.confirmed);
}

MaskedChunk Spool::take_text_under_way() {
    std::string text;
    const auto end = state_.under_way->end;
    while (taken_ < end) {
        load();
        if (ahead_.empty()) break;
        auto& first = ahead_.front();
        if (first.end <= end) {
            text += first.text;
            taken_ = first.end;
            ahead_.pop_front();
        } else {
            const auto size = first.is_note ? first.text.size() : static_cast<std::size_t>(end - first.position);
            text += first.text.substr(0, size);
            first.text.erase(0, first.is_note ? 0 : size);
            first.position = taken_ = end;
        }
    }
    return MaskedStore::read_back(text);
}

void Spool::sync(std::function<void()> done) {
    auto result = std::make_shared<Result<void>>();
    const auto confirmed = state_is_stale_ ? 0 : state_.confirmed;
    worker_.run([result, work = files_.sync_work()] { *result = work(); },
                [this, alive = std::weak_ptr(alive_), result, confirmed, done = std::move(done)] {
                    if (alive.expired()) return;
                    if (*result) files_.remove_before(confirmed);
                    if (!*result && !std::exchange(told_of_sync_, true)) {
                        log_error("cannot sync a job's log to disk, a power cut may lose a part of it: " +
                                  result->error().message());
                    }
                    done();
                });
}

void Spool::remove() {
    files_.remove_all();
}

}  // namespace trebuchet
