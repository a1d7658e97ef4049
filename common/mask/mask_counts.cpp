#include "common/mask/mask_counts.hpp"

namespace trebuchet {

void MaskCounts::add(std::string_view name, Form form, std::uint64_t times) {
    struct {
        std::string_view name;
        Form form;
    } const key{name, form};
    auto place = counts_.lower_bound(key);
    if (place == counts_.end() || Less()(key, place->first)) {
        place = counts_.emplace_hint(place, Key{std::string(name), form}, 0);
    }
    place->second += times;
}

void MaskCounts::merge(const MaskCounts& other) {
    for (const auto& [key, times] : other.counts_) add(key.name, key.form, times);
}

std::uint64_t MaskCounts::total() const {
    std::uint64_t sum = 0;
    for (const auto& [key, times] : counts_) sum += times;
    return sum;
}

std::string MaskCounts::credential_name(CredentialKind kind) {
    return std::string("well-known credential ").append(name_of(kind));
}

}  // namespace trebuchet
