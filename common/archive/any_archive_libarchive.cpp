#include "common/archive/any_archive.hpp"
#include "common/base/text.hpp"
#include "common/secret/secret_string.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

namespace trebuchet {
namespace {

struct ReaderDeleter {
    void operator()(archive* reader) const { archive_read_free(reader); }
};

using Bytes = std::vector<char, WipingAllocator<char>>;

constexpr std::array compressions{
    archive_read_support_filter_gzip, archive_read_support_filter_bzip2,    archive_read_support_filter_xz,
    archive_read_support_filter_lzma, archive_read_support_filter_lzip,     archive_read_support_filter_zstd,
    archive_read_support_filter_lz4,  archive_read_support_filter_compress, archive_read_support_filter_rpm,
    archive_read_support_format_raw,  archive_read_support_format_empty};
constexpr std::array archives{archive_read_support_format_tar, archive_read_support_format_cpio,
                              archive_read_support_format_ar,  archive_read_support_format_iso9660,
                              archive_read_support_format_zip, archive_read_support_format_7zip,
                              archive_read_support_format_raw, archive_read_support_format_empty};

constexpr std::uint64_t longest_read = std::uint64_t{64} * 1024;

struct Magic {
    std::size_t offset;
    std::string_view bytes;
    std::string_view kind;
};

constexpr std::array<Magic, 10> unreadable_kinds{{{0, "Rar!\x1a\x07", "a RAR archive"},
                                                  {0, "MSCF", "a cabinet"},
                                                  {0, "xar!", "a xar archive"},
                                                  {0, "LRZI", "compressed by lrzip"},
                                                  {0, "\x89LZO", "compressed by lzop"},
                                                  {0, "GRZipII", "compressed by grzip"},
                                                  {0, "hsqs", "a squashfs image"},
                                                  {0, "WARC/", "a WARC archive"},
                                                  {2, "-lh", "an LHA archive"},
                                                  {2, "-lz", "an LHA archive"}}};

void add_line(std::string& lines, const char* bytes, const char* utf8) {
    const char* const text = bytes != nullptr ? bytes : utf8;
    if (text != nullptr && *text != '\0') lines += std::string(text) + "\n";
}

}  // namespace

std::string_view unreadable_kind(std::string_view start) {
    for (const auto& magic : unreadable_kinds) {
        if (start.size() > magic.offset && start.substr(magic.offset).starts_with(magic.bytes)) return magic.kind;
    }
    return "";
}

struct AnyArchive::State {
    ArchiveInput input;
    Bytes buffer;
    Bytes start;  ///< for input without seek: bytes read to recognise compressions, to be read again
    std::size_t start_left = 0;
    bool keeps_start = false;
    std::uint64_t offset = 0;
    std::unique_ptr<archive, ReaderDeleter> reader;
    archive_entry* first = nullptr;  ///< read to detect the format; next() returns it first
    int first_result = ARCHIVE_EOF;

    [[nodiscard]] tl::unexpected<Error> failed() const {
        const char* text = archive_error_string(reader.get());
        return fail(text == nullptr ? "unknown error" : quoted(text, 300));
    }

    static la_ssize_t read(archive* reader, void* state, const void** bytes) {
        auto& self = *static_cast<State*>(state);
        if (self.start_left > 0) {
            *bytes = self.start.data() + self.start.size() - self.start_left;
            return static_cast<la_ssize_t>(std::exchange(self.start_left, 0));
        }
        const auto count = self.input.read(self.buffer.data(), self.buffer.size());
        if (count < 0) {
            archive_set_error(reader, EIO, "cannot be read");
            return ARCHIVE_FATAL;
        }
        self.offset += static_cast<std::uint64_t>(count);
        if (self.keeps_start) self.start.insert(self.start.end(), self.buffer.data(), self.buffer.data() + count);
        *bytes = self.buffer.data();
        return count;
    }

    static la_int64_t seek(archive* /*reader*/, void* state, la_int64_t offset, int whence) {
        auto& self = *static_cast<State*>(state);
        const auto size = static_cast<la_int64_t>(self.input.size);
        la_int64_t base = 0;
        if (whence == SEEK_CUR) base = static_cast<la_int64_t>(self.offset);
        if (whence == SEEK_END) base = size;
        self.offset = static_cast<std::uint64_t>(std::clamp<la_int64_t>(base + offset, 0, size));
        self.input.seek(self.offset);
        return static_cast<la_int64_t>(self.offset);
    }

