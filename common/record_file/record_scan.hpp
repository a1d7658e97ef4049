#pragma once

#include "common/secret/secret_string.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace trebuchet {

/// Header of a record, little-endian: magic number, payload length (at least 1), CRC-32 of length and payload.
inline constexpr std::size_t record_header_size = 12;
using RecordHeader = std::array<char, record_header_size>;

/// In bytes. A longer record counts as damage.
inline constexpr std::size_t longest_record = std::size_t{32} << 20;

/// The header for a payload in two parts.
[[nodiscard]] RecordHeader record_header(std::string_view first, std::string_view second = {});

/// Reads a file's records from any offset. The descriptor is not owned.
class RecordScan {
  public:
    RecordScan(int fd, std::uint64_t offset, std::uint64_t end) : fd_(fd), offset_(offset), end_(end) {}

    /// Returns the payload of the record at offset() and advances offset(). nullopt at the end, or if there is no
    /// complete record. The view is valid until the next call.
    [[nodiscard]] std::optional<std::string_view> next();
    /// Advances offset() to the next complete record. Returns false and does not move if there is none.
    bool skip_damage();

    [[nodiscard]] std::uint64_t offset() const { return offset_; }
    [[nodiscard]] bool at_end() const { return offset_ >= end_; }

  private:
    [[nodiscard]] bool read(std::uint64_t offset, char* data, std::size_t size) const;
    [[nodiscard]] bool read_record(std::uint64_t offset);

    int fd_;
    std::uint64_t offset_;
    std::uint64_t end_;
    WipedString payload_;  ///< records may contain secrets
};

}  // namespace trebuchet
