#pragma once

#include "agent/delivery/job_record.hpp"
#include "agent/delivery/spool.hpp"
#include "common/event/event_loop.hpp"
#include "common/event/worker.hpp"
#include "common/record_file/record_file.hpp"

#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// The names of the spools in a job's folder.
inline constexpr const char* output_spool_name = "output";
inline constexpr const char* serial_spool_name = "serial";

/// The one record of a job that is in hand or not fully delivered, 0700, below the agent's folder for what lasts:
///
///     journal            what was promised and done: JobRecord
///     output.N serial.N  the spools of the two log series
///     artifacts.tar.gz   masked, if they are packed and not sent
///
/// It is removed when all is delivered. What the disk refuses of the journal is written as soon as it takes it.
/// Lives on the loop's thread.
class JobFolder {
  public:
    /// Reads what is there. An id that nothing is known of is a new one: nothing is made until the first entry.
    JobFolder(EventLoop& loop, const std::filesystem::path& base, const std::string& job_id);

    /// The ids of those that are there.
    [[nodiscard]] static std::vector<std::string> all(const std::filesystem::path& base);

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] const JobRecord& record() const { return record_; }
    [[nodiscard]] std::filesystem::path archive() const { return path_ / "artifacts.tar.gz"; }
    [[nodiscard]] Worker& worker() { return worker_; }

    /// Writes the entry; it survives this process now, and a power cut soon.
    void note(const JournalEntry& entry);
    /// Writes the entry and returns when it is durable, or when the disk won't have it. Runs the loop: for the main
    /// flow only.
    void commit(const JournalEntry& entry);

    /// Writes the entry and makes it durable at once: for handlers that can't go on before.
    void note_at_once(const JournalEntry& entry);

    /// Whether the disk has taken all entries.
    [[nodiscard]] bool is_written() const { return waiting_.empty(); }
    /// Writes those that the disk refused, if it takes them now.
    void retry_disk();

    /// Removes it with all that is in it: whole or not at all, should a crash come in between.
    void remove();
    static void remove(const std::filesystem::path& folder);
    /// Removes what a crash left of those that were being removed.
    static void remove_leftovers(const std::filesystem::path& base);

  private:
    void write(const std::string& text);
    void note_disk(const Result<void>& written);
    Result<void> write_waiting();

    EventLoop& loop_;
    std::filesystem::path path_;
    std::optional<RecordFile> journal_;
    std::deque<std::string> waiting_;  ///< entries that the disk refused
    bool told_of_disk_ = false;
    bool syncing_ = false;
    bool sync_again_ = false;
    JobRecord record_;
    Worker worker_;
};

}  // namespace trebuchet
