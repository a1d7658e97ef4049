#include "provision/connectors/connector.hpp"

#include <memory>
#include <ostream>

namespace trebuchet {
namespace {

/// For tests without a device: provision prints the job's provision_data; the other stages have their defaults.
class FakeConnector final : public Connector {
  protected:
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        context.log.info("This is a fake device connector: it only shows the job's provision_data");
        context.out << context.job.provision_data_text() << '\n' << std::flush;
        context.log.info("END provision");
        return 0;
    }
    StageResult firmware_update(StageContext& context) override {
        context.log.info("Nothing to update: there is no device");
        return 0;
    }
};

}  // namespace

std::unique_ptr<Connector> make_fake_connector() {
    return std::make_unique<FakeConnector>();
}

}  // namespace trebuchet
