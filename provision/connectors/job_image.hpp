#pragma once

#include "provision/connectors/key_spec.hpp"
#include "provision/image/image_target.hpp"
#include "provision/image/image_writer.hpp"
#include "provision/stages/stage.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// The image that a job wants on its device: `url` or `use_attachment` of provision_data, with `checksum` and `verify`.
class JobImage {
  public:
    /// What it reads of provision_data.
    [[nodiscard]] static std::vector<KeySpec> keys();
    /// Fails if the job names no image, or two.
    [[nodiscard]] static Result<JobImage> of(const JobFile& job);

    /// For people; no secrets.
    [[nodiscard]] const std::string& name() const { return name_; }

    [[nodiscard]] bool is_attached() const { return !attachment_.empty(); }

    /// A text that tells it from every other image: by its checksum, which is taken of an attachment without one.
    /// Nothing for a URL without one: what it stands for may change.
    [[nodiscard]] Result<std::optional<std::string>> identity(StageContext& context) const;

    using OpenTarget = std::function<Result<std::unique_ptr<ImageTarget>>()>;
    /// Writes it to what `open_target` opens, at most three times as long as another try may help, within `timeout` in
    /// all.
    [[nodiscard]] tl::expected<void, ImageError> write(
        const OpenTarget& open_target, StageContext& context,
        std::chrono::milliseconds timeout = std::chrono::minutes(90)) const;

  private:
    [[nodiscard]] tl::expected<void, ImageError> write_once(const OpenTarget& open_target, StageContext& context,
                                                            std::chrono::milliseconds timeout) const;

    std::string name_;
    std::filesystem::path attachment_;  ///< empty: a URL
    SecretString url_;
    std::optional<std::string> checksum_;
    bool verify_ = false;
};

}  // namespace trebuchet
