#include "provision/connectors/registry.hpp"

namespace trebuchet {

#define CONNECTOR(type) std::unique_ptr<Connector> make_##type();
#include "connectors.inc"
#undef CONNECTOR

const std::vector<std::string>& connector_types() {
    static const std::vector<std::string> types{
#define CONNECTOR(type) #type,
#include "connectors.inc"
#undef CONNECTOR
    };
    return types;
}

std::string_view current_type(std::string_view name) {
    if (name == "zapper_iot") return "control_host_iot";
    if (name == "zapper_kvm") return "control_host_kvm";
    return name;
}

std::unique_ptr<Connector> make_connector(std::string_view name_given) {
    const auto type = current_type(name_given);
#define CONNECTOR(name) \
    if (type == #name) return make_##name();
#include "connectors.inc"
#undef CONNECTOR
    return nullptr;
}

}  // namespace trebuchet
