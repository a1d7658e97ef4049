#include "common/archive/tar_gz_stream.hpp"

#include <algorithm>

#include <archive.h>
#include <archive_entry.h>

namespace trebuchet {
namespace {

struct WriterDeleter {
    void operator()(archive* writer) const { archive_write_free(writer); }
};
struct EntryDeleter {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Entry = std::unique_ptr<archive_entry, EntryDeleter>;

Entry make_entry(const std::string& path, const struct ::stat& info, unsigned type) {
    Entry entry(archive_entry_new());
    archive_entry_copy_pathname(entry.get(), path.c_str());
    archive_entry_set_filetype(entry.get(), type);
    archive_entry_set_perm(entry.get(), info.st_mode & 0777U);
    archive_entry_set_mtime(entry.get(), info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
    archive_entry_set_uid(entry.get(), 0);
    archive_entry_set_gid(entry.get(), 0);
    return entry;
}

}  // namespace

struct TarGzStream::State {
    std::unique_ptr<archive, WriterDeleter> writer;
    std::uint64_t left = 0;  ///< bytes that the current file still needs

    Result<void> check(la_ssize_t result) const {
        if (result >= ARCHIVE_WARN) return {};
        const char* text = archive_error_string(writer.get());
        return fail(std::string("cannot write the archive: ") + (text == nullptr ? "unknown error" : text));
    }

    Result<void> add(const Entry& entry) const { return check(archive_write_header(writer.get(), entry.get())); }
};

TarGzStream::TarGzStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
TarGzStream::~TarGzStream() = default;
TarGzStream::TarGzStream(TarGzStream&&) noexcept = default;
TarGzStream& TarGzStream::operator=(TarGzStream&&) noexcept = default;

Result<TarGzStream> TarGzStream::open(int fd) {
    auto state = std::make_unique<State>();
    state->writer.reset(archive_write_new());
    auto* const writer = state->writer.get();
    if (writer == nullptr) return fail("cannot write the archive: out of memory");
    // The GNU format stores names as bytes in any locale; pax would convert them.
    for (const int result : {archive_write_set_format_gnutar(writer), archive_write_add_filter_gzip(writer),
                             archive_write_set_filter_option(writer, "gzip", "compression-level", "1"),
                             archive_write_set_filter_option(writer, "gzip", "timestamp", nullptr),
                             archive_write_set_bytes_per_block(writer, 65536),
                             archive_write_set_bytes_in_last_block(writer, 1), archive_write_open_fd(writer, fd)}) {
        if (auto done = state->check(result); !done) return fail(done.error());
    }
    return TarGzStream(std::move(state));
}

Result<void> TarGzStream::add_folder(const std::string& path, const struct ::stat& info) {
    return state_->add(make_entry(path + "/", info, AE_IFDIR));
}

Result<void> TarGzStream::add_link(const std::string& path, const std::string& target, const struct ::stat& info) {
    const auto entry = make_entry(path, info, AE_IFLNK);
    archive_entry_copy_symlink(entry.get(), target.c_str());
    return state_->add(entry);
}

Result<void> TarGzStream::begin_file(const std::string& path, std::uint64_t size, const struct ::stat& info) {
    const auto entry = make_entry(path, info, AE_IFREG);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    state_->left = size;
    return state_->add(entry);
}

Result<void> TarGzStream::write(std::string_view bytes) {
    bytes = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), state_->left));
    while (!bytes.empty()) {
        const auto count = archive_write_data(state_->writer.get(), bytes.data(), bytes.size());
        if (auto done = state_->check(count); !done) return done;
        if (count <= 0) return fail("cannot write the archive: no progress");
        bytes.remove_prefix(static_cast<std::size_t>(count));
        state_->left -= static_cast<std::uint64_t>(count);
    }
    return {};
}

Result<void> TarGzStream::end_file() {
    return state_->check(archive_write_finish_entry(state_->writer.get()));
}

Result<void> TarGzStream::close() {
    return state_->check(archive_write_close(state_->writer.get()));
}

}  // namespace trebuchet
