#include "provision/power/qmp_power.hpp"

#include "provision/power/qmp_client.hpp"

#include <initializer_list>

namespace trebuchet {
namespace {

PowerResult<void> execute(const std::filesystem::path& socket, std::initializer_list<const char*> commands) {
    auto client = QmpClient::connect(socket);
    if (!client) return power_error(client.error().message());
    for (const auto* command : commands) {
        if (const auto done = client->execute(command); !done) return power_error(done.error().message());
    }
    return {};
}

}  // namespace

PowerResult<void> QmpPower::on() {
    const auto found = state();
    if (!found) return tl::unexpected(found.error());
    if (*found == PowerState::on) return {};
    return cycle();
}

PowerResult<void> QmpPower::off() {
    return execute(socket_, {"stop"});
}

PowerResult<void> QmpPower::cycle() {
    return execute(socket_, {"stop", "system_reset", "cont"});
}

PowerResult<PowerState> QmpPower::state() {
    auto client = QmpClient::connect(socket_);
    if (!client) return power_error(client.error().message());
    const auto status = client->execute("query-status");
    if (!status) return power_error(status.error().message());
    const auto running = status->find("running");
    if (running == status->end() || !running->is_boolean()) return PowerState::unknown;
    return running->get<bool>() ? PowerState::on : PowerState::off;
}

}  // namespace trebuchet
