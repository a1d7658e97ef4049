#include "agent/delivery/job_folder.hpp"

#include "common/event/beside.hpp"
#include "common/file/planted_file.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

namespace trebuchet {

namespace fs = std::filesystem;

namespace {
constexpr const char* removed_prefix = ".removed-";
constexpr std::chrono::milliseconds removal_limit{500};
/// Part of the names that rename_aside() gives.
constexpr const char* aside_mark = ".set-aside-";
constexpr const char* journal_file = "journal";

void move_away(const fs::path& path, const std::string& why) {
    const auto aside = rename_aside(path);
    log_error(path.string() + " " + why + (aside ? ": it was renamed to " + aside->string() : ""));
    if (!aside) log_error(aside.error().message());
}

}  // namespace

bool JobFolder::is_there(const fs::path& base, const std::string& job_id) {
    const auto path = base / job_id;
    const auto kind = kind_of_file(path);
    if (kind.empty()) return false;
    if (kind == "a folder" && kind_of_file(path / journal_file) == "a file") return true;
    move_away(path,
              kind == "a folder" ? "contains no journal of a job" : "is " + kind + ", expected the folder of a job");
    return false;
}

void JobFolder::set_aside_planted(const fs::path& base, const std::vector<std::string>& known) {
    if (const auto kind = kind_of_file(base); !kind.empty() && kind != "a folder") {
        move_away(base, "is " + kind + ", expected the folder of the agent's jobs");
    }
    if (auto made = make_private_folder(base); !made) return log_error(made.error().message());
    std::vector<std::pair<fs::path, std::string>> planted;
    std::error_code error;
    for (fs::directory_iterator entry(base, error), end; !error && entry != end; entry.increment(error)) {
        const auto& path = entry->path();
        const auto name = path.filename().string();
        if (name.starts_with('.') || name.find(aside_mark) != std::string::npos) continue;  // removed or set aside
        if (const auto kind = kind_of_file(path); kind != "a folder") {
            planted.emplace_back(path, "is " + kind + ", expected the folder of a job");
        } else if (!is_job_id(name)) {
            planted.emplace_back(path, "has a name that is not a job id");
        } else if (auto usable = make_private_folder(path); !usable) {
            planted.emplace_back(path, "cannot be the folder of a job: " + usable.error().message());
        } else if (kind_of_file(path / journal_file) != "a file" &&
                   std::find(known.begin(), known.end(), name) == known.end()) {
            planted.emplace_back(path, "contains no journal of a job");
        }
    }
    for (const auto& [path, why] : planted) move_away(path, why);
}

JobFolder::JobFolder(EventLoop& loop, const fs::path& base, const std::string& job_id)
    : loop_(loop), path_(base / job_id), worker_(loop) {
    if (!is_folder(path_)) return;
    auto journal =
        RecordFile::open(path_ / journal_file, [this](std::string_view text) { return apply_entry(text, record_); });
    if (!journal) {
        log_error("job " + job_id + ": cannot read its journal, continuing without it: " + journal.error().message());
        return;
    }
    if (!journal->problem().empty()) log_error(journal->problem());
    journal_ = std::move(*journal);
}

std::vector<std::string> JobFolder::all(const fs::path& base) {
    std::vector<std::string> ids;
    std::error_code error;
    for (fs::directory_iterator entry(base, error), end; !error && entry != end; entry.increment(error)) {
        auto name = entry->path().filename().string();
        if (is_folder(entry->path()) && is_job_id(name)) ids.push_back(std::move(name));
    }
    std::sort(ids.begin(), ids.end());
    return ids;
}

Result<void> JobFolder::write_waiting() {
    if (!journal_) {
        if (auto made = make_private_folder(path_); !made) return made;
        auto journal = RecordFile::open(path_ / journal_file, [](std::string_view) { return true; });
        if (!journal) return fail(journal.error());
        if (!journal->problem().empty()) log_error(journal->problem());
        journal_ = std::move(*journal);
        if (auto durable = sync_folder(path_.parent_path()); !durable) return durable;
    }
    for (; !waiting_.empty(); waiting_.pop_front()) {
        if (auto written = journal_->append(waiting_.front()); !written) return written;
    }
    return {};
}

void JobFolder::write(const std::string& text) {
    static_cast<void>(apply_entry(text, record_));
    waiting_.push_back(text);
    note_disk(write_waiting());
}

void JobFolder::retry_disk() {
    if (!is_written()) note_disk(write_waiting());
}

void JobFolder::note_disk(const Result<void>& written) {
    if (!written && !std::exchange(told_of_disk_, true)) {
        log_error("job " + record_.id + ": cannot write its journal, so a crash would lose its outcome; retrying: " +
                  written.error().message());
    }
    if (written && std::exchange(told_of_disk_, false))
        log_info("job " + record_.id + ": its journal is stored on disk again");
}

void JobFolder::note(const JournalEntry& entry) {
    write(entry.text());
    sync_again_ = true;
    if (syncing_ || !journal_) return;
    syncing_ = true;
    sync_again_ = false;
    worker_.run([sync = journal_->sync_work()] { static_cast<void>(sync()); },
                [this] {
                    syncing_ = false;
                    if (!std::exchange(sync_again_, false) || !journal_) return;
                    worker_.run([sync = journal_->sync_work()] { static_cast<void>(sync()); }, [] {});
                });
}

void JobFolder::commit(const JournalEntry& entry) {
    write(entry.text());
    if (!journal_) return;
    Result<void> durable;
    bool done = false;
    worker_.run([&durable, sync = journal_->sync_work()] { durable = sync(); }, [&done] { done = true; });
    loop_.run_until([&] { return done; });
    if (!durable) log_error("job " + record_.id + ": a power cut may lose its journal: " + durable.error().message());
}

void JobFolder::note_at_once(const JournalEntry& entry) {
    write(entry.text());
    if (!journal_) return;
    if (auto durable = journal_->sync(); !durable) log_error(durable.error().message());
}

void JobFolder::remove() {
    journal_.reset();
    waiting_.clear();
    remove(path_);
}

void JobFolder::remove(const fs::path& folder) {
    // This is no valid job id, so leftovers of a crash are not taken for a job.
    const auto doomed = folder.parent_path() / (removed_prefix + folder.filename().string());
    std::error_code error;
    fs::rename(folder, doomed, error);
    if (error) {
        if (!remove_tree(doomed, {removal_limit})) static_cast<void>(set_aside(doomed));
        fs::rename(folder, doomed, error);
    }
    // A job of our user may have filled it. The next start continues the removal.
    if (auto removed = remove_tree(error ? folder : doomed, {removal_limit}); !removed) {
        log_warning(removed.error().message());
    }
}

void JobFolder::remove_leftovers(const fs::path& base, const RemoveLimits& limits) {
    std::vector<fs::path> leftovers;
    std::error_code error;
    for (fs::directory_iterator entry(base, error), end; !error && entry != end; entry.increment(error)) {
        if (entry->path().filename().string().starts_with(removed_prefix)) leftovers.push_back(entry->path());
    }
    for (const auto& path : leftovers) {
        if (auto removed = remove_tree(path, limits); !removed) log_warning(removed.error().message());
    }
    if (auto removed = remove_set_aside(base, limits); !removed) log_warning(removed.error().message());
}

}  // namespace trebuchet
