#include "common/base/text.hpp"
#include "provision/connectors/connector.hpp"
#include "provision/connectors/device.hpp"
#include "provision/maas/efi_boot_order.hpp"
#include "provision/maas/maas_storage.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <memory>
#include <optional>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr const char* default_distro = "jammy";
constexpr int default_timeout_min = 60;
constexpr int most_minutes = 7 * 24 * 60;
constexpr int release_looks = 30;
constexpr int recovery_looks = 3;
constexpr auto between_looks = 10s;

constexpr const char* malformed_disks =
    "default_disks: expected a list of names and values, each value a text or a number";

bool has_malformed_disks(const ConnectorConfig& config) {
    return config.keys.count("default_disks") != 0 && config.records.count("default_disks") == 0;
}

/// What a job asks of the deployment.
struct Deployment {
    std::string distro = default_distro;
    std::string kernel;
    std::string user_data;
    std::optional<JobFile::Records> disks;
    bool is_ephemeral = false;
};

std::string scalar(const ConnectorConfig& config, const char* key) {
    const auto found = config.scalars.find(key);
    return found == config.scalars.end() ? std::string() : found->second;
}

bool is_on(const ConnectorConfig& config, const char* key) {
    auto word = scalar(config, key);
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
    return word == "true" || word == "yes" || word == "on" || word == "1";
}

Result<int> timeout_minutes(const ConnectorConfig& config) {
    const auto text = scalar(config, "timeout_min");
    if (text.empty()) return default_timeout_min;
    int minutes = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), minutes);
    if (error != std::errc() || end != text.data() + text.size() || minutes < 1 || minutes > most_minutes) {
        return fail("timeout_min: found " + trebuchet::quoted(text) + ", expected a number of minutes, 1 to " +
                    std::to_string(most_minutes));
    }
    return minutes;
}

/// "3.5.2" as its numbers; nothing if there is anything else in it.
std::optional<std::array<int, 3>> version_numbers(std::string_view text) {
    std::array<int, 3> numbers{};
    for (std::size_t i = 0; !text.empty(); ++i) {
        int number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc() || number < 0) return std::nullopt;
        if (i < numbers.size()) numbers.at(i) = number;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (text.empty()) return numbers;
        if (text.front() != '.' || text.size() == 1) return std::nullopt;
        text.remove_prefix(1);
    }
    return std::nullopt;
}

