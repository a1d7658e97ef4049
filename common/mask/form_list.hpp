#pragma once

#include "common/mask/secret_forms.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace trebuchet {

/// Collects the forms of a value, each once.
class FormList {
  public:
    /// Ignores the value itself and forms shorter than `min_length` bytes.
    FormList(std::string_view value, std::size_t min_length) : value_(value), min_length_(min_length) {}

    void add(Form form, std::string_view bytes);
    /// For a form whose letters may be in either case; `bytes` has them in lower case.
    void add_any_case(Form form, std::string_view bytes);

    [[nodiscard]] std::size_t min_length() const { return min_length_; }
    [[nodiscard]] std::vector<DerivedForm> take() { return std::move(forms_); }

  private:
    void add(Form form, std::string_view bytes, bool any_case);

    std::string_view value_;
    std::size_t min_length_;
    std::vector<DerivedForm> forms_;
    /// Hash of a form → index of its last form with that hash; the forms before it: see same_hash_.
    std::unordered_map<std::size_t, std::size_t, std::hash<std::size_t>, std::equal_to<>,
                       WipingAllocator<std::pair<const std::size_t, std::size_t>>>
        by_hash_;
    /// For each form: the form before it with the same hash, or none.
    std::vector<std::size_t> same_hash_;
    static constexpr std::size_t none = SIZE_MAX;
};

/// Base64, hex and percent-encoding.
void add_encodings(FormList& forms, std::string_view text);

/// JSON, entities, shell quoting, Python, C, and doubled characters.
void add_escapes(FormList& forms, std::string_view text);

/// The most frequent escapes of JSON and XML, for values with many lines.
void add_common_escapes(FormList& forms, std::string_view text);

void add_json_escapes(FormList& forms, std::string_view text);
void add_entities(FormList& forms, std::string_view text);
[[nodiscard]] WipedString xml_escaped(std::string_view text);
void add_shell_quoting(FormList& forms, std::string_view text);

}  // namespace trebuchet
