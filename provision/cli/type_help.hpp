#pragma once

#include <string>
#include <string_view>

namespace trebuchet {

/// What a type of connector reads from its configuration and from the job, as a page. `type` is one of
/// connector_types().
[[nodiscard]] std::string type_help(std::string_view type);

}  // namespace trebuchet