std::string base64(std::string_view bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        const auto count = std::min<std::size_t>(3, bytes.size() - i);
        for (std::size_t k = 0; k < 3; ++k) {
            group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) out += k <= count ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

/// The node's `ip_addresses`.
std::vector<std::string> addresses_of(const nlohmann::json& machine) {
    std::vector<std::string> addresses;
    if (!machine.is_object()) return addresses;
    const auto list = machine.find("ip_addresses");
    if (list == machine.end() || !list->is_array()) return addresses;
    for (const auto& address : *list) {
        if (address.is_string()) addresses.push_back(address.get<std::string>());
    }
    return addresses;
}

std::string python_list(const std::vector<std::string>& words) {
    std::string list;
    for (const auto& word : words) list += (list.empty() ? "" : ", ") + python_quoted(word);
    return "[" + list + "]";
}

std::string without_end_of_line(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
}

tl::unexpected<MaasError> failure(std::string message) {
    return maas_error({"ProvisioningError", std::move(message), std::nullopt, 1});
}

/// One stage of one machine.
class MaasMachine {
  public:
    MaasMachine(MaasNode node, StageContext& context) : node_(std::move(node)), context_(&context) {}

    MaasResult<void> read_storage() {
        auto storage = MaasStorage::read(node_);
        if (!storage) return tl::unexpected(storage.error());
        storage_ = std::move(*storage);
        return {};
    }

    MaasResult<void> provision(const Deployment& wanted, int minutes) {
        context_->log.info("Provisioning device");
        if (is_on(context_->config, "reset_efi")) {
            if (auto done = reset_efi(); !done) return done;
        }
        if (is_on(context_->config, "clear_tpm")) {
            if (auto done = clear_tpm(minutes); !done) return done;
        }
        return deploy(wanted, minutes);
    }

    /// Gives the machine back, whatever it is doing. 46 if MAAS cannot bring it to Ready by any means.
    MaasResult<void> release() {
        if (is_on(context_->config, "reset_efi")) {
            if (auto done = reset_efi(); !done) return done;
        }
        node_.info("Releasing node " + name());
        auto answer = node_.retry({"machine", "release", node_.id()});
        if (!answer) return tl::unexpected(answer.error());
        log_if_debug(*answer);
        auto status = wait_until_ready(release_looks);
        if (!status) return tl::unexpected(status.error());
        if (*status != "Ready") {
            node_.error("Device " + name() + " still in \"" + *status + "\" state, attempting recovery!");
            if (auto done = recover(); !done) return done;
        }
        node_.info("Successfully released node " + name());
        return {};
    }

  private:
    std::string name() const { return context_->config.agent_name.empty() ? node_.id() : context_->config.agent_name; }
    void log_if_debug(const std::string& output) const {
        if (context_->job.is_debug()) node_.info(without_end_of_line(output));
    }

    /// Looks each 10 s. Returns the last status.
    MaasResult<std::string> wait_until_ready(int looks) const {
        MaasResult<std::string> status;
        for (int i = 0; i < looks; ++i) {
            if (const int signal = context_->interrupt.wait_for(between_looks); signal != 0)
                return maas_stopped(signal);
            status = node_.status();
            if (!status || *status == "Ready") return status;
        }
        return status;
    }

    /// A step of the recovery: what fails is logged, and the next means is tried.
    MaasResult<void> attempt(const char* action) const {
        auto answer = node_.retry({"machine", action, node_.id()});
        if (answer) {
            log_if_debug(*answer);
        } else if (answer.error().signal != 0) {
            return tl::unexpected(answer.error());
        } else {
            node_.error(std::string(action) + " failed: " + answer.error().error.message);
        }
        return {};
    }

    MaasResult<void> recover() const {
        node_.info("Attempt to mark-broken:");
        if (auto done = attempt("mark-broken"); !done) return done;
        node_.info("Attempt to mark-fixed:");
        if (auto done = attempt("mark-fixed"); !done) return done;
        node_.info("Check for Ready status");
        auto status = wait_until_ready(recovery_looks);
        if (!status) return tl::unexpected(status.error());
        if (*status == "Ready") return {};
        node_.info("Attempt to just power-off the machine");
        if (auto done = attempt("power-off"); !done) return done;
        node_.info("Check for Ready status");
        status = wait_until_ready(recovery_looks);
        if (!status) return tl::unexpected(status.error());
        if (*status == "Ready") return {};
        node_.error("Device " + name() + " still in \"" + *status + "\" state, could not recover!");
        return maas_error({"RecoveryError", "Device recovery failed!", std::nullopt, exit_recovery_failed});
    }

    /// The device's ssh, as MAAS' images have it.
    Result<std::unique_ptr<Ssh>> device_ssh() const {
        auto target = device_target(*context_, false);
        if (!target) return fail(target.error());
        target->user = "ubuntu";
        return std::make_unique<Ssh>(std::move(*target), context_->commands);
    }
    static MaasResult<void> stopped(const CommandResult& result) {
        if (const auto* end = std::get_if<CommandInterrupted>(&result.end)) return maas_stopped(end->signal);
        return {};
    }

    /// Lets the machine boot from the network first, so that MAAS gets hold of it. What it runs now may be anything,
    /// so that no failure is fatal.
    MaasResult<void> reset_efi() const {
        node_.info("Fixing EFI boot order before provisioning");
        const auto ssh = device_ssh();
        if (!ssh) {
            node_.warning("Cannot set the EFI boot order: " + ssh.error().message());
            return {};
        }
        SshCall call;
        call.timeout = 60s;
        const std::string look = "sudo efibootmgr -v";
        auto result = (*ssh)->run(look, call);
        if (!succeeded(result) && std::holds_alternative<CommandExited>(result.end) &&
            !is_transport_failure(result.end)) {
            call.timeout = 300s;
            for (const auto* install : {"sudo snap install efi-tools-ijohnson --devmode --edge",
                                        "sudo snap alias efi-tools-ijohnson.efibootmgr efibootmgr"}) {
                if (auto done = stopped((*ssh)->run(install, call)); !done) return done;
            }
            result = (*ssh)->run(look, call);
        }
        if (auto done = stopped(result); !done) return done;
        if (!succeeded(result)) {
            node_.warning("Cannot read the EFI boot order: " + describe(result));
            return {};
        }
        const auto order = network_first_boot_order(result.output);
        if (!order) {
            node_.warning("Cannot set the EFI boot order: efibootmgr named no BootOrder");
            return {};
        }
        node_.info("Setting boot order to " + *order);
        result = (*ssh)->run("sudo efibootmgr -o " + *order, call);
        if (!succeeded(result)) node_.error("Failed to set efi boot order to \"" + *order + "\":\n" + describe(result));
        return stopped(result);
    }

    /// Asks the firmware to clear the TPM at the next boot; whether it will.
    MaasResult<bool> request_tpm_clear() const {
        const auto ssh = device_ssh();
        if (!ssh) return failure(ssh.error().message());
        SshCall call;
        call.timeout = 30s;
        auto result = (*ssh)->run("echo 5 | sudo tee /sys/class/tpm/tpm0/ppi/request", call);
        if (succeeded(result)) result = (*ssh)->run("cat /sys/class/tpm/tpm0/ppi/request", call);
        if (auto done = stopped(result); !done) return tl::unexpected(done.error());
        return succeeded(result) && without_end_of_line(result.output) == "5";
    }

    /// What runs on the machine may not let us: then it gets a system that does.
    MaasResult<void> clear_tpm(int minutes) {
        node_.info("Clearing the TPM before provisioning");
        auto done = request_tpm_clear();
        if (!done) return tl::unexpected(done.error());
        if (*done) return {};
        if (auto deployed = deploy({}, minutes); !deployed) return deployed;
        done = request_tpm_clear();
        if (!done) return tl::unexpected(done.error());
        if (*done) return {};
        return failure("Failed to clear TPM");
    }

    MaasResult<void> deploy(const Deployment& wanted, int minutes) {
        if (auto done = release(); !done) return done;
        const auto status = node_.status();
        if (!status) return tl::unexpected(status.error());
        if (auto done = set_storage(wanted); !done) return done;
        node_.info("Acquiring node");
        auto answer = node_.retry({"machines", "allocate", "system_id=" + node_.id()});
        if (!answer) return tl::unexpected(answer.error());
        const auto earlier = newest_installation();
        if (!earlier) return tl::unexpected(earlier.error());
        answer = start(wanted);
        if (!answer) return tl::unexpected(answer.error());
        auto done = wait_until_deployed(minutes, *answer);
        if (!done && done.error().signal == 0) {
            if (const int signal = log_installation(*earlier); signal != 0) return maas_stopped(signal);
        }
        return done;
    }

    MaasResult<void> set_storage(const Deployment& wanted) const {
        const auto defaults = context_->config.records.find("default_disks");
        if (wanted.disks) return storage_->set_job_layout(*wanted.disks, node_);
        if (defaults != context_->config.records.end()) return storage_->set_default_layout(defaults->second, node_);
        node_.warning("'default_disks' and/or 'disks' unspecified; setting default storage layout to flat");
        const auto answer = node_.run({"machine", "set-storage-layout", node_.id(), "storage_layout=flat"});
        if (answer.signal != 0) return maas_stopped(answer.signal);
        if (answer.is_success) {
            log_if_debug(answer.output);
        } else {
            node_.error("Unable to set flat disk layout, attempting to continue anyway");
            node_.error(without_end_of_line(answer.said));
        }
        return {};
    }

    /// The largest id of an installation's log; 0 if there is none.
    MaasResult<std::int64_t> newest_installation() const {
        const auto results = node_.retry_json({"node-script-results", "read", node_.id(), "type=installation"});
        if (!results) return tl::unexpected(results.error());
        std::int64_t newest = 0;
        if (!results->is_array()) return newest;
        for (const auto& result : *results) {
            if (!result.is_object()) continue;
            const auto id = result.find("id");
            if (id != result.end() && id->is_number_integer()) newest = std::max(newest, id->get<std::int64_t>());
        }
        return newest;
    }

    MaasResult<std::string> start(const Deployment& wanted) const {
        node_.info("Starting node " + name() + " with distro " + wanted.distro);
        std::vector<std::string> words{"machine", "deploy", node_.id(), "distro_series=" + wanted.distro};
        if (!wanted.kernel.empty()) words.push_back("hwe_kernel=" + wanted.kernel);
        auto shown = words;
        if (!wanted.user_data.empty()) {
            words.push_back("user_data=" + base64(wanted.user_data));
            shown.emplace_back("user_data=…");
        }
        if (wanted.is_ephemeral) {
            const auto can = can_deploy_ephemerally();
            if (!can) return tl::unexpected(can.error());
            if (*can) {
                node_.info("Deployment set to ephemeral");
                words.emplace_back("ephemeral_deploy=true");
                shown.emplace_back("ephemeral_deploy=true");
            }
        }
        return node_.retry(words, shown);
    }

    /// Since MAAS 3.5.
    MaasResult<bool> can_deploy_ephemerally() const {
        const auto answer = node_.retry_json({"version", "read"});
        if (!answer && answer.error().signal != 0) return tl::unexpected(answer.error());
        if (!answer) {
            node_.warning("Unable to determine MAAS version: " + answer.error().error.message +
                          ". Proceeding without ephemeral deployment");
            return false;
        }
        std::string version;
        if (answer->is_object() && answer->contains("version") && answer->at("version").is_string()) {
            version = answer->at("version").get<std::string>();
        }
        if (!version.empty()) node_.info("MAAS version detected: " + version);
        const auto numbers = version_numbers(version);
        const bool can = numbers && *numbers >= std::array<int, 3>{3, 5, 0};
        if (!can) node_.warning("Ephemeral deployment needs MAAS 3.5 or newer: deploying to disk");
        return can;
    }

    /// `answer`: of the deployment's command, for the log.
    MaasResult<void> wait_until_deployed(int minutes, const std::string& answer) const {
        node_.info("Timeout value: " + std::to_string(minutes) + " minutes.");
        std::string last;
        for (int minute = 1; minute <= minutes; ++minute) {
            if (const int signal = context_->interrupt.wait_for(60s); signal != 0) return maas_stopped(signal);
            node_.info(std::to_string(minute) + " minutes passed since deployment.");
            const auto status = node_.status();
            if (!status) return tl::unexpected(status.error());
            last = *status;
            if (last == "Failed deployment") {
                node_.error("MAAS reports Failed Deployment");
                return failure("Provisioning failed because MAAS got unexpected or deployment failure status signal.");
            }
            if (last != "Deployed") continue;
            if (auto done = check_address(); !done) return done;
            const auto is_up = is_booted();
            if (!is_up) return tl::unexpected(is_up.error());
            if (*is_up) {
                node_.info("Deployed and booted.");
                return {};
            }
        }
        node_.error("Device " + name() + " still in \"" + last + "\" state, deployment failed!");
        node_.error(without_end_of_line(answer));
        return failure("Provisioning failed because deployment timeout. Deploying for more than " +
                       std::to_string(minutes) + " minutes.");
    }

    MaasResult<void> check_address() const {
        const auto machine = node_.read();
        if (!machine) return tl::unexpected(machine.error());
        const auto addresses = addresses_of(*machine);
        const auto& expected = context_->config.device_ip;
        if (std::find(addresses.begin(), addresses.end(), expected) != addresses.end()) return {};
        node_.error("MAAS reports Wrong IP Address");
        return failure("Provisioning failed because of bad device configuration. Expected device ip " + expected +
                       " was not any of the addresses known to maas: " + python_list(addresses));
    }

    MaasResult<bool> is_booted() const {
        node_.info("Checking if test image booted.");
        const auto ssh = device_ssh();
        if (!ssh) return failure(ssh.error().message());
        SshCall call;
        call.timeout = 60s;
        const auto result = (*ssh)->run("/bin/true", call);
        if (auto done = stopped(result); !done) return tl::unexpected(done.error());
        return succeeded(result);
    }

    /// Of a deployment that failed, if MAAS has one that is newer than `earlier`. It may fail. The signal that told us
    /// to stop, else 0.
    int log_installation(std::int64_t earlier) const {
        const auto newest = newest_installation();
        if (!newest) return newest.error().signal;
        if (*newest <= earlier) {
            node_.info("MAAS has no installation log of this deployment");
            return 0;
        }
        const auto text = node_.retry({"node-script-result", "download", node_.id(), std::to_string(*newest)});
        if (!text) return text.error().signal;
        node_.info(without_end_of_line(to_valid_utf8(*text)));
        return 0;
    }

    MaasNode node_;
    StageContext* context_;
    std::optional<MaasStorage> storage_;
};

/// Computers that MAAS deploys, through the `maas` command of a profile that the site has logged in.
class Maas2 final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override {
        return {
            {{"maas_user", KeyKind::text, "", "profile of the maas command, logged in for the agent's user", true},
             {"node_id", KeyKind::text, "", "the machine's system_id in MAAS", true},
             {"timeout_min", KeyKind::number, "60", "minutes for a deployment"},
             {"reset_efi", KeyKind::flag, "false",
              "let the machine boot from the network first, by efibootmgr over ssh"},
             {"clear_tpm", KeyKind::flag, "false", "have the firmware clear the TPM before each deployment"},
             {"default_disks", KeyKind::records, "",
              "storage layout for jobs without one of their own: disk, partition, format, mount"}},
            {{"distro", KeyKind::text, "jammy", "series to deploy, or the name of an image of MAAS"},
             {"kernel", KeyKind::text, "", "hwe_kernel of the deployment"},
             {"user_data", KeyKind::text, "",
              "cloud-init's user data; visible in the process list of the agent's host"},
             {"disks", KeyKind::records, "", "storage layout; an empty list only clears the disks"},
             {"ephemeral", KeyKind::flag, "false", "run from memory, where MAAS is 3.5 or newer"}},
        };
    }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        auto found = missing_device(config);
        if (const auto minutes = timeout_minutes(config); !minutes) found.push_back(minutes.error().message());
        if (has_malformed_disks(config)) found.emplace_back(malformed_disks);
        if (const auto disks = config.records.find("default_disks"); disks != config.records.end()) {
            if (const auto plan = plan_default_storage(disks->second); !plan) {
                found.push_back("default_disks: " + plan.error().message());
            }
        }
        return found;
    }

  protected:
    StageResult provision(StageContext& context) override {
        if (context.config.device_ip.empty()) return stage_error("ConfigError", "device_ip is missing");
        const auto minutes = timeout_minutes(context.config);
        if (!minutes) return stage_error("ConfigError", minutes.error().message());
        // Not ignored, since the machine would get another layout than its lab has.
        if (has_malformed_disks(context.config)) return stage_error("ConfigError", malformed_disks);
        const auto wanted = deployment_of(context.job);
        if (!wanted) return job_error(wanted.error().message());
        auto machine = machine_of(context);
        if (!machine) return stage_error("ConfigError", machine.error().message());
        if (auto done = machine->read_storage(); !done) return stage_result(done.error());
        context.log.info("BEGIN provision");
        const auto done = machine->provision(*wanted, *minutes);
        if (!done && done.error().signal == 0) context.log.error("Provisioning failed: " + done.error().error.message);
        context.log.info("END provision");
        return done ? StageResult(0) : stage_result(done.error());
    }

    StageResult cleanup(StageContext& context) override {
        auto machine = machine_of(context);
        if (!machine) return stage_error("ConfigError", machine.error().message());
        if (auto done = machine->read_storage(); !done) return stage_result(done.error());
        const auto done = machine->release();
        return done ? StageResult(0) : stage_result(done.error());
    }

  private:
    static Result<MaasMachine> machine_of(StageContext& context) {
        for (const auto* key : {"maas_user", "node_id"}) {
            const auto value = scalar(context.config, key);
            if (value.empty()) return fail(std::string(key) + " is missing");
            // It becomes an argument of the maas command.
            if (value.front() == '-') {
                return fail(std::string(key) + ": found " + trebuchet::quoted(value) + ", expected a name");
            }
        }
        return MaasMachine(MaasNode(scalar(context.config, "maas_user"), scalar(context.config, "node_id"), context),
                           context);
    }

    static Result<Deployment> deployment_of(const JobFile& job) {
        Deployment wanted;
        const auto read = [&](const char* key, std::string& value) -> Result<void> {
            auto text = job.provision_text(key);
            if (!text) return fail(text.error());
            if (*text && !(*text)->empty()) value = std::move(**text);
            return {};
        };
        if (auto done = read("distro", wanted.distro); !done) return fail(done.error());
        if (auto done = read("kernel", wanted.kernel); !done) return fail(done.error());
        if (auto done = read("user_data", wanted.user_data); !done) return fail(done.error());
        auto disks = job.provision_records("disks");
        if (!disks) return fail(disks.error());
        wanted.disks = std::move(*disks);
        const auto ephemeral = job.provision_flag("ephemeral", false);
        if (!ephemeral) return fail(ephemeral.error());
        wanted.is_ephemeral = *ephemeral;
        return wanted;
    }
};

}  // namespace

std::unique_ptr<Connector> make_maas2() {
    return std::make_unique<Maas2>();
}

}  // namespace trebuchet
