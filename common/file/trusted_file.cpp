#include "common/file/trusted_file.hpp"

#include "common/base/system_text.hpp"
#include "common/file/planted_file.hpp"
#include "common/file/safe_file.hpp"

#include <cerrno>
#include <cstdio>

#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

Result<void> check_owner(const FileDescriptor& opened, const fs::path& file, bool own_files_are_trusted) {
    struct stat info {};
    if (::fstat(opened.get(), &info) != 0) return fail(file.string() + ": " + system_text(errno));
    const bool is_trusted = info.st_uid == 0 || (own_files_are_trusted && info.st_uid == ::geteuid());
    if (is_trusted && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0 && info.st_nlink == 1) return {};
    return fail(file.string() + " is not used: a job may have written it");
}

}  // namespace

Result<std::string> read_trusted(const fs::path& file, std::size_t limit, bool own_files_are_trusted) {
    const auto opened = open_untrusted(file);
    if (!opened) return fail(opened.error());
    if (auto trusted = check_owner(*opened, file, own_files_are_trusted); !trusted) return fail(trusted.error());
    return read_file("/proc/self/fd/" + std::to_string(opened->get()), limit);
}

Result<void> write_trusted(const fs::path& file, std::string_view text) {
    const auto temporary = fs::path(file).concat(".new");
    unlink_or_set_aside(temporary);
    const auto fd = create_new_file(temporary);
    if (!fd) return fail(fd.error());
    if (auto written = write_all(fd->get(), text); !written) return written;
    if (::fchmod(fd->get(), 0644) == 0 && ::rename(temporary.c_str(), file.c_str()) == 0) return {};
    return fail("cannot write " + file.string() + ": " + system_text(errno));
}

}  // namespace trebuchet
