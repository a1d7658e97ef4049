#pragma once

#include "common/secret/secret_string.hpp"

#include <string>

#include <tl/expected.hpp>

namespace trebuchet {

/// Why there is no value.
struct SecretProblem {
    enum class Kind {
        missing,      ///< the place exists in no source
        denied,       ///< the source, or the mode of a file, keeps it from the agent
        unreachable,  ///< the source does not answer, or answers what makes no sense
    };
    Kind kind = Kind::missing;
    std::string text;  ///< one clause for people; quotes no value
};

[[nodiscard]] constexpr const char* name_of(SecretProblem::Kind kind) {
    switch (kind) {
        case SecretProblem::Kind::missing:
            return "missing";
        case SecretProblem::Kind::denied:
            return "denied";
        case SecretProblem::Kind::unreachable:
            return "unreachable";
    }
    return "";
}

template <typename T>
using SecretResult = tl::expected<T, SecretProblem>;

}  // namespace trebuchet
