#pragma once

#include "tests/labserver/api/router.hpp"
#include "tests/labserver/control/recorder.hpp"
#include "tests/labserver/faults/faults.hpp"

namespace trebuchet::labserver {

// Each function adds its part of the control API, which answers this machine only. The other arguments must outlive
// the router.

/// /control
void add_control_routes(Router& router, State& state, Recorder& recorder);
/// /control/faults
void add_fault_routes(Router& router, Faults& faults);

}  // namespace trebuchet::labserver
