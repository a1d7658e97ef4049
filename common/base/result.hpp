#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace trebuchet {

/// An error message for a person, one sentence: where, what was found, what was expected, what to do. Contains no
/// secrets: mask or omit foreign text before quoting it.
class Error {
  public:
    explicit Error(std::string message, bool is_final = false) : message_(std::move(message)), is_final_(is_final) {}

    [[nodiscard]] const std::string& message() const { return message_; }

    /// A retry cannot help, for example because the server refused the request.
    [[nodiscard]] bool is_final() const { return is_final_; }

    /// Puts `where` in front: "where: message".
    [[nodiscard]] Error with_context(std::string_view where) const {
        return Error(std::string(where) + ": " + message_, is_final_);
    }

  private:
    std::string message_;
    bool is_final_ = false;
};

/// For failures that can happen to a correct program. Bugs are exceptions; adapters convert exceptions of libraries to
/// Errors.
template <typename T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(std::string message) {
    return tl::unexpected<Error>(Error(std::move(message)));
}

[[nodiscard]] inline tl::unexpected<Error> fail(Error error) {
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace trebuchet
