#pragma once

#include "common/secret/secret_string.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trebuchet {

/// What stands before each record's payload, little-endian: a magic number, the payload's length (at least 1), the
/// CRC-32 of length and payload.
inline constexpr std::size_t record_header_size = 12;
using RecordHeader = std::array<char, record_header_size>;

/// A longer record is damage.
inline constexpr std::size_t longest_record = std::size_t{32} << 20;

/// Of a payload in two parts.
[[nodiscard]] RecordHeader record_header(std::string_view first, std::string_view second = {});

/// Reads the records of a file from any offset on. The descriptor is not owned.
class RecordScan {
  public:
    RecordScan(int fd, std::uint64_t offset, std::uint64_t end) : fd_(fd), offset_(offset), end_(end) {}

    /// The payload of the record at offset(), which then is the next one's; nothing at the end or if no whole record
    /// stands there. Valid until the next call.
    [[nodiscard]] std::optional<std::string_view> next();
    /// Goes to the next whole record behind offset(); false, and stays, if there is none.
    bool skip_damage();

    [[nodiscard]] std::uint64_t offset() const { return offset_; }
    [[nodiscard]] bool at_end() const { return offset_ >= end_; }

  private:
    [[nodiscard]] bool read(std::uint64_t offset, char* data, std::size_t size) const;
    [[nodiscard]] bool read_record(std::uint64_t offset);

    int fd_;
    std::uint64_t offset_;
    std::uint64_t end_;
    WipedString payload_;  ///< records may hold secrets
};

}  // namespace trebuchet
