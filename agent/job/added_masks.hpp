#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string_view>

namespace trebuchet {

/// How much the phases of a job may register to be masked. Their output is hostile, and each value costs memory and
/// time.
struct AddedMaskLimits {
    std::size_t values = 1000;
    std::size_t value_length = 65536;          ///< bytes
    std::size_t bytes = std::size_t{1} << 20;  ///< for all values together: each is kept in about thirty forms
};

/// Removes commands `::add-mask::VALUE` from a phase's output and hands over each value before the text after it. A
/// command is a whole line that ends with LF or CRLF. Holds back text that may still become a command (at most one line
/// with the longest value). Passes on all other text at once.
class AddMaskFilter {
  public:
    using TakeText = std::function<void(std::string_view)>;
    /// `value` is valid during the call; it may be empty or too long.
    using TakeValue = std::function<void(std::string_view value)>;

    AddMaskFilter(TakeText text, TakeValue value) : text_(std::move(text)), value_(std::move(value)) {}

    void write(std::string_view bytes);
    /// Ends the stream: passes on text that was held back. A command without a line end counts too.
    void finish();

  private:
    [[nodiscard]] bool is_command() const;
    [[nodiscard]] bool may_become_command() const;
    void end_command();

    TakeText text_;
    TakeValue value_;
    WipedString line_;  ///< start of a line that is, or may become, a command
    bool at_line_start_ = true;
    bool too_long_ = false;
};

/// A FIFO into which a phase writes values to be masked, one per line: $TREBUCHET_MASK_FILE.
class MaskFifo {
  public:
    /// Creates the FIFO (0600), and its folder if missing. Replaces whatever is at `path`.
    static Result<MaskFifo> make(const std::filesystem::path& path);
    /// Removes the FIFO.
    ~MaskFifo();
    MaskFifo(MaskFifo&&) noexcept = default;
    MaskFifo& operator=(MaskFifo&&) = delete;
    MaskFifo(const MaskFifo&) = delete;
    MaskFifo& operator=(const MaskFifo&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    /// For a ReadWatcher: a command that writes more than the FIFO holds blocks until drain().
    [[nodiscard]] int fd() const { return fd_.get(); }
    /// Hands over the values in all complete lines. Never blocks, even if a command keeps writing.
    void drain(const AddMaskFilter::TakeValue& value);
    /// After drain(): also hands over a last line without a line end, because it may be a complete value. If more of
    /// that line arrives, hands over the longer value and the new part too.
    void take_unfinished(const AddMaskFilter::TakeValue& value);
    /// True if the FIFO at its path was replaced: values written there are not read.
    [[nodiscard]] bool is_replaced() const;

  private:
    MaskFifo(std::filesystem::path path, FileDescriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}
    void take_rest(const AddMaskFilter::TakeValue& value) const;

    std::filesystem::path path_;
    FileDescriptor fd_;
    WipedString rest_;
    std::size_t told_ = 0;  ///< bytes of rest_ that were already handed over
};

}  // namespace trebuchet
