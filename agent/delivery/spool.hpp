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

/// Keeps one of a job's two logs, masked, until the server has it: on disk, with only the next fragment in memory. A
/// new object for the same files continues where the previous one stopped.
///
/// Text that the disk refuses stays in memory, is sent from there, and is written once the disk accepts it. If text is
/// missing after a crash (it was only in memory, or a file is damaged), a note with its length replaces it. Algorithm:
/// see spool.cpp. Use it on the loop's thread.
class Spool {
  public:
    /// The maximum size of a fragment, in bytes.
    static constexpr std::size_t piece_limit = std::size_t{512} << 10;

    /// Files `<name>.<number>` in this folder, which is created at the first write.
    Spool(Worker& worker, const std::filesystem::path& folder, const std::string& name, SpoolOptions options);

    void add(Phase phase, const MaskedChunk& text);
    /// The caller of add() should wait.
    [[nodiscard]] bool is_full() const;

    struct Piece {
        Phase phase = Phase::setup;
        MaskedChunk text;
        std::uint64_t end = 0;  ///< the position after it
    };
    /// The next text to send: text of one phase, whole characters. Nothing if there is none, or only the start of a
    /// character. `all`: returns that start too, because nothing more is expected soon.
    [[nodiscard]] std::optional<Piece> front(bool all);
    [[nodiscard]] bool is_empty() const { return ahead_.empty() && loaded_ == end_; }
    /// Bytes that front() has not returned yet.
    [[nodiscard]] std::uint64_t waiting_bytes() const { return end_ - taken_; }
    /// The position after the last text that was added.
    [[nodiscard]] std::uint64_t end() const { return end_; }

    /// Notes that this piece, which front() returned, is under way as this fragment. The note is not durable yet.
    void begin(const Piece& piece, std::uint64_t number, const std::string& timestamp);
    /// Notes that the fragment arrived or is left out. `shown`: how many bytes of UTF-8 it added to the server's log.
    void finish_fragment(std::uint64_t shown);
    [[nodiscard]] const SpoolState& state() const { return state_; }
    /// The text of the fragment that was under way when the previous object was destroyed. Call it once, before
    /// front().
    [[nodiscard]] MaskedChunk take_text_under_way();

    /// Calls `done` when everything written so far is durable, or when that has failed.
    void sync(std::function<void()> done);
    /// Retries the writes that the disk refused.
    void retry_disk();
    /// Nothing is only in memory.
    [[nodiscard]] bool is_on_disk() const { return !disk_refuses_ && !state_is_stale_; }
    /// Removes the files.
    void remove();

  private:
    struct Chunk {
        Phase phase = Phase::setup;
        std::uint64_t position = 0;
        std::uint64_t end = 0;
        std::string text;
        bool is_note = false;  ///< replaces missing text
        bool on_disk = true;
    };

    void write_state();
    Result<void> write_text(Phase phase, std::uint64_t position, std::string_view text);
    void make_room();
    void load();
    /// Little of what comes next is in memory, or the only piece ends within a character.
    [[nodiscard]] bool has_room_ahead() const;
    void push_ahead(Phase phase, std::uint64_t position, std::string_view text, bool on_disk);
    void note_disk(const Result<void>& done);

    Worker& worker_;
    std::filesystem::path folder_;
    SpoolOptions options_;
    SpoolFiles files_;
    SpoolState state_;
    bool state_is_stale_ = false;  ///< the last state is not written

    // The text: taken ≤ loaded ≤ end; what is on disk ends where `refused_` begins.
    std::deque<Chunk> ahead_;    ///< from taken_ to loaded_
    std::deque<Chunk> refused_;  ///< by the disk, not in `ahead_`
    std::size_t refused_bytes_ = 0;
    std::optional<Chunk> refused_under_way_;  ///< the text under way, while the disk refuses it
    std::uint64_t taken_ = 0;
    std::uint64_t loaded_ = 0;
    std::uint64_t end_ = 0;
    bool disk_refuses_ = false;
    bool told_of_disk_ = false;
    bool told_of_sync_ = false;
    int good_writes_ = 0;                                         ///< in a row
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< the worker may outlive this object
};

}  // namespace trebuchet
