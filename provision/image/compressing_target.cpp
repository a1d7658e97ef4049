#include "provision/image/compressing_target.hpp"

namespace trebuchet {
namespace {

class CompressingTarget final : public ImageTarget {
  public:
    explicit CompressingTarget(std::unique_ptr<RunningCommand> xz) : xz_(std::move(xz)), pipe_(xz_->take_pipe()) {}

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
    [[nodiscard]] Result<std::string> read_back(std::uint64_t /*size*/,
                                                const std::function<bool()>& /*go_on*/) override {
        return fail("an image that is sent to the device cannot be read back");
    }

  private:
    std::unique_ptr<RunningCommand> xz_;
    FileDescriptor pipe_;
};

}  // namespace

Result<std::unique_ptr<ImageTarget>> open_compressing_target(const std::filesystem::path& file,
                                                             CommandRunner& commands) {
    Command xz;
    xz.argv = {"/bin/sh", "-c", "exec xz -T0 -1 -c >\"$1\"", "sh", file.string()};
    auto running = commands.start(xz, Piped::input);
    if (!running) return fail("cannot start xz: " + describe(running.error()));
    auto target = std::make_unique<CompressingTarget>(std::move(*running));
    target->name = file.string();
    return target;
}

}  // namespace trebuchet
