#include "common/archive/tar_gz_writer.hpp"

#include "common/archive/masked_content.hpp"
#include "common/archive/masked_names.hpp"
#include "common/archive/tar_gz_stream.hpp"
#include "common/base/system_text.hpp"
#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

// How a file is packed:
//
//  1. Inspect it (content_inspection.hpp): kind, secrets, size after masking, obstacles.
//  2. Withhold it if it is not text and contains a secret, or cannot be inspected while secrets are registered.
//  3. Write the tar header. It needs the size of the masked content, which is why the file is read twice.
//  4. Read the file again, mask it, and write it.
//  5. If the second reading has another size, the file changed meanwhile: the stream pads it with zeros or cuts it, so
//     that the archive stays valid, and the report says so.
//
// Example: the text file log.txt has 100 bytes, among them the 12-byte secret "correcthorse". The mask has 10 bytes, so
// the header says 98 bytes. If somebody appends a line between the two readings, only the first 100 bytes are read. If
// somebody truncates the file to 40 bytes, 58 bytes of zeros follow.
namespace trebuchet {
namespace {

constexpr std::size_t most_notes = 100;

struct FolderCloser {
    void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, FolderCloser>;

bool is_same_file(const struct stat& left, const struct stat& right) {
    return left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

/// For an entry that cannot be packed.
const char* other_kind(mode_t mode) {
    if (S_ISFIFO(mode)) return "a FIFO";
    if (S_ISSOCK(mode)) return "a socket";
    if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
    return "of an unknown kind";
}

/// Result of masked_names.
using MaskedNames = std::vector<std::pair<std::string, std::string>>;

/// The names of one folder in the archive. Sorted only on demand, as there may be very many.
class NamesInFolder {
  public:
    explicit NamesInFolder(const MaskedNames& names) : names_(names) {}
    std::set<std::string>& taken() {
        if (!taken_) {
            taken_.emplace();
            for (const auto& pair : names_) taken_->insert(pair.second);
        }
        return *taken_;
    }

  private:
    const MaskedNames& names_;
    std::optional<std::set<std::string>> taken_;
};

/// Packs a tree. Problems with an entry go to the report; only errors that end the archive are returned.
class TreePacker {
  public:
    TreePacker(TarGzStream& archive, const struct stat& archive_info, std::shared_ptr<const MaskSet> masks,
               const TarGzLimits& limits)
        : archive_(archive), archive_info_(archive_info), masks_(std::move(masks)), limits_(limits) {
        limits_.inspection.stop = limits_.stop;
    }

    Result<void> pack_top(FileDescriptor fd, const std::string& path, const struct stat& info) {
        device_ = info.st_dev;
        top_ = FileDescriptor(::openat(fd.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
        return pack_folder(std::move(fd), {path, ""}, 0, info);
    }

    TarGzReport take_report() { return std::move(report_); }

  private:
    /// Where an entry is: `archived`, masked, in the archive; `plain` below the top folder.
    struct Place {
        std::string archived;
        std::string plain;
    };

    void leave_out(const std::string& path, std::string_view reason) {
        if (report_.left_out_count++ < most_notes) {
            report_.left_out.push_back(quoted(std::string_view(path), 300) + ": " + std::string(reason));
        }
    }

    /// The names in a folder, up to the limit on entries.
    std::vector<std::string> read_names(DIR* folder, const std::string& path) {
        std::vector<std::string> names;
        while (true) {
            errno = 0;
            const auto* const entry = ::readdir(folder);
            if (entry == nullptr) break;
            const std::string_view name(entry->d_name);
            if (name == "." || name == "..") continue;
            if (seen_ >= limits_.entries) {
                leave_out(path, "contains more than the limit of " + std::to_string(limits_.entries) + " entries");
                return names;
            }
            ++seen_;
            names.emplace_back(name);
        }
        if (errno != 0) leave_out(path, "cannot be read completely: " + system_text(errno));
        return names;
    }

    Result<void> pack_folder(FileDescriptor fd, const Place& place, std::size_t depth, const struct stat& info) {
        const auto& path = place.archived;
        const Folder folder(::fdopendir(fd.get()));
        if (!folder) {
            leave_out(path, "cannot be read: " + system_text(errno));
            return {};
        }
        static_cast<void>(fd.release());
        if (auto done = archive_.add_folder(path, info); !done) return done;
        ++report_.entries;
        const auto before = path + "/";
        const auto names = masked_names(read_names(folder.get(), path), path, *masks_, &report_.found);
        NamesInFolder taken(names);
        for (const auto& [name, archived] : names) {
            const Place entry{before + archived, place.plain.empty() ? name : place.plain + "/" + name};
            if (auto done = pack(::dirfd(folder.get()), name, entry, depth, taken); !done) return done;
        }
        return {};
    }

    /// `depth`: of the folder that contains `name`.
    Result<void> pack(int folder, const std::string& name, const Place& place, std::size_t depth,
                      NamesInFolder& taken) {
        const auto& path = place.archived;
        struct stat info {};
        if (::fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
            leave_out(path, "cannot be read: " + system_text(errno));
            return {};
        }
        if (S_ISREG(info.st_mode)) return pack_file(folder, name, path, taken);
        if (S_ISLNK(info.st_mode)) return pack_link(folder, name, place, depth, info, taken);
        if (S_ISDIR(info.st_mode)) return pack_subfolder(folder, name, place, depth + 1);
        leave_out(path, other_kind(info.st_mode));
        return {};
    }

    /// Opens a file, or reports it as left out. The file may have changed its type since pack() called stat.
    std::optional<FileDescriptor> open(int folder, const std::string& name, const std::string& path, int kind,
                                       struct stat& info) {
        FileDescriptor fd(
            ::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | kind));
        if (!fd || ::fstat(fd.get(), &info) != 0) {
            leave_out(path, "cannot be opened: " + system_text(errno));
            return std::nullopt;
        }
        return fd;
    }

    Result<void> pack_subfolder(int folder, const std::string& name, const Place& place, std::size_t depth) {
        const auto& path = place.archived;
        if (depth > limits_.depth) {
            leave_out(path, "is nested deeper than the limit of " + std::to_string(limits_.depth) + " levels");
            return {};
        }
        struct stat info {};
        auto fd = open(folder, name, path, O_DIRECTORY, info);
        if (!fd) return {};
        if (info.st_dev != device_) {
            leave_out(path, "another file system");
            return {};
        }
        return pack_folder(std::move(*fd), place, depth, info);
    }

    /// What a path below the top folder leads to, links included, if it never leaves the folder.
    [[nodiscard]] FileDescriptor open_inside(const std::string& plain) const {
        open_how how{};
        how.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
        how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
        return FileDescriptor(static_cast<int>(::syscall(SYS_openat2, top_.get(), plain.c_str(), &how, sizeof how)));
    }

    /// The part of an absolute path that is below the top folder; "" if it is elsewhere.
    [[nodiscard]] std::string below_top(std::string_view target) const {
        std::array<char, PATH_MAX> buffer{};
        const auto self = "/proc/self/fd/" + std::to_string(top_.get());
        const auto length = ::readlink(self.c_str(), buffer.data(), buffer.size());
        if (length <= 0) return "";
        const auto top = std::string(buffer.data(), static_cast<std::size_t>(length)) + "/";
        return target.starts_with(top) ? std::string(target.substr(top.size())) : "";
    }

    /// A link to a file in the folder is packed as that file; any other one that stays in the folder, as a link. A link
    /// to a folder is not followed: what it leads to is in the archive already, and links in circles would fill it.
    Result<void> pack_link(int folder, const std::string& name, const Place& place, std::size_t depth,
                           const struct stat& info, NamesInFolder& taken) {
        const auto& path = place.archived;
        std::array<char, PATH_MAX> buffer{};
        const auto length = ::readlinkat(folder, name.c_str(), buffer.data(), buffer.size());
        if (length < 0) {
            leave_out(path, "cannot be read: " + system_text(errno));
            return {};
        }
        std::string plain_target(buffer.data(), static_cast<std::size_t>(length));
        const auto inside = below_top(plain_target);
        const auto followed = open_inside(inside.empty() ? place.plain : inside);
        struct stat target_info {};
        const bool exists = followed && ::fstat(followed.get(), &target_info) == 0;
        if (exists && S_ISREG(target_info.st_mode)) return pack_opened(followed, path, target_info, taken);
        if (exists && !inside.empty()) plain_target = from_depth(depth, inside);
        return add_link(path, plain_target, depth, info);
    }

    /// The relative target, in a folder `depth` levels below the top folder, of a path below the top folder.
    static std::string from_depth(std::size_t depth, const std::string& inside) {
        std::string target;
        for (std::size_t level = 0; level < depth; ++level) target += "../";
        return target + inside;
    }

    Result<void> add_link(const std::string& path, const std::string& plain_target, std::size_t depth,
                          const struct stat& info) {
        const std::string target(masks_->mask(plain_target, &report_.found).bytes());
        if (!stays_inside(plain_target, depth) || !stays_inside(target, depth)) {
            leave_out(path, "a link that may lead out of the folder");
            return {};
        }
        if (auto done = archive_.add_link(path, target, info); !done) return done;
        ++report_.entries;
        return {};
    }

    Result<void> pack_file(int folder, const std::string& name, const std::string& path, NamesInFolder& taken) {
        struct stat info {};
        const auto fd = open(folder, name, path, 0, info);
        if (!fd) return {};
        return pack_opened(*fd, path, info, taken);
    }

    Result<void> pack_opened(const FileDescriptor& fd, const std::string& path, const struct stat& info,
                             NamesInFolder& taken) {
        if (is_stopped()) return fail("stopped");
        if (!S_ISREG(info.st_mode)) {
            leave_out(path, other_kind(info.st_mode));
            return {};
        }
        if (is_same_file(info, archive_info_)) {
            leave_out(path, "the archive itself");
            return {};
        }
        const auto plain_size = static_cast<std::uint64_t>(info.st_size);
        const auto room = limits_.bytes - report_.bytes;
        if (plain_size > room) return leave_out_too_large(path);
        ContentInspection inspection;
        inspection.masked_size = plain_size;
        if (!masks_->masks_nothing()) {
            limits_.inspection.bytes = std::min(limits_.inspection.bytes, limits_.expanded);
            auto inspected = inspect_content(fd.get(), plain_size, masks_, limits_.inspection);
            if (!inspected) return fail(inspected.error());
            inspection = std::move(*inspected);
            limits_.expanded -= std::min(limits_.expanded, inspection.expanded);
        }
        if (!inspection.is_whole) {
            leave_out(path, "cannot be read");
            return {};
        }
        if (const auto reason = reason_to_withhold(inspection); !reason.empty()) {
            report_.found.merge(inspection.found);
            return withhold(path, reason, info, taken);
        }
        if (inspection.masked_size > room) return leave_out_too_large(path);
        report_.found.merge(inspection.found);
        return write_file_entry(fd.get(), path, plain_size, inspection.masked_size, info);
    }

    Result<void> leave_out_too_large(const std::string& path) {
        leave_out(path, "exceeds the limit of " + std::to_string(limits_.bytes) + " bytes for all files");
        return {};
    }

    /// "" if the file may be packed; text is then masked.
    [[nodiscard]] std::string reason_to_withhold(const ContentInspection& inspection) const {
        if (!inspection.found.empty()) {
            if (inspection.kind == ContentInspection::Kind::text && !limits_.withholds_text) return "";
            std::string names;
            for (const auto& [key, count] : inspection.found.sorted()) {
                names += (names.empty() ? "" : ", ") + key.name + " (" + std::string(name_of(key.form)) + ")";
            }
            return "it contains a secret: " + names;
        }
        // Without registered secrets the file cannot contain one of this job's.
        return masks_->longest() == 0 ? "" : inspection.obstacle;
    }

    /// Packs a note instead of the file.
    Result<void> withhold(const std::string& path, const std::string& reason, const struct stat& info,
                          NamesInFolder& taken) {
        const auto slash = path.rfind('/') + 1;
        const auto name = note_name(path.substr(slash), taken.taken(), *masks_);
        taken.taken().insert(name);
        const auto line = quoted(std::string_view(path), 300) + " is withheld: " + reason;
        const auto text = masks_->mask("The file " + line + "\n");
        if (report_.withheld_count++ < most_notes) report_.withheld.emplace_back(masks_->mask(line).bytes());
        if (auto done = archive_.begin_file(path.substr(0, slash) + name, text.size(), info); !done) return done;
        if (auto done = archive_.write(text.bytes()); !done) return done;
        if (auto done = archive_.end_file(); !done) return done;
        ++report_.entries;
        report_.bytes += text.size();
        return {};
    }

    [[nodiscard]] bool is_stopped() const { return limits_.stop != nullptr && *limits_.stop; }

    Result<void> write_file_entry(int fd, const std::string& path, std::uint64_t plain_size, std::uint64_t size,
                                  const struct stat& info) {
        if (auto done = archive_.begin_file(path, size, info); !done) return done;
        std::uint64_t written = 0;
        const auto whole = read_masked(
            fd, plain_size, masks_,
            [this, &written](const MaskedChunk& chunk) {
                written += chunk.size();
                return archive_.write(chunk.bytes());
            },
            limits_.stop);
        if (!whole) return fail(whole.error());
        if (auto done = archive_.end_file(); !done) return done;
        if (!*whole || written != size) leave_out(path, "changed while it was packed: padded with zeros or cut");
        ++report_.entries;
        report_.bytes += size;
        return {};
    }

    TarGzStream& archive_;
    const struct stat& archive_info_;
    std::shared_ptr<const MaskSet> masks_;
    TarGzLimits limits_;
    TarGzReport report_;
    std::size_t seen_ = 0;
    dev_t device_ = 0;
    FileDescriptor top_;
};

}  // namespace

Result<TarGzReport> write_tar_gz(const std::filesystem::path& folder, int fd, std::shared_ptr<const MaskSet> masks,
                                 const TarGzLimits& limits) {
    FileDescriptor top(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (!top || ::fstat(top.get(), &info) != 0) {
        return fail("cannot open the folder " + folder.string() + ": " + system_text(errno));
    }
    struct stat archive_info {};
    if (::fstat(fd, &archive_info) != 0) return fail("cannot stat the archive: " + system_text(errno));

    auto archive = TarGzStream::open(fd);
    if (!archive) return fail(archive.error());
    const auto name = masked_names({folder.filename().string()}, "", *masks).front().second;
    TreePacker packer(*archive, archive_info, std::move(masks), limits);
    if (auto done = packer.pack_top(std::move(top), name, info); !done) return fail(done.error());
    if (auto done = archive->close(); !done) return fail(done.error());
    return packer.take_report();
}

}  // namespace trebuchet
