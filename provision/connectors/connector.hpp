#pragma once

#include "provision/connectors/control_host_hook.hpp"
#include "provision/connectors/key_spec.hpp"
#include "provision/stages/stage.hpp"

namespace trebuchet {

/// A device type and its stages. Every stage except provision has a default, which all types share.
class Connector {
  public:
    virtual ~Connector() = default;

    /// Runs one stage. During provision and runtest it captures the serial console, if one is configured, into
    /// `provision-serial.log` or `test-serial.log`.
    [[nodiscard]] StageResult run(Stage stage, StageContext& context);

    /// The keys that this type reads in addition to common_keys().
    [[nodiscard]] virtual ConnectorKeys keys() const { return {}; }
    /// Problems in a configuration whose single values are valid, such as keys that contradict each other. One sentence
    /// each.
    [[nodiscard]] virtual std::vector<std::string> problems(const ConnectorConfig& /*config*/) const { return {}; }

  protected:
    [[nodiscard]] virtual ControlHostNeeds control_host_needs() const { return {}; }
    [[nodiscard]] virtual StageResult provision(StageContext& context) = 0;
    [[nodiscard]] virtual StageResult firmware_update(StageContext& context);
    [[nodiscard]] virtual StageResult runtest(StageContext& context);
    [[nodiscard]] virtual StageResult allocate(StageContext& context);
    [[nodiscard]] virtual StageResult reserve(StageContext& context);
    [[nodiscard]] virtual StageResult cleanup(StageContext& context);
};

}  // namespace trebuchet
