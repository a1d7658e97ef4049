#include "provision/connectors/connector.hpp"
#include "provision/connectors/device.hpp"

#include <memory>

namespace trebuchet {
namespace {

/// A device that keeps its installed system: provision only checks that the device is reachable, and restarts it if
/// not.
class NoProvision final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override { return {boot_keys("360", "70", "10"), {}}; }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        return missing_device(config);
    }

  protected:
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        auto target = device_target(context, false);
        if (!target) return stage_error("ConfigError", target.error().message());
        const auto wait = boot_wait(context.config, restart_wait());
        if (!wait) return stage_error("ConfigError", wait.error().message());
        Ssh ssh(std::move(*target), context.commands);
        auto result = reach_device(ssh, PowerRule::timeout_is_recovery, *wait, context);
        context.log.info("END provision");
        return result;
    }
};

}  // namespace

std::unique_ptr<Connector> make_noprovision() {
    return std::make_unique<NoProvision>();
}

}  // namespace trebuchet
