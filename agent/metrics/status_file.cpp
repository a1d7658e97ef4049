#include "agent/metrics/status_file.hpp"

#include "common/base/system_text.hpp"
#include "common/file/planted_file.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace fs = std::filesystem;

Result<void> write_for_group(const fs::path& file, std::string_view text) {
    const auto temporary = fs::path(file).concat(".new");
    unlink_or_set_aside(temporary);
    const auto fd = create_new_file(temporary);
    if (!fd) return fail(fd.error());
    if (auto written = write_all(fd->get(), text); !written) return written;
    if (::fchmod(fd->get(), 0640) == 0 && ::rename(temporary.c_str(), file.c_str()) == 0) return {};
    return fail("cannot write " + file.string() + ": " + system_text(errno));
}

StatusFile::StatusFile(EventLoop& loop, StatusBoard& board, const fs::path& folder, bool is_wanted,
                       std::function<std::uint64_t()> undelivered)
    : board_(board), undelivered_(std::move(undelivered)), wait_(loop), life_(loop) {
    std::error_code error;
    if (!is_wanted && !fs::is_directory(folder, error)) return;
    file_ = status_file(folder, board.status().agent_id);
    if (auto made = make_folder(file_.parent_path()); !made && is_wanted) log_warning(made.error().message());
    board.on_change([this](StatusBoard::Change change) { take(change); });
    write();
    live();
}

StatusFile::~StatusFile() {
    board_.on_change(nullptr);
    if (is_waiting_) write();
}

void StatusFile::take(StatusBoard::Change change) {
    if (change == StatusBoard::Change::now) return write();
    if (std::exchange(is_waiting_, true)) return;
    wait_.start(output_pause, [this] { write(); });
}

void StatusFile::write() {
    is_waiting_ = false;
    wait_.stop();
    const auto written = write_for_group(file_, status_json(board_.status()));
    const bool failed_before = std::exchange(has_failed_, !written);
    if (!written && !failed_before) log_warning("the status is not shown: " + written.error().message());
}

void StatusFile::live() {
    board_.undelivered(undelivered_());
    if (!has_failed_) ::utimensat(AT_FDCWD, file_.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
    life_.start(sign_of_life_pause, [this] { live(); });
}

}  // namespace trebuchet
