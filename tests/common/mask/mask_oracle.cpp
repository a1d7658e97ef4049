#include "tests/common/mask/mask_oracle.hpp"

#include "common/mask/secret_forms.hpp"

#include <algorithm>

namespace trebuchet::test {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::size_t MaskOracle::Entry::common(std::string_view text) const {
    std::size_t count = 0;
    const auto most = std::min(text.size(), bytes.size());
    while (count < most && (any_case ? lower(text[count]) : text[count]) == bytes[count]) ++count;
    return count;
}

MaskOracle::MaskOracle(const MaskSet& set, const std::vector<std::string>& values, std::size_t min_length) {
    std::vector<Entry> own;
    for (const auto& value : values) {
        if (core_of(value).empty() || value.size() < min_length) continue;
        own.push_back({value, std::string(set.mask(value).bytes()), false});
    }
    for (const auto& value : own) add(value);
    for (const auto& value : own) {
        for (const auto& form : derived_forms(value.bytes, min_length)) {
            add({std::string(form.bytes.reveal()), value.mask, form.any_case});
        }
    }
}

void MaskOracle::add(Entry entry) {
    const auto first = static_cast<unsigned char>(entry.bytes.front());
    if (entry.any_case && first >= 'a' && first <= 'z') entries_[first - 'a' + 'A'].push_back(entry);
    entries_[first].push_back(std::move(entry));
}

std::string MaskOracle::masked_until(std::string_view text, std::size_t until) const {
    std::string out;
    std::size_t covered = 0;
    for (std::size_t position = 0; position < until; ++position) {
        const Entry* longest = nullptr;
        const auto rest = text.substr(position);
        for (const auto& entry : entries_at(rest)) {
            if (entry.common(rest) < entry.bytes.size()) continue;
            const bool is_better =
                longest == nullptr || entry.bytes.size() > longest->bytes.size() ||
                (entry.bytes.size() == longest->bytes.size() && longest->any_case && !entry.any_case);
            if (is_better) longest = &entry;
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
        for (const auto& entry : entries_at(rest)) {
            if (entry.bytes.size() > rest.size() && entry.common(rest) == rest.size()) return rest.size();
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
