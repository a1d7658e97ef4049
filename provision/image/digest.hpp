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
    /// Of all that came so far, in lower-case hex. Nothing may come after it.
    [[nodiscard]] std::string hex();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trebuchet
