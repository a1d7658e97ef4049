#include "common/archive/tar_gz_reader.hpp"

#include "common/archive/tar_gz_source.hpp"
#include "common/base/system_text.hpp"
#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using Names = std::vector<std::string>;

/// Up to this size the compression ratio does not matter.
constexpr std::uint64_t harmless_bytes = std::uint64_t{64} * 1024 * 1024;

std::string shown(std::string_view name) {
    return quoted(name, 300);
}

/// The components of a path, without "." and empty ones.
Names names_of(std::string_view path) {
    Names names;
    while (!path.empty()) {
        const auto name = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(name.size() + 1, path.size()));
        if (!name.empty() && name != ".") names.emplace_back(name);
    }
    return names;
}

/// True if a link in a folder `depth` levels below the target cannot lead out of it, whatever other links its target
/// passes: ".." only at its start, and not too often.
bool stays_inside_whatever_it_passes(std::string_view target, std::size_t depth) {
    if (target.empty() || target.front() == '/') return false;
    bool goes_down = false;
    for (const auto& name : names_of(target)) {
        if (name != "..") {
            goes_down = true;
        } else if (goes_down || depth-- == 0) {
            return false;
        }
    }
    return true;
}

class Unpacker {
  public:
    Unpacker(TarGzSource& source, int target, const Names& top_folders, const UnpackLimits& limits)
        : source_(source), target_(target), top_folders_(top_folders), limits_(limits) {}

    Result<UnpackReport> unpack_all() {
        while (true) {
            const auto entry = source_.next();
            if (!entry) return fail(entry.error());
            if (!*entry) return report_;
            if (++report_.entries > limits_.entries) {
                return fail("the archive has more than the " + std::to_string(limits_.entries) +
                            " entries that are accepted");
            }
            if (auto done = unpack(**entry); !done) {
                return fail(done.error().with_context("the archive's entry " + shown((*entry)->path)));
            }
        }
    }

  private:
    Result<void> unpack(const TarEntry& entry) {
        auto names = checked_names(entry.path);
        if (!names) return fail(names.error());
        if (names->empty()) {
            if (entry.kind == TarEntry::Kind::folder) return {};
            return fail("has no name");
        }
        if (names->size() == 1 && entry.kind != TarEntry::Kind::folder) return fail("expected a folder of this name");
        const auto name = names->back();
        names->pop_back();
        const auto parent = open_folder(*names);
        if (!parent) return fail(parent.error());
        switch (entry.kind) {
            case TarEntry::Kind::folder:
                return unpack_folder(parent->get(), name, entry);
            case TarEntry::Kind::file:
                return unpack_file(parent->get(), name, entry);
            case TarEntry::Kind::symbolic_link:
                return unpack_symbolic_link(parent->get(), name, entry, names->size());
            case TarEntry::Kind::hard_link:
                return unpack_hard_link(parent->get(), name, entry);
            case TarEntry::Kind::other:
                break;
        }
        return fail("is a device, a FIFO or a socket; expected files, folders and links");
    }

    [[nodiscard]] Result<Names> checked_names(std::string_view path) const {
        if (path.starts_with('/')) return fail("has an absolute path");
        if (path.size() > limits_.path_length) {
            return fail("has a path of more than " + std::to_string(limits_.path_length) + " bytes");
        }
        auto names = names_of(path);
        if (std::find(names.begin(), names.end(), "..") != names.end()) return fail("has \"..\" in its path");
        if (names.size() > limits_.depth) {
            return fail("is nested deeper than the limit of " + std::to_string(limits_.depth) + " folders");
        }
        if (!names.empty() && std::find(top_folders_.begin(), top_folders_.end(), names[0]) == top_folders_.end()) {
            std::string expected;
            for (const auto& folder : top_folders_) expected += (expected.empty() ? "" : ", ") + folder + "/";
            return fail("is not below " + expected);
        }
        return names;
    }

