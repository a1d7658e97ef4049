#include "common/file/regular_file.hpp"

#include "common/base/system_text.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

const char* kind_of(mode_t mode) {
    if (S_ISFIFO(mode)) return "a FIFO";
    if (S_ISDIR(mode)) return "a folder";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
}

}  // namespace

Result<FileDescriptor> open_regular_file(const std::filesystem::path& path) {
    FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat info {};
    if (!fd || ::fstat(fd.get(), &info) != 0) {
        return fail("cannot open " + path.string() + ": " + system_text(errno));
    }
    if (!S_ISREG(info.st_mode)) {
        return fail(path.string() + " is " + kind_of(info.st_mode) + "; expected a regular file");
    }
    return fd;
}

Result<std::string> read_regular_file(const std::filesystem::path& path, std::size_t limit) {
    const auto fd = open_regular_file(path);
    if (!fd) return fail(fd.error());
    std::string text;
    std::array<char, 16384> buffer{};
    while (text.size() <= limit) {
        const auto count = ::read(fd->get(), buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail("cannot read " + path.string() + ": " + system_text(errno));
        if (count == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return fail(path.string() + " is longer than the " + std::to_string(limit) + " bytes that are accepted");
}

}  // namespace trebuchet
