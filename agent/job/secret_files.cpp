#include "agent/job/secret_files.hpp"

#include "common/base/system_text.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

void overwrite(int fd, std::size_t size) {
    const std::string zeros(std::min<std::size_t>(size, 65536), '\0');
    for (std::size_t at = 0; at < size; at += zeros.size()) {
        const auto count = std::min(zeros.size(), size - at);
        if (::pwrite(fd, zeros.data(), count, static_cast<off_t>(at)) < 0) return;
    }
}

}  // namespace

SecretFiles::~SecretFiles() {
    for (const auto& file : files_) {
        overwrite(file.descriptor.get(), file.size);
        ::unlink(file.path.c_str());
    }
    if (!files_.empty()) ::rmdir(folder_.c_str());
}

Result<std::filesystem::path> SecretFiles::add(const std::string& name, const SecretString& content) {
    if (auto made = make_private_folder(folder_); !made) return fail(made.error());
    // What else is in there keeps its own permissions.
    if (user_ && ::chmod(folder_.c_str(), 0711) != 0) {
        return fail("cannot open " + folder_.string() + " to the user of the phases: " + system_text(errno));
    }
    const auto path = folder_ / ("secret-" + name);
    if (auto removed = remove_tree(path); !removed) return fail(removed.error());
    auto file = create_new_file(path);
    if (!file) return fail(file.error());
    const int fd = file->get();
    files_.push_back({path, std::move(*file), content.size()});
    if (auto written = write_all(fd, content.reveal()); !written) return fail(written.error());
    if (::fchmod(fd, 0400) != 0 || (user_ && ::fchown(fd, user_->user, user_->group) != 0)) {
        return fail("cannot give " + path.string() + " to the phase: " + system_text(errno));
    }
    return path;
}

}  // namespace trebuchet
