#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string_view>

namespace trebuchet {

/// The most that the phases of a job may register to be masked: their output is hostile, and each value costs memory
/// and time.
struct AddedMaskLimits {
    std::size_t values = 1000;
    std::size_t value_length = 65536;          ///< bytes
    std::size_t bytes = std::size_t{1} << 20;  ///< of all values together: each is kept in some thirty forms
};

/// Takes lines `::add-mask::VALUE` out of a phase's output: the value is handed over before the text after it, and the
/// line is not shown. It begins at the start of a line and ends with LF or CRLF. Text that may still become the start
/// of one is held back, at most the longest value's line; all other text passes without delay.
class AddMaskFilter {
  public:
    using TakeText = std::function<void(std::string_view)>;
    /// `value` is valid during the call; it may be empty or too long.
    using TakeValue = std::function<void(std::string_view value)>;

    AddMaskFilter(TakeText text, TakeValue value) : text_(std::move(text)), value_(std::move(value)) {}

    void write(std::string_view bytes);
    /// The stream has ended: what was held back goes out, an unfinished line with a value as a value.
    void finish();

  private:
    [[nodiscard]] bool is_command() const;
    [[nodiscard]] bool may_become_command() const;
    void end_command();

    TakeText text_;
    TakeValue value_;
    WipedString line_;  ///< the start of a line that is, or may become, a command
    bool at_line_start_ = true;
    bool too_long_ = false;
};

/// A FIFO into which a phase writes values to be masked, one a line: $TREBUCHET_MASK_FILE.
class MaskFifo {
  public:
    /// Makes it, 0600, in place of what is at `path`, and its folder if that is missing.
    static Result<MaskFifo> make(const std::filesystem::path& path);
    /// Removes it.
    ~MaskFifo();
    MaskFifo(MaskFifo&&) noexcept = default;
    MaskFifo& operator=(MaskFifo&&) = delete;
    MaskFifo(const MaskFifo&) = delete;
    MaskFifo& operator=(const MaskFifo&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    /// For a ReadWatcher: a command that writes more than the FIFO holds waits until it is drained.
    [[nodiscard]] int fd() const { return fd_.get(); }
    /// Hands over the values of the whole lines that were written by now. Never waits, even while a command writes on.
    void drain(const AddMaskFilter::TakeValue& value);
    /// After `drain`: hands over a last line that has no end yet, since it may be a whole value. If more of that line
    /// comes, the longer value and what came are handed over as well.
    void take_unfinished(const AddMaskFilter::TakeValue& value);
    /// Whether something else is at its path now: values that are written there are not read.
    [[nodiscard]] bool is_replaced() const;

  private:
    MaskFifo(std::filesystem::path path, FileDescriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    void take_rest(const AddMaskFilter::TakeValue& value) const;

    std::filesystem::path path_;
    FileDescriptor fd_;
    WipedString rest_;
    std::size_t told_ = 0;  ///< so much of the rest was handed over
};

}  // namespace trebuchet
