#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace trebuchet {

/// What went wrong, as one sentence for a person: where, what was found, what was expected, what to do.
/// Never holds a secret: whoever makes an Error from foreign text masks or leaves out what it quotes.
class Error {
  public:
    explicit Error(std::string message) : message_(std::move(message)) {}

    [[nodiscard]] const std::string& message() const { return message_; }

    /// Puts `where` in front: "where: message".
    [[nodiscard]] Error with_context(std::string_view where) const {
        return Error(std::string(where) + ": " + message_);
    }

  private:
    std::string message_;
};

/// For what can happen to a correct program. Bugs are exceptions; adapters turn what libraries throw into Errors.
template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(std::string message) {
    return tl::unexpected<Error>(Error(std::move(message)));
}

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace trebuchet
