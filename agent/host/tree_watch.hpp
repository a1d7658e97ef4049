#pragma once

#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"
#include "common/event/folder_watcher.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace trebuchet {

/// Tells when a tree of configurations has changed and is quiet again:
///
///     change ──▶ nothing for `quiet`, and git is not at work ──▶ on_settled
///          └──── at most `longest` after the first change ─────────▲
///
/// Also calls every `look_pause` without a change: not every change is seen (a mount, too many changes at once).
class TreeWatch {
  public:
    struct Times {
        std::chrono::milliseconds quiet{2'000};
        std::chrono::milliseconds longest{120'000};
        std::chrono::milliseconds look_pause{60'000};
    };

    TreeWatch(EventLoop& loop, const Clock& clock, const std::filesystem::path& dir, const Times& times,
              std::function<void()> on_settled);

    /// As if the tree had changed and were quiet again.
    void settle();

  private:
    void watch();
    void changed();
    void look();

    EventLoop& loop_;
    const Clock& clock_;
    std::filesystem::path dir_;
    Times times_;
    std::function<void()> on_settled_;
    std::optional<std::chrono::steady_clock::time_point> first_change_;
    std::unique_ptr<FolderWatcher> watcher_;
    std::unique_ptr<FolderWatcher> above_;
    Timer timer_;
};

}  // namespace trebuchet
