#include "common/secret/secret_json.hpp"

#include "common/secret/secret_json_reading.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>

namespace trebuchet {
namespace {

std::string place(std::string_view text, std::size_t byte) {
    const auto before = text.substr(0, byte == 0 ? 0 : byte - 1);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const auto line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return std::to_string(lines + 1) + ":" + std::to_string(before.size() - line_start + 1);
}

/// Follows the parser through a document.
class KeyTrail {
  public:
    explicit KeyTrail(SecretJsonReading& reading) : reading_(reading) {}

    /// `depth`: how many objects and lists are open.
    void take(int depth, SecretJson::parse_event_t event, const SecretJson& parsed) {
        const auto level = static_cast<std::size_t>(depth);
        if (event == SecretJson::parse_event_t::object_start || event == SecretJson::parse_event_t::array_start) {
            keys_.resize(level + 1);
            seen_.resize(level + 1);
            keys_[level].clear();
            seen_[level].clear();
        } else if (event == SecretJson::parse_event_t::key) {
            keys_.resize(level);
            keys_.back() = parsed.get_ref<const WipedString&>();
            if (!seen_[level - 1].insert(keys_.back()).second) reading_.has_duplicate_keys = true;
        } else if (event == SecretJson::parse_event_t::value && reading_.on_value) {
            keys_.resize(level);
            reading_.on_value(keys_, parsed);
        }
    }

  private:
    SecretJsonReading& reading_;
    std::vector<WipedString> keys_;
    std::vector<std::set<WipedString>> seen_;  ///< the keys of each open object
};

}  // namespace

Result<SecretJson> parse_secret_json(std::string_view text, const std::string& name) {
    SecretJsonReading reading;
    return parse_secret_json(text, name, reading);
}

Result<SecretJson> parse_secret_json(std::string_view text, const std::string& name, SecretJsonReading& reading) {
    // The library stops at NUL, but other readers would see what follows.
    if (text.find('\0') != std::string_view::npos) return fail(name + ": this is not JSON: it holds a NUL byte");
    bool too_deep = false;
    KeyTrail trail(reading);
    const auto within_limit = [&](int depth, SecretJson::parse_event_t event, SecretJson& parsed) {
        too_deep = too_deep || depth > secret_json_depth_limit;
        if (!too_deep) trail.take(depth, event, parsed);
        return !too_deep;
    };
    const auto refusal = [&](const std::string& otherwise) {
        return fail(too_deep
                        ? name + ": is nested more than " + std::to_string(secret_json_depth_limit) + " levels deep"
                        : otherwise);
    };
    try {
        auto parsed = SecretJson::parse(text.begin(), text.end(), within_limit);
        if (too_deep) return refusal("");
        return parsed;
    } catch (const SecretJson::parse_error& error) {
        return refusal(name + ":" + place(text, error.byte) + ": this is not JSON");
    } catch (const SecretJson::exception& error) {
        return refusal(name + ": cannot be read as JSON: error " + std::to_string(error.id));
    }
}

std::string_view kind_of(const SecretJson& value) {
    switch (value.type()) {
        case SecretJson::value_t::null:
            return "null";
        case SecretJson::value_t::object:
            return "an object";
        case SecretJson::value_t::array:
            return "a list";
        case SecretJson::value_t::string:
            return "a string";
        case SecretJson::value_t::boolean:
            return "true or false";
        default:
            return "a number";
    }
}

}  // namespace trebuchet
