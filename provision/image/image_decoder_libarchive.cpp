#include "common/base/text.hpp"
#include "provision/image/image_content.hpp"
#include "provision/image/image_decoder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr std::size_t read_size = std::size_t{256} * 1024;

struct ReaderDeleter {
    void operator()(archive* reader) const { archive_read_free(reader); }
};

bool looks_like_an_image(std::string_view name) {
    constexpr std::array<std::string_view, 8> endings{".img",   ".raw", ".wic",    ".iso",
                                                      ".sdimg", ".bin", ".hddimg", ".sdcard"};
    return std::any_of(endings.begin(), endings.end(), [&](auto ending) { return name.ends_with(ending); });
}

}  // namespace

const char* name_of(Compression compression) {
    switch (compression) {
        case Compression::none:
            return "not compressed";
        case Compression::zstd:
            return "zstd";
        case Compression::xz:
            return "xz";
        case Compression::gzip:
            return "gzip";
        case Compression::bzip2:
            return "bzip2";
        case Compression::zip:
            return "zip";
    }
    return "";
}

Compression recognise_compression(std::string_view start) {
    using namespace std::string_view_literals;
    if (start.starts_with("\x28\xb5\x2f\xfd"sv)) return Compression::zstd;
    if (start.starts_with("\xfd\x37\x7a\x58\x5a\0"sv)) return Compression::xz;
    if (start.starts_with("\x1f\x8b\x08"sv)) return Compression::gzip;
    if (start.starts_with("PK\x03\x04"sv)) return Compression::zip;
    // "BZh", the block size, and the magic number of the first block or of the end of the stream.
    if (start.size() >= 10 && start.starts_with("BZh"sv) && start[3] >= '1' && start[3] <= '9' &&
        (start.substr(4, 6) == "\x31\x41\x59\x26\x53\x59"sv || start.substr(4, 6) == "\x17\x72\x45\x38\x50\x90"sv)) {
        return Compression::bzip2;
    }
    return Compression::none;
}

struct ImageDecoder::State {
    int fd = -1;
    std::vector<char> buffer = std::vector<char>(read_size);
    std::size_t filled = 0;  ///< unread bytes at the start of the buffer
    std::string start;       ///< of the decompressed image
    std::atomic<std::uint64_t> bytes = 0;
    std::optional<Digest> digest;
    int error_number = 0;
    Compression compression = Compression::none;
    std::optional<std::uint64_t> known_size;
    std::unique_ptr<archive, ReaderDeleter> reader;  ///< null: no decompression
    bool ended = false;                              ///< end of the image
    bool source_ended = false;                       ///< end of the descriptor

    /// Returns 0 at the end, and -1 on an error, with errno in error_number.
    ssize_t fill(char* target, std::size_t size) {
        if (fd < 0) return 0;
        ssize_t count = 0;
        do {
            count = ::read(fd, target, size);
        } while (count < 0 && errno == EINTR);
        if (count < 0) {
            error_number = errno;
        } else {
            if (digest) digest->update(target, static_cast<std::size_t>(count));
            source_ended = count == 0;
            bytes += static_cast<std::uint64_t>(count);
        }
        return count;
    }

    /// Fills the buffer, first with the bytes that open() read to recognise the format.
    ssize_t next_bytes() {
        if (filled > 0) return static_cast<ssize_t>(std::exchange(filled, 0));
        return fill(buffer.data(), buffer.size());
    }

    [[nodiscard]] tl::unexpected<Error> failed() const {
        if (error_number != 0) return fail("cannot read the image: " + std::system_category().message(error_number));
        const char* text = reader == nullptr ? nullptr : archive_error_string(reader.get());
        return fail("cannot decompress the image (" + std::string(name_of(compression)) +
                    "): " + (text == nullptr ? "it is damaged or truncated" : trebuchet::quoted(text, 200)));
    }

    static la_ssize_t on_read(archive* reader, void* self, const void** data) {
        auto* state = static_cast<State*>(self);
        const auto count = state->next_bytes();
        *data = state->buffer.data();
        if (count < 0) archive_set_error(reader, state->error_number, "read error");
        return count;
    }

    Result<void> open_reader() {
        reader.reset(archive_read_new());
        auto* const r = reader.get();
        if (r == nullptr) return fail("cannot decompress the image: out of memory");
        switch (compression) {
            case Compression::zstd:
                archive_read_support_filter_zstd(r);
                break;
            case Compression::xz:
                archive_read_support_filter_xz(r);
                break;
            case Compression::gzip:
                archive_read_support_filter_gzip(r);
                break;
            case Compression::bzip2:
                archive_read_support_filter_bzip2(r);
                break;
            default:
                break;
        }
        if (compression == Compression::zip) {
            archive_read_support_format_zip_streamable(r);
        } else {
            archive_read_support_format_raw(r);
            archive_read_support_format_empty(r);
        }
        if (archive_read_open(r, this, nullptr, on_read, nullptr) < ARCHIVE_WARN) return failed();
        return find_entry();
    }

