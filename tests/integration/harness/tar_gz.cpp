#include "tests/integration/harness/tar_gz.hpp"

#include <array>
#include <memory>
#include <stdexcept>

#include <archive.h>
#include <archive_entry.h>

namespace trebuchet::harness {
namespace {

struct Closing {
    void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, Closing>;

void expect(const Reader& reader, int result) {
    if (result < ARCHIVE_WARN) throw std::runtime_error(archive_error_string(reader.get()));
}

std::string contents(const Reader& reader) {
    std::string bytes;
    std::array<char, 65536> buffer{};
    while (true) {
        const auto count = archive_read_data(reader.get(), buffer.data(), buffer.size());
        if (count < 0) throw std::runtime_error(archive_error_string(reader.get()));
        if (count == 0) return bytes;
        bytes.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

}  // namespace

std::map<std::string, std::string> unpack_tar_gz(const std::string& archive) {
    const Reader reader(archive_read_new());
    archive_read_support_filter_gzip(reader.get());
    archive_read_support_format_tar(reader.get());
    expect(reader, archive_read_open_memory(reader.get(), archive.data(), archive.size()));
    std::map<std::string, std::string> files;
    archive_entry* entry = nullptr;
    while (true) {
        const int result = archive_read_next_header(reader.get(), &entry);
        if (result == ARCHIVE_EOF) return files;
        expect(reader, result);
        if (archive_entry_filetype(entry) == AE_IFREG) files[archive_entry_pathname(entry)] = contents(reader);
    }
}

}  // namespace trebuchet::harness
