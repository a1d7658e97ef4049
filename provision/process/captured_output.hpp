#pragma once

#include "common/file/safe_file.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>

#include <tl/expected.hpp>

namespace trebuchet {

/// The read end of a pipe into which a command writes. A thread reads it, keeps the first bytes, and drops the rest, so
/// that the command never waits for us and never fills our memory. The thread lives until the last process that holds
/// the pipe has closed it, or until the destructor.
class CapturedOutput {
  public:
    /// The error is an errno.
    [[nodiscard]] static tl::expected<std::unique_ptr<CapturedOutput>, int> open(std::size_t limit);
    CapturedOutput(const CapturedOutput&) = delete;
    CapturedOutput& operator=(const CapturedOutput&) = delete;
    ~CapturedOutput();

    /// For the child. Close it after the child was started.
    [[nodiscard]] FileDescriptor& write_end() { return write_end_; }
    /// Call this when the command has exited. Returns what was written until now; what its background processes write
    /// later is dropped.
    [[nodiscard]] std::string take();
    /// Nobody can write to it any more.
    [[nodiscard]] bool has_ended() const { return has_ended_; }

  private:
    CapturedOutput(FileDescriptor read_end, FileDescriptor write_end, FileDescriptor wake_up, std::size_t limit);
    void read();
    /// Reads what is there. False at the end.
    bool read_available();

    FileDescriptor read_end_;
    FileDescriptor write_end_;
    FileDescriptor wake_up_;
    std::size_t limit_;
    std::string text_;  ///< of the thread until `is_taken_`
    std::atomic<bool> wants_text_ = false;
    std::atomic<bool> is_taken_ = false;
    std::atomic<bool> is_closing_ = false;
    std::atomic<bool> has_ended_ = false;
    std::thread thread_;
};

}  // namespace trebuchet
