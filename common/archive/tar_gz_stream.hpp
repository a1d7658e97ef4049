#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace trebuchet {

/// Writes a gzip-compressed tar to a descriptor, entry by entry. Paths and targets may contain any bytes. Uses only
/// permissions and modification time of `info`. After an Error nothing more can be written.
class TarGzStream {
  public:
    /// `fd` is not owned.
    [[nodiscard]] static Result<TarGzStream> open(int fd);
    ~TarGzStream();
    TarGzStream(TarGzStream&&) noexcept;
    TarGzStream& operator=(TarGzStream&&) noexcept;

    [[nodiscard]] Result<void> add_folder(const std::string& path, const struct ::stat& info);
    [[nodiscard]] Result<void> add_link(const std::string& path, const std::string& target, const struct ::stat& info);
    /// Begins a file of exactly `size` bytes: write() drops further bytes, end_file() pads with zeros.
    [[nodiscard]] Result<void> begin_file(const std::string& path, std::uint64_t size, const struct ::stat& info);
    [[nodiscard]] Result<void> write(std::string_view bytes);
    [[nodiscard]] Result<void> end_file();

    /// Completes the archive and flushes it to the descriptor.
    [[nodiscard]] Result<void> close();

  private:
    struct State;
    explicit TarGzStream(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace trebuchet
