#pragma once

#include "agent/delivery/spool_record.hpp"
#include "common/base/result.hpp"
#include "common/record_file/record_file.hpp"
#include "common/record_file/record_scan.hpp"

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// The files `<name>.<number>` of a spool. Each starts with a state and is then filled up to a size. The newest is
/// written to; the oldest are removed when their text is no longer needed. Texts are read back once, in order.
class SpoolFiles {
  public:
    SpoolFiles(std::filesystem::path folder, std::string name, std::uint64_t file_size);

    /// Reads the existing files: the last state, and where the text ends. Logs damage.
    struct Found {
        SpoolState state;
        std::uint64_t end = 0;
        bool has_text = false;
    };
    [[nodiscard]] Found open();

    Result<void> write_text(Phase phase, std::uint64_t position, std::string_view text, const SpoolState& state);
    Result<void> write_state(const SpoolState& state);

    /// The next text; nothing at the end. The view is valid until the next call of any function of this object.
    [[nodiscard]] std::optional<SpoolText> read_text();
    /// Skips what was not read yet.
    void skip_to_end();

    /// Removes the files whose text all ends before this position.
    void remove_before(std::uint64_t position);
    /// Removes the middle one of the files that the reader has not reached, but not the newest; false if there is none.
    bool remove_middle();
    void remove_all();

    /// Returns work, for another thread, that makes everything written so far durable.
    [[nodiscard]] std::function<Result<void>()> sync_work();

    /// Of all files, in bytes.
    [[nodiscard]] std::uint64_t size() const;

  private:
    struct Segment {
        std::uint64_t number = 0;
        std::uint64_t size = 0;
        std::uint64_t end = 0;  ///< of its text
    };

    [[nodiscard]] std::filesystem::path path_of(std::uint64_t number) const;
    [[nodiscard]] std::vector<std::uint64_t> numbers_there() const;
    [[nodiscard]] Result<void> begin_segment(const SpoolState& state);
    void remove(const Segment& segment) const;
    [[nodiscard]] bool open_next_to_read();

    std::filesystem::path folder_;
    std::string name_;
    std::uint64_t file_size_;
    std::deque<Segment> segments_;
    std::optional<RecordFile> newest_;
    std::vector<std::function<Result<void>()>> to_sync_;  ///< of files that are full

    FileDescriptor reading_;
    std::uint64_t reading_number_ = 0;  ///< of the file being read, or to be read next
    std::uint64_t reading_offset_ = 0;
    std::optional<RecordScan> scan_;
};

}  // namespace trebuchet
