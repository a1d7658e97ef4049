#include "tests/common/mask/mask_oracle.hpp"

#include "common/mask/secret_forms.hpp"

#include <algorithm>

namespace trebuchet::test {

MaskOracle::MaskOracle(const MaskSet& set, const std::vector<std::string>& values, std::size_t min_length) {
    for (const auto& value : values) {
        if (core_of(value).empty() || value.size() < min_length) continue;
        entries_.push_back({value, std::string(set.mask(value).bytes())});
    }
    const auto own = entries_.size();
    for (std::size_t i = 0; i < own; ++i) {
        for (const auto& form : derived_forms(entries_[i].bytes, min_length)) {
            entries_.push_back({std::string(form.reveal()), entries_[i].mask});
        }
    }
}

std::string MaskOracle::masked_until(std::string_view text, std::size_t until) const {
    std::string out;
    std::size_t covered = 0;
    for (std::size_t position = 0; position < until; ++position) {
        const Entry* longest = nullptr;
        for (const auto& entry : entries_) {
            if (!text.substr(position).starts_with(entry.bytes)) continue;
            if (longest == nullptr || entry.bytes.size() > longest->bytes.size()) longest = &entry;
        }
        if (longest != nullptr) {
            if (position >= covered) out += longest->mask;
            covered = std::max(covered, position + longest->bytes.size());
        } else if (position >= covered) {
            out += text[position];
        }
    }
    return out;
}

std::size_t MaskOracle::held(std::string_view text) const {
    for (std::size_t position = 0; position < text.size(); ++position) {
        const auto rest = text.substr(position);
        for (const auto& entry : entries_) {
            if (entry.bytes.size() > rest.size() && entry.bytes.starts_with(rest)) return rest.size();
        }
    }
    return 0;
}

std::string MaskOracle::certain(std::string_view text) const {
    return masked_until(text, text.size() - held(text));
}

std::string MaskOracle::masked(std::string_view text) const {
    return masked_until(text, text.size());
}

std::vector<NamedSecret> named(const std::vector<std::string>& values) {
    std::vector<NamedSecret> secrets;
    secrets.reserve(values.size());
    for (const auto& value : values) {
        secrets.push_back({"NAME_" + std::to_string(secrets.size() + 1), SecretString(value)});
    }
    return secrets;
}

}  // namespace trebuchet::test
