#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>

namespace trebuchet {

/// Sends a file to whoever connects, one client after the other, on its own thread from construction to destruction.
/// A client that takes nothing for 60 s is dropped. For devices that fetch their image by `nc`.
class ImageServer {
  public:
    [[nodiscard]] static Result<ImageServer> start(const std::filesystem::path& file);
    /// Ends at once, also in the middle of a file.
    ~ImageServer();
    ImageServer(ImageServer&& other) noexcept = default;
    ImageServer(const ImageServer&) = delete;
    ImageServer& operator=(const ImageServer&) = delete;
    ImageServer& operator=(ImageServer&&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }

  private:
    ImageServer(FileDescriptor stop, std::uint16_t port, std::thread thread)
        : stop_(std::move(stop)), port_(port), thread_(std::move(thread)) {}

    FileDescriptor stop_;
    std::uint16_t port_;
    std::thread thread_;
};

/// Our own address as seen from a host, in text. Fails without a route.
[[nodiscard]] Result<std::string> own_address_towards(const std::string& host);

}  // namespace trebuchet
