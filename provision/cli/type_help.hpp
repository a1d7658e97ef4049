#pragma once

#include <string>
#include <string_view>

namespace trebuchet {

/// The help page for `TYPE --help`: the keys that this type reads from its configuration and from the job. `type` must
/// be one of connector_types().
[[nodiscard]] std::string type_help(std::string_view type);

}  // namespace trebuchet
