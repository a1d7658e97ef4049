#include "tests/labserver/api/api.hpp"
#include "tests/labserver/control/control_api.hpp"

namespace trebuchet::labserver {
namespace {

Response add(Faults& faults, const Call& call) {
    auto fault = fault_from(call.body);
    if (!fault) return problem(422, fault.error().message());
    faults.add(std::move(*fault));
    return json_answer(faults.list());
}

}  // namespace

void add_fault_routes(Router& router, Faults& faults) {
    const auto* path = "/control/faults";
    router.add(only_from_here({"GET", path, {}, [&faults](const Call&) { return json_answer(faults.list()); }}));
    router.add(only_from_here({"DELETE", path, {}, [&faults](const Call&) {
                                   faults.clear();
                                   return json_answer(faults.list());
                               }}));
    router.add(
        only_from_here({"POST", path, {}, [&faults](const Call& call) { return add(faults, call); }, mapping()}));
}

}  // namespace trebuchet::labserver
