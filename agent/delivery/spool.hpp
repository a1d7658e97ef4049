#pragma once

#include "agent/config/spool_options.hpp"
#include "agent/delivery/spool_files.hpp"
#include "common/event/worker.hpp"
#include "common/mask/masked_chunk.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace trebuchet {

/// Keeps one of a job's two logs, masked, until it has arrived at the server: on disk, with no more than the next
/// fragment in memory. A new object over the same files goes on where the former one stopped.
///
/// Text that the disk refuses stays in memory, is sent from there, and is written as soon as the disk takes it. Text
/// that is missing after a crash, because it was only in memory or a file is damaged, is replaced by a note with its
/// length. The algorithm is at the top of spool.cpp. Lives on the loop's thread.
class Spool {
  public:
    /// A fragment holds no more.
    static constexpr std::size_t piece_limit = std::size_t{512} << 10;

    /// Files `<name>.<number>` in this folder, which is made when there is something to write.
    Spool(Worker& worker, const std::filesystem::path& folder, const std::string& name, SpoolOptions options);

    void add(Phase phase, const MaskedChunk& text);
    /// The caller of add() should wait.
    [[nodiscard]] bool is_full() const;

    struct Piece {
        Phase phase = Phase::setup;
        MaskedChunk text;
        std::uint64_t end = 0;  ///< the position behind it
    };
    /// The next text to be sent, of one phase, not cut within a character; nothing if there is none, or only the start
    /// of a character. `all`: gives that start as well, since nothing more comes soon.
    [[nodiscard]] std::optional<Piece> front(bool all);
    [[nodiscard]] bool is_empty() const { return ahead_.empty() && loaded_ == end_; }
    /// Bytes that front() has still to give.
    [[nodiscard]] std::uint64_t waiting_bytes() const { return end_ - taken_; }
    /// The position behind the last text that came.
    [[nodiscard]] std::uint64_t end() const { return end_; }

    /// Notes that the piece that front() gave is under way as this fragment. The note is not durable yet.
    void begin(const Piece& piece, std::uint64_t number, const std::string& timestamp);
    /// Notes that it arrived, or is left out. `shown`: by how many bytes of UTF-8 the server's log grew.
    void finish_fragment(std::uint64_t shown);
    [[nodiscard]] const SpoolState& state() const { return state_; }
    /// The text of the fragment that was under way when a former object went. Once, before front().
    [[nodiscard]] MaskedChunk take_text_under_way();

    /// Calls `done` when all that was written is durable, or can't be made so.
    void sync(std::function<void()> done);
    /// Tries again to write what the disk refused.
    void retry_disk();
    /// Nothing is in memory alone.
    [[nodiscard]] bool is_on_disk() const { return !disk_refuses_ && !state_is_stale_; }
    /// Removes the files.
    void remove();

  private:
    struct Chunk {
        Phase phase = Phase::setup;
        std::uint64_t position = 0;
        std::uint64_t end = 0;
        std::string text;
        bool is_note = false;  ///< in place of text that is missing
        bool on_disk = true;
    };

    void write_state();
    Result<void> write_text(Phase phase, std::uint64_t position, std::string_view text);
    void make_room();
    void load();
    /// Of what comes next little is in memory, or the first piece ends with the start of a character.
    [[nodiscard]] bool has_room_ahead() const;
    void push_ahead(Phase phase, std::uint64_t position, std::string_view text, bool on_disk);
    void note_disk(const Result<void>& done);

    Worker& worker_;
    std::filesystem::path folder_;
    SpoolOptions options_;
    SpoolFiles files_;
    SpoolState state_;
    bool state_is_stale_ = false;  ///< the last one is not written

    // The text: taken ≤ loaded ≤ end; what is on disk ends where `refused_` begins.
    std::deque<Chunk> ahead_;    ///< from taken_ to loaded_
    std::deque<Chunk> refused_;  ///< by the disk, not in `ahead_`
    std::size_t refused_bytes_ = 0;
    std::optional<Chunk> refused_under_way_;  ///< what is under way, as long as the disk refuses it
    std::uint64_t taken_ = 0;
    std::uint64_t loaded_ = 0;
    std::uint64_t end_ = 0;
    bool disk_refuses_ = false;
    bool told_of_disk_ = false;
    bool told_of_sync_ = false;
    int good_writes_ = 0;                                         ///< in a row
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< the worker may be done when we are gone
};

}  // namespace trebuchet
