#include "common/archive/masked_names.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace trebuchet {
namespace {

/// Limit of file systems, minus space for a number.
constexpr std::size_t longest_name = 255 - 20;

std::string masked(const std::string& text, const MaskSet& masks) {
    return std::string(masks.mask(text).bytes());
}

}  // namespace

std::vector<std::pair<std::string, std::string>> masked_names(std::vector<std::string> names, const std::string& parent,
                                                              const MaskSet& masks, MaskCounts* counts) {
    std::sort(names.begin(), names.end());
    const std::string before = parent.empty() ? "" : parent + "/";
    // If a mask in `parent` itself contains a very short secret, matches across the slash cannot be recognised.
    const bool can_span = masked(before, masks) == before;
    std::vector<std::pair<std::string, std::string>> pairs;
    pairs.reserve(names.size());
    bool are_changed = false;
    for (auto& name : names) {
        std::string archived(masks.mask(name, counts).bytes());
        if (can_span && masked(before + name, masks) != before + archived) archived = "masked";
        are_changed = are_changed || archived != name;
        pairs.emplace_back(std::move(name), std::move(archived));
    }
    if (!are_changed) return pairs;  // saves a copy of up to a hundred thousand names
    std::set<std::string> taken;
    for (const auto& [name, archived] : pairs) {
        if (archived == name) taken.insert(name);
    }
    std::map<std::string, std::size_t> last_number;
    for (auto& [name, archived] : pairs) {
        if (name == archived) continue;
        if (archived.size() > longest_name) archived.resize(longest_name);
        const auto base = archived;
        auto& number = last_number[base];
        while (!taken.insert(archived).second) archived = base + "." + std::to_string(++number);
    }
    return pairs;
}

std::string note_name(const std::string& archived, const std::set<std::string>& taken, const MaskSet& masks) {
    const std::string ending = ".withheld.txt";
    auto base = masked(archived.substr(0, longest_name - ending.size()) + ending, masks);
    if (base.size() > longest_name) base.resize(longest_name);
    auto name = base;
    for (std::size_t number = 1; taken.count(name) > 0; ++number) name = base + "." + std::to_string(number);
    return name;
}

bool stays_inside(const std::string& target, std::size_t depth) {
    if (target.empty() || target.front() == '/') return false;
    bool went_down = false;
    for (std::string_view rest = target; !rest.empty();) {
        const auto part = rest.substr(0, rest.find('/'));
        rest.remove_prefix(std::min(rest.size(), part.size() + 1));
        if (part.empty() || part == ".") continue;
        if (part != "..") {
            went_down = true;
        } else if (went_down || depth == 0) {
            return false;
        } else {
            --depth;
        }
    }
    return true;
}

}  // namespace trebuchet
