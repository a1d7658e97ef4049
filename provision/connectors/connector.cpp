#include "provision/connectors/connector.hpp"

#include "provision/connectors/console.hpp"
#include "provision/connectors/firmware_update.hpp"
#include "provision/serial/serial_capture.hpp"
#include "provision/stages/reserve.hpp"
#include "provision/stages/runtest.hpp"

#include <cstdlib>
#include <optional>
#include <utility>

namespace trebuchet {

StageResult Connector::run(Stage stage, StageContext& context) {
    std::optional<SerialCapture> capture;
    const auto capture_into = [&](const char* file) {
        // The agent reads it during the whole job.
        if (const char* reader = std::getenv("TREBUCHET_CONSOLE"); reader != nullptr && *reader != '\0') return;
        auto console = console_of(context.config);
        if (!console) return;
        SerialOptions options;
        if (context.config.serial_timestamps) options.time_stamps = &context.clock;
        capture.emplace(std::move(*console), file, context.log, options);
        context.serial = &*capture;
    };
    switch (stage) {
        case Stage::provision:
            capture_into("provision-serial.log");
            if (auto done = prepare_control_host(control_host_needs(), context); !done || *done != 0) return done;
            return provision(context);
        case Stage::firmware_update:
            return firmware_update(context);
        case Stage::runtest:
            capture_into("test-serial.log");
            set_up_control_host("test", "", context);
            return runtest(context);
        case Stage::allocate:
            return allocate(context);
        case Stage::reserve:
            return reserve(context);
        case Stage::cleanup:
            return cleanup(context);
    }
    return stage_error("InternalError", "unhandled stage");
}

StageResult Connector::firmware_update(StageContext& context) {
    return update_firmware(context);
}

StageResult Connector::runtest(StageContext& context) {
    return trebuchet::runtest(context);
}

StageResult Connector::allocate(StageContext& /*context*/) {
    return 0;
}

StageResult Connector::reserve(StageContext& context) {
    return trebuchet::reserve(context);
}

StageResult Connector::cleanup(StageContext& /*context*/) {
    return 0;
}

}  // namespace trebuchet
