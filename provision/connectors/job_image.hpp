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

/// The image to provision: `url` or `use_attachment` of provision_data. What is checked of it, the first of these that
/// there is:
///
///     provision_data  checksum, verify
///     url             a fragment: #sha256=HEX, #sha512=HEX, #checksum=URL, #verify, or several with & between
///     default.yaml    image_checksum, image_verify
///
/// A checksum may be the URL of a list such as SHA256SUMS; in `image_checksum` also a name, of a list beside the image.
class JobImage {
  public:
    /// The keys of provision_data that it reads.
    [[nodiscard]] static std::vector<KeySpec> keys();
    [[nodiscard]] static std::vector<KeySpec> config_keys();
    /// Fails if the job names no image or two, or if its checksum cannot be one.
    [[nodiscard]] static Result<JobImage> of(const JobFile& job, const ConnectorConfig& config);

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
    [[nodiscard]] Result<void> take_fragment();
    /// Downloads the list of checksums, if it is one.
    [[nodiscard]] Result<std::optional<Checksum>> checksum(CommandRunner& commands) const;
    [[nodiscard]] tl::expected<void, ImageError> write_once(const OpenTarget& open_target, StageContext& context,
                                                            std::chrono::milliseconds timeout,
                                                            std::optional<Checksum>& expected) const;

    std::string name_;
    std::filesystem::path attachment_;  ///< empty: a URL
    SecretString url_;
    std::string file_name_;                ///< for a list of checksums
    std::optional<std::string> checksum_;  ///< or where it is to be found
    bool verify_ = false;
};

}  // namespace trebuchet
