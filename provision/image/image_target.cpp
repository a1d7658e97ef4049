#include "provision/image/image_target.hpp"

#include "common/base/system_text.hpp"
#include "common/file/safe_file.hpp"
#include "provision/image/digest.hpp"
#include "provision/ssh/shell_quote.hpp"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t read_size = std::size_t{1024} * 1024;
constexpr std::chrono::minutes read_back_time{30};

Result<std::string> digest_of(int fd, std::uint64_t size, const std::function<bool()>& go_on) {
    Digest digest(DigestKind::sha256);
    std::vector<char> buffer(read_size);
    while (size > 0) {
        if (!go_on()) return fail("stopped");
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, buffer.size()));
        const auto count = ::read(fd, buffer.data(), wanted);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(system_text(errno));
        if (count == 0) return fail("it ends too early");
        digest.update(buffer.data(), static_cast<std::size_t>(count));
        size -= static_cast<std::uint64_t>(count);
    }
    return digest.hex();
}

/// Without pipefail, a zstdcat that fails on a damaged image would go unnoticed. Not every /bin/sh supports it.
std::string pipeline_command(const std::string& pipeline) {
    return "bash -o pipefail -c " + shell_quote(pipeline);
}

class LocalTarget final : public ImageTarget {
  public:
    LocalTarget(FileDescriptor file, std::filesystem::path path) : file_(std::move(file)), path_(std::move(path)) {}

    [[nodiscard]] int fd() const override { return file_.get(); }
    [[nodiscard]] Result<void> close() override {
        if (::fsync(file_.get()) != 0) return fail("cannot write " + name + ": " + system_text(errno));
        ::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_DONTNEED);
        file_ = FileDescriptor();
        return {};
    }
    [[nodiscard]] bool wait_for(milliseconds /*time*/) override { return true; }
    [[nodiscard]] Result<void> finish() override { return {}; }
    [[nodiscard]] Result<std::string> read_back(std::uint64_t size, const std::function<bool()>& go_on) override {
        const FileDescriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file) return fail(system_text(errno));
        ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
        return digest_of(file.get(), size, go_on);
    }

  private:
    FileDescriptor file_;
    std::filesystem::path path_;
};

class RemoteTarget final : public ImageTarget {
  public:
    RemoteTarget(Ssh& ssh, std::string device, std::unique_ptr<RunningCommand> dd)
        : ssh_(&ssh), device_(std::move(device)), dd_(std::move(dd)), pipe_(dd_->take_pipe()) {}

    [[nodiscard]] int fd() const override { return pipe_.get(); }
    [[nodiscard]] Result<void> close() override {
        pipe_ = FileDescriptor();
        return {};
    }
    [[nodiscard]] bool wait_for(milliseconds time) override { return dd_->wait_for(time); }
    [[nodiscard]] Result<void> finish() override {
        const auto result = dd_->stop();
        if (succeeded(result)) return {};
        return fail("cannot write " + name + ": " +
                    (is_transport_failure(result.end) ? "lost the ssh connection, " : "") + describe(result));
    }
    /// Needs no `go_on`: a stop signal stops the command.
    [[nodiscard]] Result<std::string> read_back(std::uint64_t size, const std::function<bool()>& /*go_on*/) override {
        const auto disk = shell_quote(device_);
        SshCall call;
        call.timeout = read_back_time;
        const auto result =
            ssh_->run(pipeline_command("sudo blockdev --flushbufs " + disk + " >/dev/null 2>&1; sudo dd if=" + disk +
                                       " bs=16M count=" + std::to_string(size) +
                                       " iflag=fullblock,count_bytes,nocache status=none | sha256sum"),
                      call);
        if (!succeeded(result)) return fail(describe(result));
        // "HEX  -", after any output of the shell's start-up files.
        constexpr std::string_view rest = "  -\n";
        constexpr std::size_t digits = 64;
        const auto& said = result.output;
        if (!said.ends_with(rest) || said.size() < digits + rest.size()) return fail(describe(result));
        return said.substr(said.size() - rest.size() - digits, digits);
    }

  private:
    Ssh* ssh_;
    std::string device_;
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
    if (!exists && path.string().starts_with("/dev/")) return fail("the device " + shown + " does not exist");
    if (is_block) {
        if (auto unused = check_disk_is_unused(major(info.st_rdev), minor(info.st_rdev), files); !unused) {
            return fail(unused.error());
        }
    }
    // O_EXCL without O_CREAT: the kernel refuses a block device that is in use.
    const int flags = is_block ? O_WRONLY | O_EXCL : O_WRONLY | O_CREAT;
    FileDescriptor file(::open(path.c_str(), flags | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file) return fail("cannot open " + shown + " for writing: " + system_text(errno));
    const auto end = ::lseek(file.get(), 0, SEEK_END);
    ::lseek(file.get(), 0, SEEK_SET);

    auto target = std::make_unique<LocalTarget>(std::move(file), path);
    target->name = shown;
    if (end > 0) target->capacity = static_cast<std::uint64_t>(end);
    return target;
}

Result<std::unique_ptr<ImageTarget>> open_remote_target(Ssh& ssh, const std::string& device) {
    const auto pipeline =
        "zstdcat -f | sudo dd of=" + shell_quote(device) + " bs=16M iflag=fullblock oflag=nocache conv=fsync,notrunc";
    auto running = ssh.start(pipeline_command(pipeline), Piped::input);
    if (!running) return fail("cannot write " + device + " on " + ssh.name() + ": " + describe(running.error()));
    auto target = std::make_unique<RemoteTarget>(ssh, device, std::move(*running));
    target->name = device + " on " + ssh.name();
    target->takes_compressed = true;
    return target;
}

}  // namespace trebuchet
