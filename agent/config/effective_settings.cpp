#include "agent/config/effective_settings.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace trebuchet {

EffectiveSetting& EffectiveSettings::at(const std::string& key) {
    const auto [place, is_new] = places_.try_emplace(key, settings_.size());
    if (is_new) settings_.push_back({key, "", "default", false});
    return settings_[place->second];
}

void EffectiveSettings::asked_for(const std::string& key, const std::string& place) {
    auto& setting = at(key);
    if (!place.empty()) setting.source = place;
}

void EffectiveSettings::set_value(const std::string& key, std::string value) {
    auto& setting = at(key);
    setting.value = std::move(value);
    setting.is_value_known = true;
}

void EffectiveSettings::set(const std::string& key, std::string value, std::string source) {
    set_value(key, std::move(value));
    at(key).source = std::move(source);
}

std::string shown_value(std::string_view text) {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    const bool is_plain = !text.empty() && text.front() != ' ' && text.back() != ' ' &&
                          std::none_of(text.begin(), text.end(), is_control);
    return is_plain ? std::string(text) : quoted(text, std::numeric_limits<std::size_t>::max());
}

std::string shown_list(const std::vector<std::string>& items) {
    std::string text;
    for (const auto& item : items) text += (text.empty() ? "" : ", ") + shown_value(item);
    return "[" + text + "]";
}

std::string shown_map(const std::map<std::string, std::string>& entries) {
    std::string text;
    for (const auto& [key, value] : entries) {
        text += (text.empty() ? "" : ", ") + shown_value(key) + ": " + shown_value(value);
    }
    return "{" + text + "}";
}

}  // namespace trebuchet
