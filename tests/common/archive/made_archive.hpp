#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include <archive.h>
#include <archive_entry.h>

namespace trebuchet {

/// A gzip-compressed tar with whatever entries a test wants, sensible or not.
class MadeArchive {
  public:
    explicit MadeArchive(const std::filesystem::path& file, int filter = ARCHIVE_FILTER_GZIP)
        : writer_(archive_write_new(), [](archive* writer) { archive_write_free(writer); }) {
        archive_write_set_format_pax_restricted(writer_.get());
        archive_write_add_filter(writer_.get(), filter);
        check(archive_write_open_filename(writer_.get(), file.c_str()));
    }

    MadeArchive& file(const std::string& path, std::string_view content = "content", unsigned mode = 0644) {
        return add(path, AE_IFREG, mode, content, [](archive_entry*) {});
    }
    MadeArchive& folder(const std::string& path, unsigned mode = 0755) {
        return add(path, AE_IFDIR, mode, "", [](archive_entry*) {});
    }
    MadeArchive& symbolic_link(const std::string& path, const std::string& target) {
        return add(path, AE_IFLNK, 0777, "",
                   [&](archive_entry* entry) { archive_entry_set_symlink(entry, target.c_str()); });
    }
    MadeArchive& hard_link(const std::string& path, const std::string& target) {
        return add(path, AE_IFREG, 0644, "",
                   [&](archive_entry* entry) { archive_entry_set_hardlink(entry, target.c_str()); });
    }
    MadeArchive& special(const std::string& path, unsigned type) {
        return add(path, type, 0644, "", [](archive_entry*) {});
    }
    /// Completes the archive; call this last.
    void close() { check(archive_write_close(writer_.get())); }

  private:
    template <typename Change>
    MadeArchive& add(const std::string& path, unsigned type, unsigned mode, std::string_view content,
                     const Change& change) {
        const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
        archive_entry_set_pathname(entry.get(), path.c_str());
        archive_entry_set_filetype(entry.get(), type);
        archive_entry_set_perm(entry.get(), mode);
        archive_entry_set_mtime(entry.get(), 1'000'000'000, 0);
        archive_entry_set_uid(entry.get(), 12345);
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
        change(entry.get());
        check(archive_write_header(writer_.get(), entry.get()));
        if (!content.empty()) check(archive_write_data(writer_.get(), content.data(), content.size()));
        return *this;
    }
    void check(la_ssize_t result) const {
        if (result < ARCHIVE_WARN) throw std::runtime_error(archive_error_string(writer_.get()));
    }

    std::unique_ptr<archive, void (*)(archive*)> writer_;
};

}  // namespace trebuchet
