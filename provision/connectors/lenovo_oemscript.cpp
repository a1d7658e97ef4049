#include "provision/connectors/oem_script.hpp"

namespace trebuchet {

std::unique_ptr<Connector> make_lenovo_oemscript() {
    return make_oem_script_connector(OemRecoveryKind::ubuntu);
}

}  // namespace trebuchet
