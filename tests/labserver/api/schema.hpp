#pragma once

#include "tests/labserver/text/json_text.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet::labserver {

/// Checks one value and converts it to its stored form: "5" becomes 5 where a number is expected, as on the real
/// server. Returns null if the value is valid, else the errors: a list of sentences, or an object that maps fields or
/// indexes to them. Rules and wording are those of marshmallow, which the real server uses.
using Check = std::function<Json(Json& value)>;

enum class Presence { optional, required };
enum class Null { refused, accepted };

struct Field {
    std::string name;
    Check check;
    Presence presence = Presence::optional;
    Null null = Null::refused;
    std::optional<Json> fallback = std::nullopt;  ///< the value of a missing field
};

/// An object with these fields and no others. `whole` checks the object once every field is valid.
[[nodiscard]] Check object(std::vector<Field> fields, Check whole = {});

/// An object with any fields.
[[nodiscard]] Check mapping(Check key = {}, Check value = {});
[[nodiscard]] Check list_of(Check element, std::size_t min_length = 0,
                            std::size_t max_length = static_cast<std::size_t>(-1));
[[nodiscard]] Check text(std::size_t min_length = 0);
[[nodiscard]] Check text_matching(std::function<bool(std::string_view)> matches);
[[nodiscard]] Check one_of(std::vector<std::string> choices);
[[nodiscard]] Check url();
[[nodiscard]] Check email();
[[nodiscard]] Check timestamp();
[[nodiscard]] Check boolean();
[[nodiscard]] Check integer(std::int64_t minimum = INT64_MIN);

/// Seconds as a number, or "90", "2h30m", "1 day"; stored as seconds.
[[nodiscard]] Check duration();

/// Accepts what one of the choices accepts, and stores it in the form of the first that does.
[[nodiscard]] Check first_that_fits(std::vector<Check> choices, std::string error);

/// Parses what duration() accepts, as seconds. Returns nullopt if the text is not a duration.
[[nodiscard]] std::optional<std::int64_t> parse_duration(std::string_view text);

}  // namespace trebuchet::labserver
