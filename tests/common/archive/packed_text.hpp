#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

namespace trebuchet {

/// An archive of files (name, content) in any format and compression of libarchive, as bytes; with a password, a ZIP
/// that is encrypted.
[[nodiscard]] inline std::string packed_text(int format, int filter,
                                             const std::vector<std::pair<std::string, std::string>>& files,
                                             const char* password = nullptr) {
    const std::unique_ptr<archive, void (*)(archive*)> writer(archive_write_new(),
                                                              [](archive* made) { archive_write_free(made); });
    std::string bytes;
    const auto check = [&](la_ssize_t result) {
        if (result < ARCHIVE_WARN) throw std::runtime_error(archive_error_string(writer.get()));
    };
    check(format == ARCHIVE_FORMAT_AR_GNU ? archive_write_set_format_ar_svr4(writer.get())
                                          : archive_write_set_format(writer.get(), format));
    check(archive_write_add_filter(writer.get(), filter));
    if (password != nullptr) {
        check(archive_write_set_options(writer.get(), "zip:encryption=aes256"));
        check(archive_write_set_passphrase(writer.get(), password));
    }
    archive_write_set_bytes_in_last_block(writer.get(), 1);
    check(archive_write_open(
        writer.get(), &bytes, nullptr,
        [](archive* /*writer*/, void* text, const void* data, std::size_t size) {
            static_cast<std::string*>(text)->append(static_cast<const char*>(data), size);
            return static_cast<la_ssize_t>(size);
        },
        nullptr));
    for (const auto& [name, content] : files) {
        const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
        archive_entry_set_pathname(entry.get(), name.c_str());
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        archive_entry_set_perm(entry.get(), 0644);
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
        check(archive_write_header(writer.get(), entry.get()));
        check(archive_write_data(writer.get(), content.data(), content.size()));
    }
    check(archive_write_close(writer.get()));
    return bytes;
}

/// One text, compressed.
[[nodiscard]] inline std::string compressed_text(int filter, const std::string& content) {
    return packed_text(ARCHIVE_FORMAT_RAW, filter, {{"content", content}});
}

}  // namespace trebuchet
