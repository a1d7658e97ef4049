#pragma once

#include "provision/connectors/connector.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// All types; CMakeLists.txt lists them.
[[nodiscard]] const std::vector<std::string>& connector_types();

/// The type of that name. Older names mean the same type: zapper_iot is control_host_iot, zapper_kvm control_host_kvm.
[[nodiscard]] std::string_view current_type(std::string_view name);

/// Null for an unknown type. Takes older names too.
[[nodiscard]] std::unique_ptr<Connector> make_connector(std::string_view type);

}  // namespace trebuchet
