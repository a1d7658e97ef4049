#include "provision/boot/boot_probes.hpp"
#include "provision/connectors/connector.hpp"
#include "provision/connectors/device.hpp"

#include <memory>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

/// A device that keeps the system it has: provision makes sure that it can be reached.
class NoProvision final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override { return {boot_keys("360", "60", "10"), {}}; }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        if (!config.device_ip.empty()) return {};
        return {"device_ip is missing: expected the address of the device"};
    }

  protected:
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        auto target = device_target(context, false);
        if (!target) return stage_error("ConfigError", target.error().message());
        Ssh ssh(std::move(*target), context.commands);
        auto result = reach(ssh, context);
        context.log.info("END provision");
        return result;
    }

  private:
    static StageResult reach(Ssh& ssh, StageContext& context) {
        const auto reached = ssh.check_login();
        if (reached) return 0;
        if (const int signal = context.interrupt.wait_for(0ms); signal != 0) return 128 + signal;
        context.log.warning(reached.error().message() + "; restarting the device");

        if (auto done = power_cycle(context, PowerRule::timeout_is_recovery); !done || *done != 0) return done;
        ssh.disconnect();
        BootWait defaults;
        defaults.first_wait = 60s;
        defaults.timeout = 360s;
        defaults.interval = 10s;
        const auto wait = boot_wait(context.config, defaults);
        if (!wait) return stage_error("ConfigError", wait.error().message());
        const auto up = wait_for_device({ssh_login_probe(ssh)}, *wait, context);
        if (up) return 0;
        if (const auto* stopped = std::get_if<BootInterrupted>(&up.error())) return 128 + stopped->signal;
        return recovery_error("the device does not come back: " + std::get<BootTimedOut>(up.error()).message);
    }
};

}  // namespace

std::unique_ptr<Connector> make_noprovision() {
    return std::make_unique<NoProvision>();
}

}  // namespace trebuchet
