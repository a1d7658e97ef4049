#include "provision/maas/maas_storage.hpp"

#include "common/base/text.hpp"
#include "provision/process/foreign_json.hpp"

namespace trebuchet {
namespace {

/// The reason is the message, and stands as the cause where users of the reference look for it.
tl::unexpected<MaasError> storage_failure(const std::string& what, const std::string& reason, const MaasNode& node) {
    node.error(what + ": " + reason);
    return maas_error(
        {"ProvisioningError", what + ": " + reason, "MaasStorageError(" + python_quoted(reason) + ")", 1});
}

/// The id of what a step made, from MAAS' answer; "" if there is none.
std::string id_in(const std::string& answer) {
    const auto value = parse_foreign_json(answer);
    if (!value.is_object()) return {};
    const auto id = value.find("id");
    if (id == value.end()) return {};
    if (id->is_string()) return id->get<std::string>();
    return id->is_number_integer() ? id->dump() : std::string();
}

class Run {
  public:
    Run(const char* what, const MaasNode& node) : what_(what), node_(&node) {}

    MaasResult<void> all(const std::vector<StorageStep>& steps) {
        made_.clear();
        for (const auto& step : steps) {
            if (auto done = one(step); !done) return done;
        }
        return {};
    }

  private:
    MaasResult<void> one(const StorageStep& step) {
        std::vector<std::string> words{step.group, step.action, node_->id(), step.block_device};
        const auto& partition = step.made_by ? made_.at(*step.made_by) : step.partition;
        if (!partition.empty()) words.push_back(partition);
        words.insert(words.end(), step.arguments.begin(), step.arguments.end());
        const auto answer = node_->run(words);
        if (answer.signal != 0) return maas_stopped(answer.signal);
        if (!answer.is_success) return failed(step, answer.end);
        made_.push_back(step.group == "partitions" ? id_in(answer.output) : std::string());
        if (step.group == "partitions" && made_.back().empty()) {
            return failed(step, "MAAS answered without an id: " + trebuchet::quoted(answer.said, 200));
        }
        return {};
    }

    MaasResult<void> failed(const StorageStep& step, const std::string& reason) const {
        const auto command = step.group + " " + step.action;
        return storage_failure(
            what_, (step.item.empty() ? "" : "Unable to process device: " + step.item + ": ") + command + ": " + reason,
            *node_);
    }

    const char* what_;
    const MaasNode* node_;
    std::vector<std::string> made_;  ///< by each step
};

}  // namespace

MaasResult<MaasStorage> MaasStorage::read(const MaasNode& node) {
    node.info("Reading node's block device information");
    const auto answer = node.run({"block-devices", "read", node.id()});
    if (answer.signal != 0) return maas_stopped(answer.signal);
    const auto failed = [&](const std::string& reason) {
        const auto message = "Unable to read node's block device information: " + reason;
        node.error(message);
        return maas_error({"MaasStorageError", message, std::nullopt, 1});
    };
    if (!answer.is_success) return failed(answer.end);
    const auto list = parse_foreign_json(answer.output);
    if (list.is_discarded()) return failed("the answer is no JSON: found " + trebuchet::quoted(answer.said, 200));
    auto devices = parse_block_devices(list);
    if (!devices) return failed(devices.error().message());
    return MaasStorage(std::move(*devices));
}

MaasResult<void> MaasStorage::set_job_layout(const std::vector<StorageItem>& disks, const MaasNode& node) const {
    node.info("Configuring node storage");
    return set_layout("Unable to configure node storage", plan_job_storage(disks, devices_), node);
}

MaasResult<void> MaasStorage::set_default_layout(const std::vector<StorageItem>& disks, const MaasNode& node) const {
    return set_layout("Unable to reset node storage to default_disk layout", plan_default_storage(disks), node);
}

MaasResult<void> MaasStorage::set_layout(const char* what, const Result<std::vector<StorageStep>>& plan,
                                         const MaasNode& node) const {
    if (!plan) return storage_failure(what, plan.error().message(), node);
    Run run(what, node);
    node.info("Clearing existing storage configuration");
    if (auto done = run.all(clearing_steps(devices_)); !done) return done;
    node.info("Applying storage layout");
    return run.all(*plan);
}

}  // namespace trebuchet
