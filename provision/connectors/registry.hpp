#pragma once

#include "provision/connectors/connector.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// All types; CMakeLists.txt lists them.
[[nodiscard]] const std::vector<std::string>& connector_types();

/// Null for an unknown type.
[[nodiscard]] std::unique_ptr<Connector> make_connector(std::string_view type);

}  // namespace trebuchet
