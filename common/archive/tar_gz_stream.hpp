#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace trebuchet {

/// One gzip-compressed tar archive being written to a descriptor, entry by entry. Paths and targets are any bytes.
/// Of `info` only the permissions and the time of change count. After an Error nothing more can be written.
class TarGzStream {
  public:
    /// `fd` is not owned.
    [[nodiscard]] static Result<TarGzStream> open(int fd);
    ~TarGzStream();
    TarGzStream(TarGzStream&&) noexcept;
    TarGzStream& operator=(TarGzStream&&) noexcept;

    [[nodiscard]] Result<void> add_folder(const std::string& path, const struct ::stat& info);
    [[nodiscard]] Result<void> add_link(const std::string& path, const std::string& target, const struct ::stat& info);
    /// A file of exactly `size` bytes: write() cuts what is more, end_file() fills up with zeros.
    [[nodiscard]] Result<void> begin_file(const std::string& path, std::uint64_t size, const struct ::stat& info);
    [[nodiscard]] Result<void> write(std::string_view bytes);
    [[nodiscard]] Result<void> end_file();

    /// Ends the archive and hands everything to the descriptor.
    [[nodiscard]] Result<void> close();

  private:
    struct State;
    explicit TarGzStream(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace trebuchet
