#include "agent/host/tree_watch.hpp"

#include "agent/host/agent_tree.hpp"

#include <system_error>
#include <utility>
#include <vector>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> watched_folders(const fs::path& dir) {
    std::error_code error;
    std::vector<fs::path> folders{dir};
    for (fs::directory_iterator entry(dir, error), end; !error && entry != end; entry.increment(error)) {
        if (folders.size() > most_agents) break;
        std::error_code ignored;
        if (entry->is_directory(ignored)) folders.push_back(entry->path());
    }
    return folders;
}

fs::path absolute_of(const fs::path& dir) {
    std::error_code ignored;
    const auto path = fs::absolute(dir, ignored).lexically_normal();
    return path.has_filename() ? path : path.parent_path();
}

}  // namespace

TreeWatch::TreeWatch(EventLoop& loop, const Clock& clock, const fs::path& dir, const Times& times,
                     std::function<void()> on_settled)
    : loop_(loop),
      clock_(clock),
      dir_(absolute_of(dir)),
      times_(times),
      on_settled_(std::move(on_settled)),
      timer_(loop) {
    watch();
    timer_.start(times_.look_pause, [this] { settle(); });
}

void TreeWatch::watch() {
    watcher_ = std::make_unique<FolderWatcher>(loop_, watched_folders(dir_), [this](const std::string&) { changed(); });
    // The tree itself may be replaced.
    above_ = std::make_unique<FolderWatcher>(loop_, dir_.parent_path(), [this](const std::string& name) {
        if (dir_.filename() == name) changed();
    });
}

void TreeWatch::changed() {
    if (!first_change_) first_change_ = clock_.now();
    if (clock_.now() - *first_change_ < times_.longest) timer_.start(times_.quiet, [this] { look(); });
}

void TreeWatch::look() {
    if (is_being_updated(dir_) && first_change_ && clock_.now() - *first_change_ < times_.longest) return changed();
    settle();
}

/// Watches before it reads, so that no change falls between.
void TreeWatch::settle() {
    first_change_.reset();
    watch();
    timer_.start(times_.look_pause, [this] { settle(); });
    on_settled_();
}

}  // namespace trebuchet
