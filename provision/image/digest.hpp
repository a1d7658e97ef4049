#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace trebuchet {

enum class DigestKind { sha256, sha512 };

class Digest {
  public:
    explicit Digest(DigestKind kind);
    Digest(Digest&& other) noexcept;
    Digest& operator=(Digest&& other) noexcept;
    ~Digest();

    void update(const void* data, std::size_t size);
    /// The digest in lower-case hex. Call this last.
    [[nodiscard]] std::string hex();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trebuchet
