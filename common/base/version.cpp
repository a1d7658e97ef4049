#include "common/base/version.hpp"

namespace trebuchet {

const char* const version = TREBUCHET_VERSION;

}  // namespace trebuchet
