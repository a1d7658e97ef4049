#pragma once

#include "common/event/event_loop.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace trebuchet {

/// Calls `handler` on the loop with the name of each file in `folder` that appears, is written and closed, is renamed
/// or disappears; not for what is in its subfolders. Costs nothing while nothing changes (inotify(7)). Best effort: if
/// the folder cannot be watched, or after too many changes at once, nothing is called. Look at the files now and then,
/// too.
class FolderWatcher {
  public:
    /// Several folders with one descriptor; missing ones are left out. `handler` does not learn which folder it was.
    FolderWatcher(EventLoop& loop, const std::vector<std::filesystem::path>& folders,
                  std::function<void(const std::string&)> handler);
    FolderWatcher(EventLoop& loop, const std::filesystem::path& folder,
                  std::function<void(const std::string&)> handler);
    ~FolderWatcher();
    FolderWatcher(const FolderWatcher&) = delete;
    FolderWatcher& operator=(const FolderWatcher&) = delete;

  private:
    void read_events();

    int fd_ = -1;
    std::function<void(const std::string&)> handler_;
    std::unique_ptr<ReadWatcher> watcher_;
};

}  // namespace trebuchet
