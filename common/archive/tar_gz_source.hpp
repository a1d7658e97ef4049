#pragma once

#include "common/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

namespace trebuchet {

/// An entry of an archive. Untrusted.
struct TarEntry {
    enum class Kind { file, folder, symbolic_link, hard_link, other };
    Kind kind = Kind::other;
    std::string path;
    std::string target;  ///< of a link
    mode_t mode = 0;     ///< permission bits, including set-uid
    std::int64_t time = 0;
};

/// Reads a gzip-compressed tar from a file descriptor, entry by entry.
class TarGzSource {
  public:
    /// Fails if the input is not a gzip-compressed tar. `fd` must outlive this object.
    static Result<TarGzSource> open(int fd);
    TarGzSource(TarGzSource&& other) noexcept;
    TarGzSource& operator=(TarGzSource&& other) noexcept;
    ~TarGzSource();

    /// nullopt at the end of the archive.
    [[nodiscard]] Result<std::optional<TarEntry>> next();
    /// Reads the entry's content, holes as zeros; 0 at its end.
    [[nodiscard]] Result<std::size_t> read(char* buffer, std::size_t size);
    /// Compressed bytes read so far.
    [[nodiscard]] std::uint64_t bytes_read() const;

  private:
    struct State;
    explicit TarGzSource(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace trebuchet
