#include "common/mask/form_list.hpp"

namespace trebuchet {

void add_escapes(FormList& forms, std::string_view text) {
    add_json_escapes(forms, text);
}

}  // namespace trebuchet
