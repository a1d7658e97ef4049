#include "common/archive/embedded_streams.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace trebuchet {
namespace {

using namespace std::string_view_literals;

/// gzip (method deflate), xz, Zstandard, bzip2, LZ4.
constexpr std::array magics{"\x1f\x8b\x08"sv,
                            "\xfd"
                            "7zXZ\0"sv,
                            "\x28\xb5\x2f\xfd"sv, "BZh"sv, "\x04\x22\x4d\x18"sv};
constexpr std::string_view bzip2_block = "1AY&SY";
constexpr std::size_t longest_magic = 10;
constexpr std::size_t most_offsets = 256;

bool begins_stream(std::string_view bytes, std::string_view magic) {
    if (magic == "BZh") return bytes.substr(std::min<std::size_t>(bytes.size(), 4)).starts_with(bzip2_block);
    // Three bits of gzip's flags must be 0.
    return magic != magics[0] || (bytes.size() > 3 && static_cast<unsigned char>(bytes[3]) < 0x20);
}

}  // namespace

void EmbeddedStreams::write(std::string_view bytes) {
    const auto begin = size_ - tail_.size();
    size_ += bytes.size();
    tail_.append(bytes.substr(0, longest_magic - 1));
    // Finds magic numbers that began in earlier bytes; later ones are found below.
    search(tail_, begin);
    search(bytes, size_ - bytes.size());
    tail_ = bytes.size() < longest_magic ? tail_ : std::string(bytes.substr(bytes.size() - (longest_magic - 1)));
    if (tail_.size() >= longest_magic) tail_.erase(0, tail_.size() - (longest_magic - 1));
}

void EmbeddedStreams::search(std::string_view bytes, std::uint64_t offset) {
    for (const auto magic : magics) {
        for (auto at = bytes.find(magic); at != std::string_view::npos; at = bytes.find(magic, at + 1)) {
            if (found_.size() >= most_offsets * 2) return;
            if (begins_stream(bytes.substr(at), magic)) found_.push_back(offset + at);
        }
    }
}

std::vector<std::uint64_t> EmbeddedStreams::offsets() const {
    auto sorted = found_;
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    if (sorted.size() > most_offsets) sorted.resize(most_offsets);
    return sorted;
}

bool may_be_zlib(std::string_view start) {
    if (start.size() < 8 || (static_cast<unsigned char>(start[0]) & 0x8fU) != 0x08U) return false;
    const auto header = static_cast<unsigned>(static_cast<unsigned char>(start[0])) * 256U +
                        static_cast<unsigned>(static_cast<unsigned char>(start[1]));
    const bool has_dictionary = (header & 0x20U) != 0;
    return header % 31 == 0 && !has_dictionary;
}

ArchiveInput zlib_as_gzip(ArchiveInput zlib) {
    struct State {
        ArchiveInput zlib;
        std::string_view ahead = "\x1f\x8b\x08\0\0\0\0\0\0\xff"sv;
        std::string_view behind = "\0\0\0\0\0\0\0\0"sv;  // replaces CRC and length, which are not checked
        std::size_t header_left = 2;                     // bytes of zlib's header to skip
    };
    auto state = std::make_shared<State>();
    state->zlib = std::move(zlib);
    ArchiveInput gzip;
    gzip.read = [state](char* buffer, std::size_t size) -> std::ptrdiff_t {
        const auto take = [&](std::string_view& text) {
            const auto count = text.copy(buffer, size);
            text.remove_prefix(count);
            return static_cast<std::ptrdiff_t>(count);
        };
        if (!state->ahead.empty()) return take(state->ahead);
        for (; state->header_left > 0; --state->header_left) {
            if (const auto count = state->zlib.read(buffer, 1); count <= 0) return count;
        }
        const auto count = state->zlib.read(buffer, size);
        return count == 0 ? take(state->behind) : count;
    };
    return gzip;
}

}  // namespace trebuchet
