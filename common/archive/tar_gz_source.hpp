#pragma once

#include "common/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

namespace trebuchet {

/// An entry as the archive has it: nothing of it is to be trusted.
struct TarEntry {
    enum class Kind { file, folder, symbolic_link, hard_link, other };
    Kind kind = Kind::other;
    std::string path;
    std::string target;  ///< of a link
    mode_t mode = 0;     ///< permission bits, set-uid and so on included
    std::int64_t time = 0;
};

/// Reads a gzip-compressed tar from a file descriptor, one entry after the other.
class TarGzSource {
  public:
    /// Fails if it is no gzip-compressed tar. `fd` must stay open as long as this is used.
    static Result<TarGzSource> open(int fd);
    TarGzSource(TarGzSource&& other) noexcept;
    TarGzSource& operator=(TarGzSource&& other) noexcept;
    ~TarGzSource();

    /// Nothing at the end of the archive.
    [[nodiscard]] Result<std::optional<TarEntry>> next();
    /// The next bytes of the entry's content, a hole's as zeros; 0 at its end.
    [[nodiscard]] Result<std::size_t> read(char* buffer, std::size_t size);
    /// Bytes of the archive that were read so far.
    [[nodiscard]] std::uint64_t bytes_read() const;

  private:
    struct State;
    explicit TarGzSource(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace trebuchet
