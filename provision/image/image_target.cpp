#include "provision/image/image_target.hpp"

#include "common/file/safe_file.hpp"
#include "provision/ssh/shell_quote.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

std::string system_message() {
    return std::system_category().message(errno);
}

class LocalTarget final : public ImageTarget {
  public:
    LocalTarget(FileDescriptor file, std::filesystem::path path) : file_(std::move(file)), path_(std::move(path)) {}

    [[nodiscard]] int fd() const override { return file_.get(); }
    [[nodiscard]] Result<void> close() override {
        if (::fsync(file_.get()) != 0) return fail("can't write " + name + ": " + system_message());
        ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED);
        file_ = FileDescriptor();
        return {};
    }
    [[nodiscard]] bool wait_for(milliseconds /*time*/) override { return true; }
    [[nodiscard]] Result<void> end() override { return {}; }
    [[nodiscard]] std::optional<int> open_for_reading() const override {
        const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0) return std::nullopt;
        ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        return fd;
    }

  private:
    FileDescriptor file_;
    std::filesystem::path path_;
};

class RemoteTarget final : public ImageTarget {
  public:
    explicit RemoteTarget(std::unique_ptr<RunningCommand> dd) : dd_(std::move(dd)), pipe_(dd_->take_pipe()) {}

    [[nodiscard]] int fd() const override { return pipe_.get(); }
    [[nodiscard]] Result<void> close() override {
        pipe_ = FileDescriptor();
        return {};
    }
    [[nodiscard]] bool wait_for(milliseconds time) override { return dd_->wait_for(time); }
    [[nodiscard]] Result<void> end() override {
        const auto result = dd_->end();
        if (succeeded(result)) return {};
        return fail("can't write " + name + ": " +
                    (is_transport_failure(result.end) ? "lost the ssh connection, " : "") + describe(result));
    }

  private:
    std::unique_ptr<RunningCommand> dd_;
    FileDescriptor pipe_;
};

}  // namespace

Result<std::unique_ptr<ImageTarget>> open_local_target(const std::filesystem::path& path, const KernelFiles& files) {
    const auto shown = path.string();
    struct stat info {};
    const bool exists = ::stat(path.c_str(), &info) == 0;
    const bool is_block = exists && S_ISBLK(info.st_mode);
    if (exists && !is_block && !S_ISREG(info.st_mode)) {
        return fail(shown + " is neither a block device nor a file: not writing an image to it");
    }
    if (!exists && path.string().starts_with("/dev/")) return fail("there is no device " + shown);
    if (is_block) {
        if (auto unused = check_disk_is_unused(major(info.st_rdev), minor(info.st_rdev), files); !unused) {
            return fail(unused.error());
        }
    }
    // O_EXCL without O_CREAT: the kernel refuses a block device that something else has claimed.
    const int flags = is_block ? O_WRONLY | O_EXCL : O_WRONLY | O_CREAT;
    FileDescriptor file(::open(path.c_str(), flags | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file) return fail("can't open " + shown + " for writing: " + system_message());
    const auto end = ::lseek(file.get(), 0, SEEK_END);
    ::lseek(file.get(), 0, SEEK_SET);

    auto target = std::make_unique<LocalTarget>(std::move(file), path);
    target->name = shown;
    if (end > 0) target->capacity = static_cast<std::uint64_t>(end);
    return target;
}

Result<std::unique_ptr<ImageTarget>> open_remote_target(Ssh& ssh, const std::string& device) {
    // Without pipefail a zstdcat that found a damaged image would go unnoticed; /bin/sh has it not everywhere.
    const auto pipeline =
        "zstdcat -f | sudo dd of=" + shell_quote(device) + " bs=16M iflag=fullblock oflag=nocache conv=fsync,notrunc";
    auto running = ssh.start("bash -o pipefail -c " + shell_quote(pipeline), Piped::input);
    if (!running) return fail("can't write " + device + " on " + ssh.name() + ": " + describe(running.error()));
    auto target = std::make_unique<RemoteTarget>(std::move(*running));
    target->name = device + " on " + ssh.name();
    target->takes_compressed = true;
    return target;
}

}  // namespace trebuchet
