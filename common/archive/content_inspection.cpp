#include "common/archive/content_inspection.hpp"

#include "common/archive/any_archive.hpp"
#include "common/archive/content_scanner.hpp"
#include "common/archive/embedded_streams.hpp"
#include "common/secret/secret_string.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

namespace trebuchet {
namespace {

constexpr std::size_t block = std::size_t{64} * 1024;
using Buffer = std::vector<char, WipingAllocator<char>>;

std::ptrdiff_t read_at(int fd, char* buffer, std::size_t size, std::uint64_t offset) {
    ssize_t count = -1;
    do {
        count = ::pread(fd, buffer, size, static_cast<off_t>(offset));
    } while (count < 0 && errno == EINTR);
    return count;
}

/// Resident memory of this process in bytes; 0 if unknown.
std::uint64_t memory_in_use() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t pages = 0;
    std::uint64_t resident = 0;
    file >> pages >> resident;
    return file ? resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

std::string mebibytes(std::uint64_t bytes) {
    return std::to_string(bytes >> 20) + " MiB";
}

/// Inspects one file. Functions return early when a secret, an obstacle or `stop` ends the inspection:
///
/// 1. Scan the file's bytes for secrets; detect binary content and offsets where compressed data may begin.
/// 2. Try to read the file as an archive or compressed file. For each entry: scan its names and its content, and try
///    to read the content as an archive too (recursion, bounded by `depth`).
/// 3. In a binary file, try the embedded offsets after the end of that archive. These are guesses, so a failure there
///    is not an obstacle.
///
/// Example: an initrd is an uncompressed cpio followed by a gzip of another cpio. Step 1 notes the gzip's offset, step
/// 2 reads the first cpio, and step 3 opens the gzip, reads the second cpio in it, and finds a secret in etc/wifi.conf.
class Inspector {
  public:
    Inspector(std::shared_ptr<const MaskSet> masks, const InspectionLimits& limits)
        : masks_(std::move(masks)), limits_(limits) {}

    ContentInspection inspect(int fd, std::uint64_t size) {
        scan_file(fd, size);
        if (is_over()) return std::move(result_);
        start_memory_ = memory_in_use();
        std::uint64_t end = 0;
        if (inspect_archive(part_of(fd, 0, size), 0)) {
            result_.kind = ContentInspection::Kind::archive;
            end = length_.value_or(size);
        }
        if (result_.kind != ContentInspection::Kind::text) inspect_embedded(fd, end, size);
        return std::move(result_);
    }

    [[nodiscard]] bool is_stopped() const { return limits_.stop != nullptr && *limits_.stop; }

  private:
    [[nodiscard]] bool is_over() const {
        return is_stopped() || !result_.found.empty() || !result_.obstacle.empty() || !result_.is_whole;
    }

    /// The file from `begin` on.
    static ArchiveInput part_of(int fd, std::uint64_t begin, std::uint64_t size) {
        ArchiveInput input;
        input.size = size - begin;
        const auto offset = std::make_shared<std::uint64_t>(begin);
        input.read = [fd, size, offset](char* buffer, std::size_t most) {
            const auto count =
                read_at(fd, buffer, std::min<std::uint64_t>(most, size - std::min(*offset, size)), *offset);
            if (count > 0) *offset += static_cast<std::uint64_t>(count);
            return count;
        };
        input.seek = [begin, offset](std::uint64_t place) { *offset = begin + place; };
        return input;
    }

    /// Inspects compressed data that may be embedded at or after `begin`.
    void inspect_embedded(int fd, std::uint64_t begin, std::uint64_t size) {
        guesses_ = true;
        if (begin == 0 && is_zlib_ && inspect_archive(zlib_as_gzip(part_of(fd, 0, size)), 0)) begin = size;
        for (const auto offset : embedded_.offsets()) {
            if (is_over()) return;
            if (offset == 0 || offset < begin || !inspect_archive(part_of(fd, offset, size), 0)) continue;
            begin = std::max(begin, offset + length_.value_or(0));
        }
    }

    /// Reports an obstacle, unless this was only a guess.
    void broken(const std::string& text) {
        if (!guesses_) obstacle(text);
    }

    void obstacle(std::string_view text) {
        if (result_.obstacle.empty()) result_.obstacle = masks_->mask(text).bytes();
    }

