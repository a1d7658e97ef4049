#include "common/archive/content_look.hpp"

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

/// Bytes of memory that this process has in use; 0 if the system does not tell.
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

/// One look into one file. Its functions return when something is found, or nothing more can be.
class Look {
  public:
    Look(std::shared_ptr<const MaskSet> masks, const LookLimits& limits) : masks_(std::move(masks)), limits_(limits) {}

    ContentLook take(int fd, std::uint64_t size) {
        scan_file(fd, size);
        if (is_over()) return std::move(look_);
        start_memory_ = memory_in_use();
        std::uint64_t end = 0;
        if (look_into_archive(part_of(fd, 0, size), 0)) {
            look_.kind = ContentLook::Kind::archive;
            end = length_.value_or(size);
        }
        if (look_.kind != ContentLook::Kind::text) look_into_embedded(fd, end, size);
        return std::move(look_);
    }

    [[nodiscard]] bool is_stopped() const { return limits_.stop != nullptr && *limits_.stop; }

  private:
    [[nodiscard]] bool is_over() const {
        return is_stopped() || !look_.found.empty() || !look_.obstacle.empty() || !look_.is_whole;
    }

    /// The file's bytes from `begin` on.
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

    /// What may be compressed data from `begin` on: that it is not, is no obstacle.
    void look_into_embedded(int fd, std::uint64_t begin, std::uint64_t size) {
        guesses_ = true;
        if (begin == 0 && is_zlib_ && look_into_archive(zlib_as_gzip(part_of(fd, 0, size)), 0)) begin = size;
        for (const auto offset : embedded_.offsets()) {
            if (is_over()) return;
            if (offset == 0 || offset < begin || !look_into_archive(part_of(fd, offset, size), 0)) continue;
            begin = std::max(begin, offset + length_.value_or(0));
        }
    }

    /// An obstacle, unless it is not even known that there is something to look into.
    void broken(const std::string& text) {
        if (!guesses_) obstacle(text);
    }

    void obstacle(std::string_view text) {
        if (look_.obstacle.empty()) look_.obstacle = masks_->mask(text).bytes();
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
        look_.is_whole = offset == size;
        look_.found = scanner.found();
        look_.masked_size = scanner.masked_size();
        if (look_.kind == ContentLook::Kind::text && scanner.is_binary()) look_.kind = ContentLook::Kind::binary;
    }

    void note_unreadable(std::string_view start) {
        const auto kind = unreadable_kind(start);
        if (kind.empty()) return;
        look_.kind = ContentLook::Kind::archive;
        obstacle("it is " + std::string(kind) + ", which can't be looked into");
    }

    /// Whether it is an archive or compressed. `depth`: how many it lies in.
    bool look_into_archive(ArchiveInput input, std::size_t depth) {
        auto archive = AnyArchive::open(std::move(input));
        length_.reset();
        if (!archive) broken("it can't be looked into: " + archive.error().message());
        if (!archive || !*archive) return !archive && !guesses_;
        depth += (*archive)->layers();
        if (depth > limits_.depth) {
            obstacle("more than " + std::to_string(limits_.depth) + " archives lie in one another");
            return true;
        }
        while (!is_over()) {
            const auto entry = (*archive)->next();
            if (!entry) broken("it can't be looked into to its end: " + entry.error().message());
            if (!entry || !*entry) break;
            look_into_entry(**archive, **entry, depth);
        }
        length_ = (*archive)->length();
        return true;
    }

    void look_into_entry(AnyArchive& archive, const ArchivedEntry& entry, std::size_t depth) {
        static_cast<void>(masks_->mask(entry.names, &look_.found));
        if (++entries_ > limits_.entries) {
            obstacle("more than " + std::to_string(limits_.entries) + " entries are in it");
        }
        if (entry.is_encrypted) obstacle("it is encrypted");
        if (is_over()) return;

        ContentScanner content(masks_);
        std::size_t read = 0;
        const auto read_on = [&](char* buffer, std::size_t size) -> std::ptrdiff_t {
            if (!may_read_on()) return -1;
            const auto count = archive.read(buffer, size);
            if (!count) broken("it can't be looked into to its end: " + count.error().message());
            if (!count) return -1;
            const std::string_view bytes(buffer, *count);
            if (read == 0) note_unreadable(bytes);
            read += bytes.size();
            look_.expanded += bytes.size();
            content.write(bytes);
            return static_cast<std::ptrdiff_t>(*count);
        };
        ArchiveInput input;
        input.read = read_on;
        // The reader of archives leaves what comes after what it knows.
        static_cast<void>(look_into_archive(std::move(input), depth));
        Buffer buffer(block);
        while (read_on(buffer.data(), buffer.size()) > 0) {
        }
        content.finish();
        look_.found.merge(content.found());
    }

    bool may_read_on() {
        if (look_.expanded > limits_.bytes) {
            broken("it is too large to look into: more than " + mebibytes(limits_.bytes) + " come out of it");
            return false;
        }
        if (memory_in_use() > start_memory_ + limits_.memory) {
            broken("looking into it takes more than " + mebibytes(limits_.memory) + " of memory");
            return false;
        }
        return !is_over();
    }

    std::shared_ptr<const MaskSet> masks_;
    LookLimits limits_;
    ContentLook look_;
    EmbeddedStreams embedded_;
    bool is_zlib_ = false;
    bool guesses_ = false;                 ///< what is looked into may be no archive
    std::optional<std::uint64_t> length_;  ///< of the archive that was looked into last
    std::size_t entries_ = 0;
    std::uint64_t start_memory_ = 0;
};

}  // namespace

Result<ContentLook> look_into(int fd, std::uint64_t size, const std::shared_ptr<const MaskSet>& masks,
                              const LookLimits& limits) {
    Look look(masks, limits);
    auto result = look.take(fd, size);
    if (look.is_stopped()) return fail("it was told to stop");
    return result;
}

}  // namespace trebuchet
