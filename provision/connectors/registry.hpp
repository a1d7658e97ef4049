#pragma once

#include "provision/connectors/connector.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// The types that the command line takes, as CMakeLists.txt lists them.
[[nodiscard]] const std::vector<std::string>& connector_types();

/// Null if there is no such type.
[[nodiscard]] std::unique_ptr<Connector> make_connector(std::string_view type);

}  // namespace trebuchet