    template <std::size_t count>
    Result<void> open(const std::array<int (*)(archive*), count>& supports) {
        reader.reset(archive_read_new());
        if (!reader) return fail("out of memory");
        for (const auto support : supports) {
            if (support(reader.get()) < ARCHIVE_WARN) return failed();
        }
        archive_read_set_callback_data(reader.get(), this);
        archive_read_set_read_callback(reader.get(), read);
        if (input.seek) archive_read_set_seek_callback(reader.get(), seek);
        if (archive_read_open1(reader.get()) < ARCHIVE_WARN) return failed();
        first_result = archive_read_next_header(reader.get(), &first);
        return {};
    }

    /// Removes one compression at a time, to see everything in it, including data after an archive.
    Result<bool> recognise() {
        keeps_start = !input.seek;
        if (auto opened = open(compressions); !opened) return fail(opened.error());
        keeps_start = false;
        if (archive_filter_count(reader.get()) > 1) {
            start = {};
            return true;
        }
        if (input.seek) input.seek(0);
        offset = 0;
        start_left = start.size();
        if (auto opened = open(archives); !opened) return fail(opened.error());
        const int format = archive_format(reader.get());
        return format != ARCHIVE_FORMAT_RAW && format != ARCHIVE_FORMAT_EMPTY;
    }
};

AnyArchive::AnyArchive(std::unique_ptr<State> state) : state_(std::move(state)) {}
AnyArchive::~AnyArchive() = default;
AnyArchive::AnyArchive(AnyArchive&&) noexcept = default;
AnyArchive& AnyArchive::operator=(AnyArchive&&) noexcept = default;

Result<std::optional<AnyArchive>> AnyArchive::open(ArchiveInput input) {
    auto state = std::make_unique<State>();
    state->input = std::move(input);
    // Not larger than needed: for small files, wiping a large buffer would take most of the time.
    const auto size =
        state->input.seek ? std::clamp<std::uint64_t>(state->input.size, 512, longest_read) : longest_read;
    state->buffer.resize(size);
    const auto is_archive = state->recognise();
    if (!is_archive) return fail(is_archive.error());
    if (!*is_archive) return std::nullopt;
    return AnyArchive(std::move(state));
}

Result<std::optional<ArchivedEntry>> AnyArchive::next() {
    auto* const reader = state_->reader.get();
    auto* entry = std::exchange(state_->first, nullptr);
    int result = std::exchange(state_->first_result, ARCHIVE_EOF);
    if (entry == nullptr && result == ARCHIVE_EOF) result = archive_read_next_header(reader, &entry);
    if (result == ARCHIVE_EOF) return std::nullopt;
    if (result < ARCHIVE_WARN) return state_->failed();
    ArchivedEntry found;
    add_line(found.names, archive_entry_pathname(entry), archive_entry_pathname_utf8(entry));
    add_line(found.names, archive_entry_symlink(entry), archive_entry_symlink_utf8(entry));
    add_line(found.names, archive_entry_hardlink(entry), archive_entry_hardlink_utf8(entry));
    add_line(found.names, archive_entry_uname(entry), archive_entry_uname_utf8(entry));
    add_line(found.names, archive_entry_gname(entry), archive_entry_gname_utf8(entry));
    found.is_encrypted = archive_entry_is_encrypted(entry) != 0;
    return found;
}

Result<std::size_t> AnyArchive::read(char* buffer, std::size_t size) {
    const auto count = archive_read_data(state_->reader.get(), buffer, size);
    if (count < 0) return state_->failed();
    return static_cast<std::size_t>(count);
}

std::size_t AnyArchive::layers() const {
    auto* const reader = state_->reader.get();
    const auto filters = static_cast<std::size_t>(std::max(archive_filter_count(reader), 1)) - 1;
    return filters + (archive_format(reader) == ARCHIVE_FORMAT_RAW ? 0 : 1);
}

std::optional<std::uint64_t> AnyArchive::length() const {
    auto* const reader = state_->reader.get();
    const int format = archive_format(reader) & ARCHIVE_FORMAT_BASE_MASK;
    if (format == ARCHIVE_FORMAT_ZIP || format == ARCHIVE_FORMAT_7ZIP || format == ARCHIVE_FORMAT_ISO9660) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(std::max<la_int64_t>(archive_filter_bytes(reader, -1), 0));
}

}  // namespace trebuchet
