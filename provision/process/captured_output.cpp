#include "provision/process/captured_output.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace trebuchet {

tl::expected<std::unique_ptr<CapturedOutput>, int> CapturedOutput::open(std::size_t limit) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return tl::unexpected(errno);
    FileDescriptor read_end(ends[0]);
    FileDescriptor write_end(ends[1]);
    ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
    FileDescriptor wake_up(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_up) return tl::unexpected(errno);
    return std::unique_ptr<CapturedOutput>(
        new CapturedOutput(std::move(read_end), std::move(write_end), std::move(wake_up), limit));
}

CapturedOutput::CapturedOutput(FileDescriptor read_end, FileDescriptor write_end, FileDescriptor wake_up,
                               std::size_t limit)
    : read_end_(std::move(read_end)),
      write_end_(std::move(write_end)),
      wake_up_(std::move(wake_up)),
      limit_(limit),
      thread_([this] { read(); }) {}

CapturedOutput::~CapturedOutput() {
    is_closing_ = true;
    const std::uint64_t one = 1;
    (void)!::write(wake_up_.get(), &one, sizeof(one));
    thread_.join();
}

std::string CapturedOutput::take() {
    wants_text_ = true;
    const std::uint64_t one = 1;
    (void)!::write(wake_up_.get(), &one, sizeof(one));
    is_taken_.wait(false);
    return std::move(text_);
}

void CapturedOutput::read() {
    bool has_more = true;
    while (!is_closing_) {
        std::array<pollfd, 2> ready{pollfd{has_more ? read_end_.get() : -1, POLLIN, 0},
                                    pollfd{wake_up_.get(), POLLIN, 0}};
        if (::poll(ready.data(), ready.size(), -1) < 0) continue;
        if (ready[1].revents != 0) {
            std::uint64_t count = 0;
            (void)!::read(wake_up_.get(), &count, sizeof(count));
        }
        // Before the text is handed out: what the command wrote is in the pipe, whatever woke us up.
        const bool is_asked = wants_text_;
        if (has_more) has_more = read_available();
        if (!has_more) has_ended_ = true;
        if (is_asked && !is_taken_) {
            is_taken_ = true;
            is_taken_.notify_all();
        }
        if (!has_more && is_taken_) return;
    }
}

bool CapturedOutput::read_available() {
    std::array<char, 65536> buffer{};
    // A writer that never pauses must not keep us from what else there is to do.
    constexpr int most_reads = 64;
    for (int i = 0; i < most_reads; ++i) {
        const auto count = ::read(read_end_.get(), buffer.data(), buffer.size());
        if (count == 0) return false;
        if (count < 0) {
            if (errno == EINTR) continue;
            return errno == EAGAIN;
        }
        if (is_taken_) continue;
        text_.append(buffer.data(), std::min(static_cast<std::size_t>(count), limit_ - text_.size()));
    }
    return true;
}

}  // namespace trebuchet
