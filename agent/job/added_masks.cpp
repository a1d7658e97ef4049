#include "agent/job/added_masks.hpp"

#include "common/base/system_text.hpp"
#include "common/file/remove_tree.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr std::string_view command = "::add-mask::";
/// A longer line cannot be a value: AddedMaskLimits would refuse it. So only its start is kept.
constexpr std::size_t longest_line = command.size() + AddedMaskLimits().value_length + 2;

std::string_view without_line_end(std::string_view line) {
    if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
}

}  // namespace

bool AddMaskFilter::is_command() const {
    return line_.size() >= command.size();
}

bool AddMaskFilter::may_become_command() const {
    return command.substr(0, line_.size()) == std::string_view(line_).substr(0, command.size());
}

void AddMaskFilter::write(std::string_view bytes) {
    std::size_t text_begin = 0;  // of text to pass on unchanged
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        const char c = bytes[at];
        const bool in_line = !line_.empty();
        if (!in_line && !(at_line_start_ && c == command[0])) {
            // Skip to the start of the next line in one step: most output contains no command.
            const auto end = bytes.find('\n', at);
            at_line_start_ = end != std::string_view::npos;
            at = at_line_start_ ? end : bytes.size() - 1;
            continue;
        }
        if (!in_line && at > text_begin) text_(bytes.substr(text_begin, at - text_begin));
        if (line_.size() < longest_line) line_ += c;
        too_long_ = too_long_ || line_.size() >= longest_line;
        at_line_start_ = c == '\n';
        text_begin = at + 1;
        if (is_command()) {
            if (line_.size() == command.size() && !may_become_command()) {
                text_(line_);
                line_.clear();
            } else if (at_line_start_) {
                end_command();
            }
        } else if (!may_become_command()) {
            text_(line_);
            line_.clear();
        }
    }
    if (line_.empty() && text_begin < bytes.size()) text_(bytes.substr(text_begin));
}

void AddMaskFilter::end_command() {
    const std::string_view line = line_;
    value_(too_long_ ? line.substr(command.size()) : without_line_end(line.substr(command.size())));
    line_.clear();
    line_.shrink_to_fit();
    too_long_ = false;
}

void AddMaskFilter::finish() {
    if (is_command()) {
        end_command();
    } else if (!line_.empty()) {
        text_(line_);
        line_.clear();
    }
    at_line_start_ = true;
}

Result<MaskFifo> MaskFifo::make(const std::filesystem::path& path) {
    if (auto made = make_folder(path.parent_path()); !made) return fail(made.error());
    if (auto removed = set_aside(path); !removed) return fail(removed.error());
    if (::mkfifo(path.c_str(), 0600) != 0) {
        return fail("cannot make the FIFO " + path.string() + ": " + system_text(errno));
    }
    // Open for writing too: then the FIFO never reports its end, however often commands open and close it.
    FileDescriptor fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISFIFO(info.st_mode)) {
        return fail("cannot open the FIFO " + path.string() + ": " + system_text(errno));
    }
    return MaskFifo(path, std::move(fd));
}

MaskFifo::~MaskFifo() {
    if (fd_) ::unlink(path_.c_str());
}

void MaskFifo::drain(const AddMaskFilter::TakeValue& value) {
    // Read only what is in the FIFO now: it was written before the output that follows. A command that keeps writing
    // must not block us.
    int left = 0;
    if (::ioctl(fd_.get(), FIONREAD, &left) != 0) return;
    std::array<char, 4096> buffer{};
    ssize_t count = 0;
    while (left > 0 && (count = ::read(fd_.get(), buffer.data(), buffer.size())) > 0) {
        left -= static_cast<int>(count);
        std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
        while (!bytes.empty()) {
            const auto end = bytes.find('\n');
            const auto piece = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
            rest_.append(piece.substr(0, longest_line - std::min(longest_line, rest_.size())));
            bytes.remove_prefix(piece.size());
            if (end == std::string_view::npos) break;
            take_rest(value);
            rest_.clear();
            told_ = 0;
        }
        wipe(buffer.data(), buffer.size());
    }
}

void MaskFifo::take_rest(const AddMaskFilter::TakeValue& value) const {
    const std::string_view line = rest_;
    value(without_line_end(line));
    if (told_ > 0) value(without_line_end(line.substr(told_)));
}

void MaskFifo::take_unfinished(const AddMaskFilter::TakeValue& value) {
    if (rest_.size() == told_) return;
    take_rest(value);
    told_ = rest_.size();
}

bool MaskFifo::is_replaced() const {
    struct stat ours {};
    struct stat there {};
    return ::fstat(fd_.get(), &ours) != 0 || ::lstat(path_.c_str(), &there) != 0 || ours.st_dev != there.st_dev ||
           ours.st_ino != there.st_ino;
}

}  // namespace trebuchet
