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

/// The folder of a job that is in hand or not fully delivered, 0700, in `jobs/` of the agent's state directory. It is
/// all of a job that survives a power cut:
///
///     journal            what the job is and what was done: JobRecord
///     output.N serial.N  the spools of the two log series
///     artifacts.tar.gz   masked, if they are packed and not sent
///
/// It is removed when all is delivered. Journal entries that the disk refuses are kept in memory and written as soon as
/// the disk takes them. Lives on the loop's thread.
class JobFolder {
  public:
    /// Reads what is there. For a new id nothing is made until the first entry.
    JobFolder(EventLoop& loop, const std::filesystem::path& base, const std::string& job_id);

    /// At the start: whatever is in `base` and can't be a job's folder, such as a FIFO, a link, a folder of another
    /// user or without a journal, is renamed, and the log names it. Nothing of it is opened. `known`: jobs that were
    /// taken, whether they have a journal or not.
    static void set_aside_planted(const std::filesystem::path& base, const std::vector<std::string>& known);
    /// Whether this job has one. Something else in its place, which nobody but a job can have put there, is set aside.
    [[nodiscard]] static bool is_there(const std::filesystem::path& base, const std::string& job_id);
    /// The ids of the jobs that have one.
    [[nodiscard]] static std::vector<std::string> all(const std::filesystem::path& base);

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] const JobRecord& record() const { return record_; }
    [[nodiscard]] std::filesystem::path archive() const { return path_ / "artifacts.tar.gz"; }
    [[nodiscard]] Worker& worker() { return worker_; }

    /// Writes the entry: it then survives a crash of the agent, and a moment later also a power cut.
    void note(const JournalEntry& entry);
    /// Writes the entry and waits until it is durable, or until the disk has refused it. Runs the loop: for the main
    /// flow only.
    void commit(const JournalEntry& entry);

    /// Like commit(), but blocks instead of running the loop: for handlers that must wait for it.
    void note_at_once(const JournalEntry& entry);

    /// Whether the disk has taken all entries.
    [[nodiscard]] bool is_written() const { return waiting_.empty(); }
    /// Writes those that the disk refused, if it takes them now.
    void retry_disk();

    /// Removes it with its content. After a crash in between it is either complete or gone.
    void remove();
    static void remove(const std::filesystem::path& folder);
    /// Removes folders whose removal a crash interrupted.
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
