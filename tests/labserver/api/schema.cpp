#include "tests/labserver/api/schema.hpp"

#include "tests/labserver/net/url.hpp"
#include "tests/labserver/text/iso_time.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace trebuchet::labserver {
namespace {

Json wrong(std::string sentence) {
    return Json::array({std::move(sentence)});
}

bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
    text = trimmed(text);
    if (text.size() > 1 && text.front() == '+' && is_digit(text[1])) text.remove_prefix(1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<std::int64_t> as_integer(const Json& value) {
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
        return std::nullopt;
    }
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (value.is_number_float()) {
        const auto number = value.get<double>();
        if (std::isfinite(number) && std::abs(number) < 9.0e18) return static_cast<std::int64_t>(number);
        return std::nullopt;
    }
    if (value.is_string()) return parse_integer(value.get_ref<const std::string&>());
    return std::nullopt;
}

std::int64_t seconds_in(std::string_view unit) {
    for (const auto* name : {"s", "sec", "secs"}) {
        if (unit == name) return 1;
    }
    for (const auto* name : {"m", "min", "mins"}) {
        if (unit == name) return 60;
    }
    for (const auto* name : {"h", "hour", "hours"}) {
        if (unit == name) return 3600;
    }
    for (const auto* name : {"d", "day", "days"}) {
        if (unit == name) return 86400;
    }
    return 0;
}

Json check_known_field(const Field& field, Json& value) {
    if (value.is_null()) return field.null == Null::accepted ? Json() : wrong("Field may not be null.");
    return field.check(value);
}

}  // namespace

Check object(std::vector<Field> fields, Check whole) {
    return [fields = std::move(fields), whole = std::move(whole)](Json& value) {
        if (!value.is_object()) return Json{{"_schema", wrong("Invalid input type.")}};
        Json errors;
        for (const auto& field : fields) {
            const auto found = value.find(field.name);
            if (found == value.end()) {
                if (field.presence == Presence::required) {
                    errors[field.name] = wrong("Missing data for required field.");
                } else if (field.fallback) {
                    value[field.name] = *field.fallback;
                }
                continue;
            }
            auto error = check_known_field(field, *found);
            if (!error.is_null()) errors[field.name] = std::move(error);
        }
        for (const auto& [name, unused] : value.items()) {
            const auto is_it = [&known = name](const Field& field) { return field.name == known; };
            if (std::none_of(fields.begin(), fields.end(), is_it)) errors[name] = wrong("Unknown field.");
        }
        if (errors.is_null() && whole) {
            auto error = whole(value);
            if (!error.is_null()) errors["_schema"] = std::move(error);
        }
        return errors;
    };
}

Check mapping(Check key, Check value) {
    return [check_key = std::move(key), check_value = std::move(value)](Json& object) {
        if (!object.is_object()) return wrong("Not a valid mapping type.");
        Json errors;
        for (auto& [name, member] : object.items()) {
            Json as_key = name;
            auto key_error = check_key ? check_key(as_key) : Json();
            if (!key_error.is_null()) errors[name]["key"] = std::move(key_error);
            if (!check_value) continue;
            auto error = member.is_null() ? wrong("Field may not be null.") : check_value(member);
            if (!error.is_null()) errors[name]["value"] = std::move(error);
        }
        return errors;
    };
}

Check list_of(Check element, std::size_t min_length, std::size_t max_length) {
    return [check = std::move(element), min_length, max_length](Json& value) {
        if (!value.is_array()) return wrong("Not a valid list.");
        Json errors;
        for (std::size_t i = 0; i < value.size(); ++i) {
            auto error = value[i].is_null() ? wrong("Field may not be null.") : check(value[i]);
            if (!error.is_null()) errors[std::to_string(i)] = std::move(error);
        }
        if (!errors.is_null()) return errors;
        if (value.size() < min_length) return wrong("Shorter than minimum length " + std::to_string(min_length) + ".");
        if (value.size() > max_length) return wrong("Longer than maximum length " + std::to_string(max_length) + ".");
        return Json();
    };
}

Check text(std::size_t min_length) {
    return [min_length](Json& value) {
        if (!value.is_string()) return wrong("Not a valid string.");
        if (value.get_ref<const std::string&>().size() < min_length) {
            return wrong("Shorter than minimum length " + std::to_string(min_length) + ".");
        }
        return Json();
    };
}

