#include "common/file/private_file.hpp"

#include "common/base/system_text.hpp"
#include "common/file/regular_file.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr mode_t others_of_strict = S_IRWXG | S_IRWXO;

Result<void> check(const struct stat& info, const std::filesystem::path& path, mode_t others, const char* mode) {
    if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
        return fail(path.string() + " belongs to the user " + std::to_string(info.st_uid) +
                    "; expected root or the agent's user");
    }
    if ((info.st_mode & others) == 0) return {};
    return fail("others may use " + path.string() + ": run chmod " + mode + " on it");
}

Result<void> check_folder(const std::filesystem::path& file) {
    std::error_code error;
    const auto folder = std::filesystem::canonical(file, error).parent_path();
    struct stat info {};
    if (error || ::stat(folder.c_str(), &info) != 0) return fail("cannot look at the folder of " + file.string());
    return check(info, folder, others_of_strict, "0700");
}

Result<SecretString> read_all(int fd, const std::filesystem::path& path, std::size_t limit) {
    WipedString bytes;
    std::array<char, 4096> buffer{};
    while (bytes.size() <= limit) {
        const auto count = ::read(fd, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count > 0) bytes.append(buffer.data(), static_cast<std::size_t>(count));
        wipe(buffer.data(), buffer.size());
        if (count < 0) return fail("cannot read " + path.string() + ": " + system_text(errno));
        if (count == 0) return SecretString(bytes);
    }
    return fail(path.string() + " is longer than the " + std::to_string(limit) + " bytes that are accepted");
}

}  // namespace

Result<SecretString> read_private_file(const std::filesystem::path& path, std::size_t limit, FilePrivacy privacy) {
    const auto file = open_regular_file(path);
    if (!file) return fail(file.error());
    struct stat info {};
    if (::fstat(file->get(), &info) != 0) return fail("cannot look at " + path.string() + ": " + system_text(errno));
    // An access list shows as permissions of the group.
    const mode_t others = privacy == FilePrivacy::by_service ? S_IRWXO : others_of_strict;
    if (auto is_private = check(info, path, others, "0600"); !is_private) return fail(is_private.error());
    if (privacy == FilePrivacy::strict) {
        if (auto is_private = check_folder(path); !is_private) return fail(is_private.error());
    }
    return read_all(file->get(), path, limit);
}

}  // namespace trebuchet
