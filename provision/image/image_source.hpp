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

/// A stream of an image's bytes, read once.
class ImageSource {
  public:
    virtual ~ImageSource() = default;
    [[nodiscard]] virtual int fd() const = 0;
    /// Call this after the end of the stream: fails if the stream is incomplete. The Error is final if a retry cannot
    /// help.
    [[nodiscard]] virtual Result<void> finish() = 0;
    /// Ends the stream soon, even if it is waiting for data.
    virtual void stop() = 0;

    std::string name;                   ///< for messages; contains no secrets
    std::string file_name;              ///< the last part of the path
    std::optional<std::uint64_t> size;  ///< bytes of the stream, if known
    bool may_differ = false;            ///< a retry may read different bytes, as of a download
};

[[nodiscard]] Result<std::unique_ptr<ImageSource>> open_image_file(const std::filesystem::path& file);

/// Downloads (http, https, ftp, ftps, file) with the system's curl, which supports redirects, proxies and the system's
/// CAs; our own HTTP client does not follow redirects. curl gets the URL on its stdin, because it may contain
/// credentials. No retries here, because the caller has already written the first bytes.
[[nodiscard]] Result<std::unique_ptr<ImageSource>> open_image_url(const SecretString& url, CommandRunner& commands);

/// A small text, such as a list of checksums. Fails if it is longer than `limit` bytes.
[[nodiscard]] Result<std::string> download_text(const std::string& url, std::size_t limit, CommandRunner& commands);

/// The path of attachment `name` of the provision phase. Fails if the path would leave `folder`.
[[nodiscard]] Result<std::filesystem::path> attachment_path(const std::string& name,
                                                            const std::filesystem::path& folder = "attachments");

}  // namespace trebuchet