    Result<void> find_entry() {
        archive_entry* entry = nullptr;
        while (true) {
            const int result = archive_read_next_header(reader.get(), &entry);
            if (result == ARCHIVE_EOF) break;
            if (result < ARCHIVE_WARN) return failed();
            if (compression != Compression::zip) return {};
            const char* name = archive_entry_pathname(entry);
            if (archive_entry_filetype(entry) != AE_IFREG || name == nullptr || !looks_like_an_image(name)) continue;
            if (archive_entry_size_is_set(entry) != 0)
                known_size = static_cast<std::uint64_t>(archive_entry_size(entry));
            return {};
        }
        if (compression != Compression::zip) {
            ended = true;
            return {};
        }
        return fail("the zip contains no image: expected a file whose name ends in .img, .raw, .wic, .iso or .bin");
    }
};

ImageDecoder::ImageDecoder(std::unique_ptr<State> state) : state_(std::move(state)) {}
ImageDecoder::ImageDecoder(ImageDecoder&&) noexcept = default;
ImageDecoder& ImageDecoder::operator=(ImageDecoder&&) noexcept = default;
ImageDecoder::~ImageDecoder() = default;

Result<ImageDecoder> ImageDecoder::open(int fd, const Options& options) {
    auto state = std::make_unique<State>();
    state->fd = fd;
    if (options.digest) state->digest.emplace(*options.digest);
    while (state->filled < state->buffer.size()) {
        const auto count = state->fill(state->buffer.data() + state->filled, state->buffer.size() - state->filled);
        if (count < 0) return state->failed();
        if (count == 0) break;
        state->filled += static_cast<std::size_t>(count);
    }
    state->compression = recognise_compression({state->buffer.data(), state->filled});
    state->start = start_of(state->buffer.data(), state->filled, state->compression);
    const bool needs_decoder = state->compression == Compression::bzip2 || state->compression == Compression::zip;
    if (needs_decoder || (options.decompress && state->compression != Compression::none)) {
        if (auto done = state->open_reader(); !done) return fail(done.error());
    }
    return ImageDecoder(std::move(state));
}

Compression ImageDecoder::compression() const {
    return state_->compression;
}

std::string ImageDecoder::start() const {
    return state_->start;
}

std::string ImageDecoder::start_of(const char* bytes, std::size_t size, Compression compression) {
    if (compression == Compression::none) return {bytes, std::min(size, image_start_size)};
    // Another decoder, of what we have: it fails where that ends, which is no matter.
    auto copy = std::make_unique<State>();
    std::copy(bytes, bytes + size, copy->buffer.begin());
    copy->filled = size;
    copy->compression = compression;
    if (!copy->open_reader()) return {};
    ImageDecoder decoder(std::move(copy));
    std::string text;
    std::array<char, 8192> piece{};
    while (text.size() < image_start_size) {
        const auto count = decoder.read(piece.data(), std::min(piece.size(), image_start_size - text.size()));
        if (!count || *count == 0) break;
        text.append(piece.data(), *count);
    }
    return text;
}

Result<std::size_t> ImageDecoder::read(char* buffer, std::size_t size) {
    if (state_->source_ended && state_->bytes == 0) return fail("the image is empty");
    std::size_t done = 0;
    while (done < size && !state_->ended) {
        ssize_t count = 0;
        if (state_->reader) {
            count = archive_read_data(state_->reader.get(), buffer + done, size - done);
        } else if (state_->filled > 0) {
            count = static_cast<ssize_t>(std::min(state_->filled, size - done));
            const auto taken = static_cast<std::size_t>(count);
            std::memcpy(buffer + done, state_->buffer.data(), taken);
            state_->filled -= taken;
            std::memmove(state_->buffer.data(), state_->buffer.data() + taken, state_->filled);
        } else {
            count = state_->fill(buffer + done, size - done);
        }
        if (count < 0) return state_->failed();
        state_->ended = count == 0;
        done += static_cast<std::size_t>(count);
    }
    return done;
}

Result<std::string> ImageDecoder::finish() {
    ssize_t count = 0;
    do {
        count = state_->fill(state_->buffer.data(), state_->buffer.size());
    } while (count > 0);
    if (count < 0) return state_->failed();
    return state_->digest ? state_->digest->hex() : std::string();
}

std::uint64_t ImageDecoder::bytes_read() const {
    return state_->bytes;
}

bool ImageDecoder::source_ended() const {
    return state_->source_ended;
}

std::optional<std::uint64_t> ImageDecoder::known_size() const {
    return state_->known_size;
}

}  // namespace trebuchet
