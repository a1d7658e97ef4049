#include "provision/connectors/oem_script.hpp"

namespace trebuchet {

std::unique_ptr<Connector> make_dell_oemscript() {
    return make_oem_script_connector(OemRecoveryKind::dell);
}

}  // namespace trebuchet
