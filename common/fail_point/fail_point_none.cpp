#include "common/fail_point/fail_point.hpp"

namespace trebuchet {

void fail_point(const char* /*name*/) noexcept {}

}  // namespace trebuchet
