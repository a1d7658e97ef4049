#pragma once

#include "common/mask/secret_forms.hpp"

#include <cstddef>
#include <string_view>
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
