#include "common/record_file/record_scan.hpp"

#include <algorithm>
#include <cerrno>

#include <unistd.h>
#include <zlib.h>

namespace trebuchet {
namespace {

constexpr std::string_view magic("\xB7Rec", 4);

/// Bounds the search after damage to this multiple of the file's size, because payloads may contain the magic number.
constexpr std::uint64_t most_search = 16;

void put(char* at, std::uint32_t number) {
    for (std::size_t i = 0; i < 4; ++i) at[i] = static_cast<char>((number >> (8 * i)) & 0xFFU);
}

std::uint32_t get(const char* at) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < 4; ++i)
        number |= static_cast<std::uint32_t>(static_cast<unsigned char>(at[i])) << (8 * i);
    return number;
}

std::uint32_t checksum(const char* length, std::string_view first, std::string_view second = {}) {
    uLong sum = 0;
    for (const auto part : {std::string_view(length, 4), first, second}) {
        if (part.empty()) continue;  // crc32 with a null pointer would restart the checksum
        sum = ::crc32_z(sum, reinterpret_cast<const Bytef*>(part.data()), part.size());
    }
    return static_cast<std::uint32_t>(sum);
}

}  // namespace

RecordHeader record_header(std::string_view first, std::string_view second) {
    RecordHeader header{};
    std::copy(magic.begin(), magic.end(), header.begin());
    put(&header[4], static_cast<std::uint32_t>(first.size() + second.size()));
    put(&header[8], checksum(&header[4], first, second));
    return header;
}

bool RecordScan::read(std::uint64_t offset, char* data, std::size_t size) const {
    while (size > 0) {
        const auto count = ::pread(fd_, data, size, static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        data += count;
        offset += static_cast<std::uint64_t>(count);
        size -= static_cast<std::size_t>(count);
    }
    return true;
}

bool RecordScan::read_record(std::uint64_t offset) {
    payload_.clear();
    RecordHeader header{};
    if (end_ - offset <= header.size() || !read(offset, header.data(), header.size())) return false;
    if (std::string_view(header.data(), magic.size()) != magic) return false;
    const auto length = get(&header[4]);
    if (length == 0 || length > longest_record || length > end_ - offset - header.size()) return false;
    payload_.resize(length);
    return read(offset + header.size(), payload_.data(), length) && checksum(&header[4], payload_) == get(&header[8]);
}

std::optional<std::string_view> RecordScan::next() {
    if (at_end() || !read_record(offset_)) return std::nullopt;
    offset_ += record_header_size + payload_.size();
    return std::string_view(payload_);
}

bool RecordScan::skip_damage() {
    std::array<char, 65536> window{};
    std::uint64_t searched = 0;
    for (auto from = offset_ + 1; from + record_header_size < end_;) {
        const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(window.size(), end_ - from));
        if (!read(from, window.data(), size)) return false;
        const std::string_view text(window.data(), size);
        for (auto at = text.find(magic); at != std::string_view::npos; at = text.find(magic, at + 1)) {
            if (read_record(from + at)) {
                offset_ = from + at;
                return true;
            }
            searched += payload_.size();
            if (searched > most_search * end_) return false;
        }
        if (size <= magic.size()) return false;
        from += size - (magic.size() - 1);
    }
    return false;
}

}  // namespace trebuchet
