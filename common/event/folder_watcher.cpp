#include "common/event/folder_watcher.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <sys/inotify.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr std::uint32_t changes = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;

}  // namespace

FolderWatcher::FolderWatcher(EventLoop& loop, const std::filesystem::path& folder,
                             std::function<void(const std::string&)> handler)
    : FolderWatcher(loop, std::vector{folder}, std::move(handler)) {}

FolderWatcher::FolderWatcher(EventLoop& loop, const std::vector<std::filesystem::path>& folders,
                             std::function<void(const std::string&)> handler)
    : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)), handler_(std::move(handler)) {
    if (fd_ < 0) return;
    bool is_watching = false;
    for (const auto& folder : folders) is_watching |= ::inotify_add_watch(fd_, folder.c_str(), changes) >= 0;
    if (!is_watching) return;
    watcher_ = std::make_unique<ReadWatcher>(loop, fd_, [this] { read_events(); });
}

FolderWatcher::~FolderWatcher() {
    watcher_.reset();
    if (fd_ >= 0) ::close(fd_);
}

void FolderWatcher::read_events() {
    alignas(inotify_event) std::array<char, 4096> buffer{};
    const auto count = ::read(fd_, buffer.data(), buffer.size());
    std::size_t at = 0;
    while (count > 0 && at < static_cast<std::size_t>(count)) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        if (event->len > 0) handler_(event->name);
        at += sizeof(inotify_event) + event->len;
    }
}

}  // namespace trebuchet
