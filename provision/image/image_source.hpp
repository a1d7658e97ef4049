#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"
#include "provision/process/command.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace trebuchet {

/// Where an image's bytes come from: one stream, read once.
class ImageSource {
  public:
    virtual ~ImageSource() = default;
    [[nodiscard]] virtual int fd() const = 0;
    /// After the stream's end: whether that was the image's end. An Error is final where another try would not help.
    [[nodiscard]] virtual Result<void> finish() = 0;
    /// The stream ends soon, whatever it waits for.
    virtual void stop() = 0;

    std::string name;                   ///< for people; no secrets
    std::string file_name;              ///< the last part of the path
    std::optional<std::uint64_t> size;  ///< of the stream, where known
    bool may_differ = false;            ///< read again, it may have other bytes: a download
};

[[nodiscard]] Result<std::unique_ptr<ImageSource>> open_image_file(const std::filesystem::path& file);

/// A download (http, https, file) by the system's curl, which follows redirects, knows proxies and authorities, and
/// lets us do something else meanwhile; our own HTTP client follows no redirects to mirrors. It gets the URL, which may
/// hold credentials, on its stdin. Not tried again here: what was read can't be taken back.
[[nodiscard]] Result<std::unique_ptr<ImageSource>> open_image_url(const SecretString& url, CommandRunner& commands);

/// The attachment `name` of the job's provision phase, below `folder`. Fails if it would lie elsewhere.
[[nodiscard]] Result<std::filesystem::path> attachment_path(const std::string& name,
                                                            const std::filesystem::path& folder = "attachments");

}  // namespace trebuchet