    void scan_file(int fd, std::uint64_t size) {
        ContentScanner scanner(masks_);
        Buffer buffer(std::min<std::uint64_t>(block, size));
        std::uint64_t offset = 0;
        while (offset < size && !is_stopped()) {
            const auto count =
                read_at(fd, buffer.data(), std::min<std::uint64_t>(buffer.size(), size - offset), offset);
            if (count <= 0) break;
            const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
            if (offset == 0) {
                note_unreadable(bytes);
                is_zlib_ = may_be_zlib(bytes);
            }
            embedded_.write(bytes);
            offset += bytes.size();
            scanner.write(bytes);
        }
        scanner.finish();
        result_.is_whole = offset == size;
        result_.found = scanner.found();
        result_.masked_size = scanner.masked_size();
        if (result_.kind == ContentInspection::Kind::text && scanner.is_binary())
            result_.kind = ContentInspection::Kind::binary;
    }

    void note_unreadable(std::string_view start) {
        const auto kind = unreadable_kind(start);
        if (kind.empty()) return;
        result_.kind = ContentInspection::Kind::archive;
        obstacle("it is " + std::string(kind) + ", which cannot be inspected");
    }

    /// True if the input is an archive or compressed. `depth`: number of archives around it.
    bool inspect_archive(ArchiveInput input, std::size_t depth) {
        auto archive = AnyArchive::open(std::move(input));
        length_.reset();
        if (!archive) broken("it cannot be inspected: " + archive.error().message());
        if (!archive || !*archive) return !archive && !guesses_;
        depth += (*archive)->layers();
        if (depth > limits_.depth) {
            obstacle("it contains more than " + std::to_string(limits_.depth) + " nested archives");
            return true;
        }
        while (!is_over()) {
            const auto entry = (*archive)->next();
            if (!entry) broken("it cannot be inspected completely: " + entry.error().message());
            if (!entry || !*entry) break;
            inspect_entry(**archive, **entry, depth);
        }
        length_ = (*archive)->length();
        return true;
    }

    void inspect_entry(AnyArchive& archive, const ArchivedEntry& entry, std::size_t depth) {
        static_cast<void>(masks_->mask(entry.names, &result_.found));
        if (++entries_ > limits_.entries) {
            obstacle("it contains more than " + std::to_string(limits_.entries) + " entries");
        }
        if (entry.is_encrypted) obstacle("it is encrypted");
        if (is_over()) return;

        ContentScanner content(masks_);
        std::size_t read = 0;
        const auto read_on = [&](char* buffer, std::size_t size) -> std::ptrdiff_t {
            if (!may_read_on()) return -1;
            const auto count = archive.read(buffer, size);
            if (!count) broken("it cannot be inspected completely: " + count.error().message());
            if (!count) return -1;
            const std::string_view bytes(buffer, *count);
            if (read == 0) note_unreadable(bytes);
            read += bytes.size();
            result_.expanded += bytes.size();
            content.write(bytes);
            return static_cast<std::ptrdiff_t>(*count);
        };
        ArchiveInput input;
        input.read = read_on;
        // Returns early if the content is not an archive, or at the end of an archive: scan the rest below.
        static_cast<void>(inspect_archive(std::move(input), depth));
        Buffer buffer(block);
        while (read_on(buffer.data(), buffer.size()) > 0) {
        }
        content.finish();
        result_.found.merge(content.found());
    }

    bool may_read_on() {
        if (result_.expanded > limits_.bytes) {
            broken("it is too large to inspect: it decompresses to more than " + mebibytes(limits_.bytes));
            return false;
        }
        if (memory_in_use() > start_memory_ + limits_.memory) {
            broken("inspecting it needs more than " + mebibytes(limits_.memory) + " of memory");
            return false;
        }
        return !is_over();
    }

    std::shared_ptr<const MaskSet> masks_;
    InspectionLimits limits_;
    ContentInspection result_;
    EmbeddedStreams embedded_;
    bool is_zlib_ = false;
    bool guesses_ = false;                 ///< the current input may not be an archive
    std::optional<std::uint64_t> length_;  ///< of the last inspected archive
    std::size_t entries_ = 0;
    std::uint64_t start_memory_ = 0;
};

}  // namespace

Result<ContentInspection> inspect_content(int fd, std::uint64_t size, const std::shared_ptr<const MaskSet>& masks,
                                          const InspectionLimits& limits) {
    Inspector inspector(masks, limits);
    auto result = inspector.inspect(fd, size);
    if (inspector.is_stopped()) return fail("stopped");
    return result;
}

}  // namespace trebuchet
