#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

namespace trebuchet {

/// `content` compressed: filter ARCHIVE_FILTER_ZSTD and so on. As a zip with one entry of this name, if `zip_name` is
/// given.
inline std::string packed(const std::string& content, int filter, const std::string& zip_name = "") {
    std::vector<char> out(content.size() + 100'000);
    std::size_t used = 0;
    archive* writer = archive_write_new();
    const bool is_zip = !zip_name.empty();
    if (is_zip) {
        archive_write_set_format_zip(writer);
    } else {
        archive_write_set_format_raw(writer);
        archive_write_add_filter(writer, filter);
    }
    archive_write_set_bytes_per_block(writer, 0);
    archive_write_open_memory(writer, out.data(), out.size(), &used);
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, is_zip ? zip_name.c_str() : "data");
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_write_header(writer, entry);
    const auto written = archive_write_data(writer, content.data(), content.size());
    archive_entry_free(entry);
    const int closed = archive_write_close(writer);
    archive_write_free(writer);
    if (written < 0 || closed != ARCHIVE_OK) throw std::runtime_error("cannot compress");
    return {out.data(), used};
}

/// Bytes that don't repeat soon.
inline std::string sample(std::size_t size) {
    std::string text;
    text.reserve(size);
    unsigned int state = 1;
    while (text.size() < size) {
        state = state * 1664525U + 1013904223U;
        text += static_cast<char>('a' + (state >> 24U) % 16);
    }
    return text;
}

}  // namespace trebuchet
