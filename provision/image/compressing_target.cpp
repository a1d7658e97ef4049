#include "provision/image/compressing_target.hpp"

namespace trebuchet {
namespace {

constexpr auto read_back_time = std::chrono::minutes(30);

class CompressingTarget final : public ImageTarget {
  public:
    CompressingTarget(std::unique_ptr<RunningCommand> xz, std::filesystem::path file, CommandRunner& commands)
        : xz_(std::move(xz)), pipe_(xz_->take_pipe()), file_(std::move(file)), commands_(&commands) {}

    [[nodiscard]] int fd() const override { return pipe_.get(); }
    [[nodiscard]] Result<void> close() override {
        pipe_ = FileDescriptor();
        return {};
    }
    [[nodiscard]] bool wait_for(std::chrono::milliseconds time) override { return xz_->wait_for(time); }
    [[nodiscard]] Result<void> finish() override {
        const auto result = xz_->stop();
        if (succeeded(result)) return {};
        return fail("cannot compress the image into " + name + ": xz: " + describe(result));
    }
    [[nodiscard]] Result<std::string> read_back(std::uint64_t size, const std::function<bool()>& go_on) override {
        if (!go_on()) return fail("stopped before " + name + " was read back");
        Command sum;
        sum.argv = {"/bin/sh", "-c",           "xz -dc -- \"$1\" | head -c \"$2\" | sha256sum",
                    "sh",      file_.string(), std::to_string(size)};
        sum.timeout = read_back_time;
        sum.capture_output = true;
        const auto result = commands_->run(sum);
        if (!succeeded(result)) return fail("cannot read back " + name + ": " + describe(result));
        return result.output.substr(0, result.output.find(' '));
    }

  private:
    std::unique_ptr<RunningCommand> xz_;
    FileDescriptor pipe_;
    std::filesystem::path file_;
    CommandRunner* commands_;
};

}  // namespace

Result<std::unique_ptr<ImageTarget>> open_compressing_target(const std::filesystem::path& file,
                                                             CommandRunner& commands) {
    Command xz;
    xz.argv = {"/bin/sh", "-c", "exec xz -T0 -1 -c >\"$1\"", "sh", file.string()};
    auto running = commands.start(xz, Piped::input);
    if (!running) return fail("cannot start xz: " + describe(running.error()));
    auto target = std::make_unique<CompressingTarget>(std::move(*running), file, commands);
    target->name = file.string();
    return target;
}

}  // namespace trebuchet
