#include "common/record_file/record_file.hpp"

#include "common/base/system_text.hpp"
#include "common/file/planted_file.hpp"
#include "common/record_file/record_scan.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace trebuchet {
namespace {

tl::unexpected<Error> failed(const char* what, const std::filesystem::path& path) {
    return fail(std::string(what) + " " + path.string() + ": " + system_text(errno));
}

struct Range {
    std::uint64_t begin;
    std::uint64_t end;
};

/// Copies these ranges of a file to a new file.
Result<FileDescriptor> copy_ranges(int from, const std::vector<Range>& ranges, const std::filesystem::path& path) {
    ::unlink(path.c_str());
    auto copy = create_new_file(path);
    if (!copy) return copy;
    std::array<char, 65536> buffer{};
    for (auto range : ranges) {
        while (range.begin < range.end) {
            const auto wanted = std::min<std::uint64_t>(buffer.size(), range.end - range.begin);
            const auto count = ::pread(from, buffer.data(), wanted, static_cast<off_t>(range.begin));
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) return failed("cannot copy to", path);
            if (auto written = write_all(copy->get(), {buffer.data(), static_cast<std::size_t>(count)}); !written)
                return fail(written.error().with_context(path.string()));
            range.begin += static_cast<std::uint64_t>(count);
        }
    }
    return copy;
}

/// Somebody of the same user may have put something in the file's place, or taken the permissions away. Returns what
/// was done about it, as a message.
Result<std::string> make_way(const std::filesystem::path& path) {
    const auto kind = kind_of_file(path);
    if (kind.empty()) return "";
    if (kind == "a file") {
        if (::access(path.c_str(), R_OK | W_OK) != 0) restore_access(path);
        return "";
    }
    const auto aside = rename_aside(path);
    if (!aside) return fail(aside.error());
    return path.string() + " was " + kind + ": it was renamed to " + aside->string();
}

}  // namespace

Result<RecordFile> RecordFile::open(const std::filesystem::path& path, const Take& take) {
    RecordFile records;
    records.file_ = std::make_shared<File>();
    auto& file = *records.file_;
    file.path = path;
    constexpr int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    const auto way = make_way(path);
    if (!way) return fail(way.error());
    records.problem_ = *way;
    file.descriptor = FileDescriptor(::open(path.c_str(), flags | O_CREAT, 0600));
    struct stat info {};
    if (!file.descriptor || ::fstat(file.descriptor.get(), &info) != 0) return failed("cannot open", path);
    if (!S_ISREG(info.st_mode)) return fail(path.string() + " is not a regular file");

    const auto end = static_cast<std::uint64_t>(info.st_size);
    RecordScan scan(file.descriptor.get(), 0, end);
    std::vector<Range> whole;
    bool is_damaged = false;
    while (!scan.at_end()) {
        const auto begin = scan.offset();
        const auto payload = scan.next();
        if (payload && take(*payload)) {
            if (whole.empty() || whole.back().end != begin) whole.push_back({begin, begin});
            whole.back().end = scan.offset();
            continue;
        }
        if (!payload && !scan.skip_damage()) break;
        is_damaged = true;
    }
    for (const auto& range : whole) records.size_ += range.end - range.begin;
    const auto lost = end - records.size_;
    if (is_damaged) {
        const auto aside = std::filesystem::path(path).concat(".damaged");
        const auto copied = std::filesystem::path(path).concat(".new");
        auto copy = copy_ranges(file.descriptor.get(), whole, copied);
        if (!copy) return fail(copy.error());
        // The path names the damaged file until it names the copy, also after a power cut.
        if (::fdatasync(copy->get()) != 0) return failed("cannot sync", copied);
        ::unlink(aside.c_str());
        if (::link(path.c_str(), aside.c_str()) != 0) return failed("cannot set aside", path);
        if (::rename(copied.c_str(), path.c_str()) != 0) return failed("cannot replace", path);
        if (auto durable = sync_folder(path.parent_path()); !durable) return fail(durable.error());
        file.descriptor = FileDescriptor(::open(path.c_str(), flags));
        if (!file.descriptor) return failed("cannot open", path);
        records.problem_ = path.string() + " was damaged: " + std::to_string(lost) +
                           " bytes are unusable; the damaged file was renamed to " + aside.string();
    } else if (lost > 0) {
        if (::ftruncate(file.descriptor.get(), static_cast<off_t>(records.size_)) != 0)
            return failed("cannot cut", path);
        records.problem_ =
            path.string() + " ended with an incomplete record: removed its last " + std::to_string(lost) + " bytes";
    }
    return records;
}

Result<void> RecordFile::append(std::string_view first, std::string_view second) {
    const auto length = first.size() + second.size();
    if (length == 0 || length > longest_record) return fail("a record must have 1 byte to 32 MiB");
    const auto header = record_header(first, second);
    const std::array parts{std::string_view(header.data(), header.size()), first, second};
    const auto total = header.size() + length;
    std::size_t done = 0;
    while (done < total) {
        // Write at our own offset, so that the next record overwrites what a failed write left.
        std::array<iovec, parts.size()> left{};
        auto skipped = done;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const auto rest = parts[i].substr(std::min(skipped, parts[i].size()));
            skipped -= parts[i].size() - rest.size();
            left[i] = {const_cast<char*>(rest.data()), rest.size()};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
        }
        const auto count = ::pwritev(fd(), left.data(), left.size(), static_cast<off_t>(size_ + done));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            const auto problem = failed("cannot write", path());
            [[maybe_unused]] const auto cut = ::ftruncate(fd(), static_cast<off_t>(size_));
            return problem;
        }
        done += static_cast<std::size_t>(count);
    }
    size_ += total;
    return {};
}

std::function<Result<void>()> RecordFile::sync_work() const {
    return [file = file_]() -> Result<void> {
        if (::fdatasync(file->descriptor.get()) != 0) return failed("cannot sync", file->path);
        if (file->name_is_durable) return {};
        auto done = sync_folder(file->path.parent_path());
        if (done) file->name_is_durable = true;
        return done;
    };
}

Result<void> sync_folder(const std::filesystem::path& folder) {
    const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) return failed("cannot sync", folder);
    return {};
}

}  // namespace trebuchet
