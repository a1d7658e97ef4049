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
    explicit Error(std::string message, bool is_final = false) : message_(std::move(message)), is_final_(is_final) {}

    [[nodiscard]] const std::string& message() const { return message_; }

    /// Trying the same again will not help, such as after a refusal of what was sent.
    [[nodiscard]] bool is_final() const { return is_final_; }

    /// Puts `where` in front: "where: message".
    [[nodiscard]] Error with_context(std::string_view where) const {
        return Error(std::string(where) + ": " + message_, is_final_);
    }

  private:
    std::string message_;
    bool is_final_ = false;
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
