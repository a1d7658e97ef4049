#pragma once

#include "tests/labserver/text/json_text.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet::labserver {

/// Checks one value and puts it into the form that is stored ("5" becomes 5 where a number is expected, as on the real
/// server). Returns null if it is good, else what is wrong: a list of sentences, or an object of those by field or
/// index. Rules and wording are those of marshmallow, which the real server uses.
using Check = std::function<Json(Json& value)>;

enum class Presence { optional, required };
enum class Null { refused, accepted };

struct Field {
    std::string name;
    Check check;
    Presence presence = Presence::optional;
    Null null = Null::refused;
    std::optional<Json> fallback = std::nullopt;  ///< put there when the field is missing
};

/// An object with these fields and no others. `whole` looks at it when every field is good.
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

/// The first that accepts the value decides its form.
[[nodiscard]] Check first_that_fits(std::vector<Check> choices, std::string error);

/// The seconds that a duration() accepts; nullopt if it is none.
[[nodiscard]] std::optional<std::int64_t> parse_duration(std::string_view text);

}  // namespace trebuchet::labserver