Check text_matching(std::function<bool(std::string_view)> matches) {
    return [matches = std::move(matches)](Json& value) {
        if (!value.is_string()) return wrong("Not a valid string.");
        return matches(value.get_ref<const std::string&>()) ? Json() : wrong("String does not match expected pattern.");
    };
}

Check one_of(std::vector<std::string> choices) {
    return [choices = std::move(choices)](Json& value) {
        if (!value.is_string()) return wrong("Not a valid string.");
        if (std::find(choices.begin(), choices.end(), value.get_ref<const std::string&>()) != choices.end()) {
            return Json();
        }
        std::string sentence = "Must be one of: ";
        for (std::size_t i = 0; i < choices.size(); ++i) sentence += (i == 0 ? "" : ", ") + choices[i];
        return wrong(sentence + ".");
    };
}

Check url() {
    return [](Json& value) {
        if (!value.is_string()) return wrong("Not a valid string.");
        return is_url(value.get_ref<const std::string&>()) ? Json() : wrong("Not a valid URL.");
    };
}

Check email() {
    return [](Json& value) {
        if (!value.is_string()) return wrong("Not a valid string.");
        const auto& address = value.get_ref<const std::string&>();
        const auto at = address.find('@');
        const bool good = at != std::string::npos && at > 0 && address.find('.', at) != std::string::npos &&
                          std::none_of(address.begin(), address.end(), is_blank);
        return good ? Json() : wrong("Not a valid email address.");
    };
}

Check timestamp() {
    return [](Json& value) {
        const bool good = value.is_string() && parse_iso_time(value.get_ref<const std::string&>()).has_value();
        return good ? Json() : wrong("Not a valid datetime.");
    };
}

Check boolean() {
    return [](Json& value) {
        static const std::vector<Json> truths = {true, 1,    "1",  "t", "T", "true", "True", "TRUE",
                                                 "on", "On", "ON", "y", "Y", "yes",  "Yes",  "YES"};
        static const std::vector<Json> lies = {false, 0,     "0",   "f", "F", "false", "False", "FALSE",
                                               "off", "Off", "OFF", "n", "N", "no",    "No",    "NO"};
        const bool truth = std::find(truths.begin(), truths.end(), value) != truths.end();
        if (!truth && std::find(lies.begin(), lies.end(), value) == lies.end()) return wrong("Not a valid boolean.");
        value = truth;
        return Json();
    };
}

Check integer(std::int64_t minimum) {
    return [minimum](Json& value) {
        const auto number = as_integer(value);
        if (!number) return wrong("Not a valid integer.");
        if (*number < minimum) return wrong("Must be greater than or equal to " + std::to_string(minimum) + ".");
        value = *number;
        return Json();
    };
}

Check duration() {
    return [](Json& value) {
        std::optional<std::int64_t> seconds;
        if (value.is_number_integer()) seconds = as_integer(value);
        if (value.is_string()) seconds = parse_duration(value.get_ref<const std::string&>());
        if (!seconds || *seconds < 0) return wrong("Not a duration in seconds or of the form 2h30m.");
        value = *seconds;
        return Json();
    };
}

Check first_that_fits(std::vector<Check> choices, std::string error) {
    return [choices = std::move(choices), error = std::move(error)](Json& value) {
        for (const auto& choice : choices) {
            auto attempt = value;
            if (!choice(attempt).is_null()) continue;
            value = std::move(attempt);
            return Json();
        }
        return Json{{"_schema", wrong(error)}};
    };
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
    text = trimmed(text);
    if (const auto plain = parse_integer(text)) return *plain < 0 ? std::nullopt : plain;
    std::string compact;
    for (const char c : text) {
        if (!is_blank(c)) compact += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    std::int64_t total = 0;
    std::string_view rest = compact;
    while (!rest.empty()) {
        const auto digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
        const auto number = parse_integer(rest.substr(0, digits));
        rest.remove_prefix(digits);
        const auto unit_length = std::min(rest.find_first_of("0123456789"), rest.size());
        const auto unit = seconds_in(rest.substr(0, unit_length));
        rest.remove_prefix(unit_length);
        constexpr std::int64_t longest = 1'000'000'000'000;
        if (!number || unit == 0 || *number > longest / unit) return std::nullopt;
        total += *number * unit;
        if (total > longest) return std::nullopt;
    }
    return compact.empty() ? std::nullopt : std::optional(total);
}

}  // namespace trebuchet::labserver
