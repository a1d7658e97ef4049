#pragma once

#include "agent/delivery/job_record.hpp"
#include "agent/delivery/spool.hpp"
#include "common/event/event_loop.hpp"
#include "common/event/worker.hpp"
#include "common/file/remove_tree.hpp"
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

/// The folder (0700) of a job that is running or not fully delivered, in `jobs/` of the agent's state directory. Only
/// this part of a job survives a power cut:
///
///     journal            what the job is and what was done: JobRecord
///     output.N serial.N  the spools of the two log series
///     artifacts.tar.gz   masked; there while the artifacts are packed and not sent
///
/// It is removed when everything is delivered. If the disk refuses journal entries, they stay in memory and are written
/// once the disk accepts data again. Use it on the loop's thread.
class JobFolder {
  public:
    /// Reads an existing folder. For a new id, creates nothing until the first entry.
    JobFolder(EventLoop& loop, const std::filesystem::path& base, const std::string& job_id);

    /// At the start of the agent: renames, and logs, everything in `base` that cannot be a job's folder, such as a
    /// FIFO, a link, a folder of another user or one without a journal. Opens none of it. `known`: jobs that were
    /// accepted, with or without a journal.
    static void set_aside_planted(const std::filesystem::path& base, const std::vector<std::string>& known);
    /// Whether this job has a folder. Anything else in its place must come from a job and is set aside.
    [[nodiscard]] static bool is_there(const std::filesystem::path& base, const std::string& job_id);
    /// The ids of all jobs with a folder.
    [[nodiscard]] static std::vector<std::string> all(const std::filesystem::path& base);

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] const JobRecord& record() const { return record_; }
    [[nodiscard]] std::filesystem::path archive() const { return path_ / "artifacts.tar.gz"; }
    [[nodiscard]] Worker& worker() { return worker_; }

    /// Writes the entry. It survives a crash of the agent now, and a power cut a moment later.
    void note(const JournalEntry& entry);
    /// Writes the entry and waits until it is durable, or until the disk has refused it. Runs the loop: only for the
    /// main flow.
    void commit(const JournalEntry& entry);

    /// Like commit(), but blocks instead of running the loop: for handlers that must wait.
    void note_at_once(const JournalEntry& entry);

    /// Whether all entries are on disk.
    [[nodiscard]] bool is_written() const { return waiting_.empty(); }
    /// Writes the entries that the disk refused, if it accepts them now.
    void retry_disk();

    /// Removes the folder with its content. After a crash during this it is either complete or gone.
    void remove();
    static void remove(const std::filesystem::path& folder);
    /// Continues removals that a crash interrupted.
    static void remove_leftovers(const std::filesystem::path& base, const RemoveLimits& limits);

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