    /// Opens the folders one by one, so that no link is followed. Creates missing ones.
    [[nodiscard]] Result<FileDescriptor> open_folder(const Names& names, bool make = true) const {
        FileDescriptor folder(::fcntl(target_, F_DUPFD_CLOEXEC, 0));
        if (!folder) return fail("cannot open the target folder: " + system_text(errno));
        for (const auto& name : names) {
            if (make && ::mkdirat(folder.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
                return fail("cannot make the folder " + shown(name) + ": " + system_text(errno));
            }
            FileDescriptor next(::openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (!next) {
                if (errno != ENOTDIR && errno != ELOOP) {
                    return fail("cannot open the folder " + shown(name) + ": " + system_text(errno));
                }
                return fail("is below " + shown(name) + ", which is not a folder in this archive");
            }
            folder = std::move(next);
        }
        return folder;
    }

    static Result<void> unpack_folder(int parent, const std::string& name, const TarEntry& entry) {
        if (::mkdirat(parent, name.c_str(), 0755) != 0 && errno != EEXIST) {
            return fail("cannot be created: " + system_text(errno));
        }
        const FileDescriptor folder(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!folder) return fail("exists already and is not a folder");
        if (::fchmod(folder.get(), (entry.mode & 0755U) | 0700U) != 0)
            return fail("cannot be set up: " + system_text(errno));
        return {};
    }

    Result<void> unpack_file(int parent, const std::string& name, const TarEntry& entry) {
        const FileDescriptor file(
            ::openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!file) return cannot_make();
        std::array<char, 65536> buffer{};
        while (true) {
            if (limits_.stop != nullptr && *limits_.stop) return fail("stopped");
            const auto count = source_.read(buffer.data(), buffer.size());
            if (!count) return fail(count.error());
            if (*count == 0) break;
            report_.bytes += *count;
            if (auto within = check_size(); !within) return within;
            if (auto done = write_all(file.get(), {buffer.data(), *count}); !done) return done;
        }
        const std::array<timespec, 2> times{timespec{0, UTIME_OMIT}, timespec{static_cast<time_t>(entry.time), 0}};
        ::futimens(file.get(), times.data());
        if (::fchmod(file.get(), (entry.mode & 0755U) | 0600U) != 0)
            return fail("cannot be set up: " + system_text(errno));
        return {};
    }

    [[nodiscard]] Result<void> check_size() const {
        if (report_.bytes > limits_.bytes) {
            return fail("exceeds the limit of " + std::to_string(limits_.bytes) + " bytes for all files");
        }
        if (report_.bytes > harmless_bytes && report_.bytes / limits_.ratio > source_.bytes_read()) {
            return fail("unpacks to more than " + std::to_string(limits_.ratio) + " times the archive's size");
        }
        return {};
    }

    static Result<void> unpack_symbolic_link(int parent, const std::string& name, const TarEntry& entry,
                                             std::size_t depth) {
        if (!stays_inside_whatever_it_passes(entry.target, depth)) {
            return fail("is a link to " + shown(entry.target) + ", which may lead out of the archive's folder");
        }
        if (::symlinkat(entry.target.c_str(), parent, name.c_str()) != 0) return cannot_make();
        return {};
    }

    [[nodiscard]] Result<void> unpack_hard_link(int parent, const std::string& name, const TarEntry& entry) const {
        const auto refused = [&](const std::string& reason) {
            return fail("is a hard link to " + shown(entry.target) + ", which " + reason);
        };
        auto names = checked_names(entry.target);
        if (!names) return refused(names.error().message());
        if (names->empty()) return refused("has no name");
        const auto linked = names->back();
        names->pop_back();
        const auto folder = open_folder(*names, false);
        if (!folder) return refused(folder.error().message());
        struct stat info {};
        if (::fstatat(folder->get(), linked.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode)) {
            return refused("is not an earlier file of the archive");
        }
        if (::linkat(folder->get(), linked.c_str(), parent, name.c_str(), 0) != 0) return cannot_make();
        return {};
    }

    static tl::unexpected<Error> cannot_make() {
        if (errno == EEXIST) return fail("occurs twice");
        return fail("cannot be created: " + system_text(errno));
    }

    TarGzSource& source_;
    int target_;
    const Names& top_folders_;
    UnpackLimits limits_;
    UnpackReport report_;
};

}  // namespace

Result<UnpackReport> unpack_tar_gz(const std::filesystem::path& archive, const std::filesystem::path& target,
                                   const std::vector<std::string>& top_folders, const UnpackLimits& limits) {
    const auto file = open_untrusted(archive);
    if (!file) return fail(file.error());
    auto source = TarGzSource::open(file->get());
    if (!source) return fail(source.error().with_context(archive.string()));
    if (::mkdir(target.c_str(), 0755) != 0 && errno != EEXIST) {
        return fail("cannot make the folder " + target.string() + ": " + system_text(errno));
    }
    const FileDescriptor folder(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder) return fail("cannot open the folder " + target.string() + ": " + system_text(errno));
    auto report = Unpacker(*source, folder.get(), top_folders, limits).unpack_all();
    if (!report) return fail(report.error().with_context(archive.string()));
    return report;
}

}  // namespace trebuchet
