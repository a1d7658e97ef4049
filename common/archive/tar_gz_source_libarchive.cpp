#include "common/archive/tar_gz_source.hpp"
#include "common/base/text.hpp"

#include <algorithm>
#include <utility>

#include <archive.h>
#include <archive_entry.h>

namespace trebuchet {
namespace {

struct ReaderDeleter {
    void operator()(archive* reader) const { archive_read_free(reader); }
};

/// pax names are UTF-8, which the locale may not support.
std::string text_of(const char* bytes, const char* utf8) {
    if (bytes != nullptr) return bytes;
    return utf8 == nullptr ? "" : utf8;
}

TarEntry::Kind kind_of(archive_entry* entry) {
    if (archive_entry_hardlink(entry) != nullptr || archive_entry_hardlink_utf8(entry) != nullptr) {
        return TarEntry::Kind::hard_link;
    }
    switch (archive_entry_filetype(entry)) {
        case AE_IFREG:
            return TarEntry::Kind::file;
        case AE_IFDIR:
            return TarEntry::Kind::folder;
        case AE_IFLNK:
            return TarEntry::Kind::symbolic_link;
        default:
            return TarEntry::Kind::other;
    }
}

}  // namespace

struct TarGzSource::State {
    std::unique_ptr<archive, ReaderDeleter> reader;

    [[nodiscard]] tl::unexpected<Error> failed() const {
        const char* text = archive_error_string(reader.get());
        return fail("cannot read the archive: " + (text == nullptr ? "unknown error" : quoted(text, 300)));
    }
};

TarGzSource::TarGzSource(std::unique_ptr<State> state) : state_(std::move(state)) {}
TarGzSource::~TarGzSource() = default;
TarGzSource::TarGzSource(TarGzSource&&) noexcept = default;
TarGzSource& TarGzSource::operator=(TarGzSource&&) noexcept = default;

Result<TarGzSource> TarGzSource::open(int fd) {
    auto state = std::make_unique<State>();
    state->reader.reset(archive_read_new());
    auto* const reader = state->reader.get();
    if (reader == nullptr) return fail("cannot read the archive: out of memory");
    archive_read_support_filter_gzip(reader);
    archive_read_support_format_tar(reader);
    if (archive_read_open_fd(reader, fd, 65536) < ARCHIVE_WARN) return state->failed();
    // The last filter is the file itself. Nested gzip would circumvent the limit on the compression ratio.
    if (archive_filter_count(reader) != 2 || archive_filter_code(reader, 0) != ARCHIVE_FILTER_GZIP) {
        return fail("the archive is not a gzip-compressed tar");
    }
    return TarGzSource(std::move(state));
}

Result<std::optional<TarEntry>> TarGzSource::next() {
    archive_entry* entry = nullptr;
    const int result = archive_read_next_header(state_->reader.get(), &entry);
    if (result == ARCHIVE_EOF) return std::nullopt;
    if (result < ARCHIVE_WARN) return state_->failed();
    TarEntry found;
    found.kind = kind_of(entry);
    found.path = text_of(archive_entry_pathname(entry), archive_entry_pathname_utf8(entry));
    found.target = found.kind == TarEntry::Kind::hard_link
                       ? text_of(archive_entry_hardlink(entry), archive_entry_hardlink_utf8(entry))
                       : text_of(archive_entry_symlink(entry), archive_entry_symlink_utf8(entry));
    found.mode = archive_entry_perm(entry);
    found.time = archive_entry_mtime(entry);
    return found;
}

Result<std::size_t> TarGzSource::read(char* buffer, std::size_t size) {
    const auto count = archive_read_data(state_->reader.get(), buffer, size);
    if (count < 0) return state_->failed();
    return static_cast<std::size_t>(count);
}

std::uint64_t TarGzSource::bytes_read() const {
    return static_cast<std::uint64_t>(std::max<la_int64_t>(archive_filter_bytes(state_->reader.get(), -1), 0));
}

}  // namespace trebuchet
