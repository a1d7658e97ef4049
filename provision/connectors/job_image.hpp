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

/// The image to provision: `url` or `use_attachment` of provision_data, with `checksum` and `verify`.
class JobImage {
  public:
    /// The keys of provision_data that it reads.
    [[nodiscard]] static std::vector<KeySpec> keys();
    /// Fails if the job names no image or two.
    [[nodiscard]] static Result<JobImage> of(const JobFile& job);

    /// For messages; contains no secrets.
    [[nodiscard]] const std::string& name() const { return name_; }

    [[nodiscard]] bool is_attached() const { return !attachment_.empty(); }

    /// A text that identifies the image's content: its checksum. Computed for an attachment without a checksum. nullopt
    /// for a URL without a checksum, as its content may change.
    [[nodiscard]] Result<std::optional<std::string>> identity(StageContext& context) const;

    using OpenTarget = std::function<Result<std::unique_ptr<ImageTarget>>()>;
    /// Writes the image to the target. Up to three tries, each with a new target; `timeout` limits their total time.
    /// Does not retry errors that a retry cannot fix.
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
