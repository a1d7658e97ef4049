#pragma once

#include "provision/connectors/key_spec.hpp"
#include "provision/stages/stage.hpp"

namespace trebuchet {

/// A type of device, and what its stages do. Every stage but provision has the behaviour that all types share, unless a
/// type brings its own.
class Connector {
  public:
    virtual ~Connector() = default;

    /// Runs one stage, around provision and runtest with the serial console captured into `provision-serial.log` or
    /// `test-serial.log`, if the configuration has one.
    [[nodiscard]] StageResult run(Stage stage, StageContext& context);

    /// What this type reads beyond common_keys().
    [[nodiscard]] virtual ConnectorKeys keys() const { return {}; }
    /// What is wrong with a configuration whose keys are right one by one, as sentences.
    [[nodiscard]] virtual std::vector<std::string> problems(const ConnectorConfig& /*config*/) const { return {}; }

  protected:
    [[nodiscard]] virtual StageResult provision(StageContext& context) = 0;
    [[nodiscard]] virtual StageResult firmware_update(StageContext& context);
    [[nodiscard]] virtual StageResult runtest(StageContext& context);
    [[nodiscard]] virtual StageResult allocate(StageContext& context);
    [[nodiscard]] virtual StageResult reserve(StageContext& context);
    [[nodiscard]] virtual StageResult cleanup(StageContext& context);
};

}  // namespace trebuchet
