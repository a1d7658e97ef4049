#include "agent/job/mask_report.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <cctype>

namespace trebuchet {
namespace {

constexpr std::size_t most_lines = 200;

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_-. ").find(c) != std::string_view::npos;
}

/// The name of a secret is a key in the job document, so it may be any text.
std::string shown(const std::string& name) {
    const bool is_plain = name.size() <= 80 && std::all_of(name.begin(), name.end(), is_word);
    return is_plain ? name : quoted(std::string_view(name));
}

}  // namespace

std::shared_ptr<MaskCounts> MaskReport::at(std::string_view place) {
    for (const auto& [known, counts] : places_) {
        if (known == place) return counts;
    }
    return places_.emplace_back(place, std::make_shared<MaskCounts>()).second;
}

bool MaskReport::empty() const {
    return std::all_of(places_.begin(), places_.end(), [](const Place& place) { return place.second->empty(); });
}

std::string MaskReport::text() const {
    std::string lines;
    std::size_t count = 0;
    for (const auto& [place, counts] : places_) {
        for (const auto& [key, times] : counts->sorted()) {
            if (++count > most_lines) continue;
            lines += place + ": " + shown(key.name) + " (" + std::string(name_of(key.form)) +
                     "): " + std::to_string(times) + (times == 1 ? " time\n" : " times\n");
        }
    }
    if (count > most_lines) lines += "and " + std::to_string(count - most_lines) + " more\n";
    return lines;
}

}  // namespace trebuchet
