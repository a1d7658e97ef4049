#include "common/base/text.hpp"
#include "provision/connectors/connector.hpp"
#include "provision/connectors/control_host.hpp"
#include "provision/connectors/key_login.hpp"
#include "provision/job/job_url.hpp"
#include "provision/power/make_power.hpp"
#include "provision/process/uninterrupted.hpp"
#include "provision/script/stage_script.hpp"
#include "provision/seed/remote_image.hpp"
#include "provision/seed/seed_partition.hpp"
#include "provision/ssh/shell_quote.hpp"

#include <memory>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr auto settle_time = 5s;
constexpr auto installer_time = 1800s;
constexpr auto restore_time = 3s;

std::string test_device(const StageContext& context) {
    const auto found = context.config.scalars.find("test_device");
    return found == context.config.scalars.end() ? "" : found->second;
}

/// A Raspberry Pi Compute Module 3 on a board whose GPIO 16 makes it a USB disk of the control host.
class ComputeModule3 final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override {
        ConnectorKeys keys{{{"test_device", KeyKind::text, "", "the module's disk on the control host: /dev/sda", true},
                            {"control_mount_folder", KeyKind::text, "/mnt", "where the control host mounts it"},
                            {"installer_timeout", KeyKind::seconds, "1800", "time limit of cm3-installer"}},
                           {{"url", KeyKind::text, "", "image, which the control host's cm3-installer writes", true}}};
        for (const auto& spec : boot_keys("600", "10", "10")) keys.config.push_back(spec);
        return keys;
    }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        auto found = missing_device(config);
        if (config.control_host.empty())
            found.emplace_back("control_host is missing: expected the host with the board");
        if (!has_power(config))
            found.emplace_back("reboot_script is missing: expected commands that restart the board");
        const auto device = config.scalars.find("test_device");
        if (device == config.scalars.end() || !device->second.starts_with("/dev/")) {
            found.emplace_back("test_device: expected a path such as /dev/sda");
        }
        return found;
    }

  protected:
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        auto result = check_and_provision(context);
        context.log.info("END provision");
        return result;
    }

  private:
    StageResult check_and_provision(StageContext& context) const {
        const auto url = context.job.provision_text("url");
        if (!url) return job_error(url.error().message());
        if (!*url || (*url)->empty()) {
            return provisioning_error(
                "You must specify a \"url\" value in the \"provision_data\" section of your "
                "job_data");
        }
        if (auto done = check_argument_url(**url, "provision_data.url"); !done) {
            return job_error(done.error().message());
        }
        if (const auto wrong = problems(context.config); !wrong.empty())
            return stage_error("ConfigError", wrong.front());
        auto target = control_target(context.config);
        if (!target) return stage_error("ConfigError", target.error().message());
        {
            ControlHost control(std::move(*target), context);
            auto result = flash(**url, control, context);
            if (!result || *result != 0) {
                restore(context);
                return result;
            }
        }
        return boot(context);
    }

    static StageResult flash(const std::string& url, ControlHost& control, StageContext& context) {
        const auto disk = shell_quote(test_device(context));
        if (auto done = control.end_leftovers(test_device(context), "cm3-installer"); !done)
            return control.failure(done.error());
        // A dd to a disk that was not there has left a plain file.
        if (control.run_once("test -f " + disk)) {
            if (auto done = control.run_once("sudo rm -f " + disk); !done) return control.failure(done.error());
        }
        if (auto done = switch_usb("high", control, context); !done || *done != 0) return done;
        if (auto done = power_cycle(context, PowerRule::failure_is_recovery); !done || *done != 0) return done;
        if (auto done = install(url, control, context); !done || *done != 0) return done;
        if (auto done = add_user(control, context); !done || *done != 0) return done;
        if (auto done = control.run_once("sudo sync"); !done) return control.failure(done.error());
        if (const int signal = context.interrupt.wait_for(settle_time); signal != 0) return exit_by_signal(signal);
        if (auto done = control.run_once("sudo udisksctl power-off -b " + disk); !done) {
            return control.failure(done.error());
        }
        if (const int signal = context.interrupt.wait_for(settle_time); signal != 0) return exit_by_signal(signal);
        return switch_usb("low", control, context);
    }

    static StageResult switch_usb(const std::string& level, ControlHost& control, StageContext& context) {
        if (auto done = control.run_once("sudo pi3gpio set " + level + " 16"); !done) {
            return control.failure(done.error());
        }
        const int signal = context.interrupt.wait_for(settle_time);
        return signal == 0 ? 0 : exit_by_signal(signal);
    }

    static StageResult install(const std::string& url, ControlHost& control, StageContext& context) {
        const auto limit = read_seconds(context.config, "installer_timeout", installer_time);
        if (!limit) return stage_error("ConfigError", limit.error().message());
        SshCall call;
        call.timeout = *limit;
        context.log.info("Running cm3-installer on the control host");
        // By timeout, too: ssh does not end what runs as root there.
        const auto result = control.ssh().run(
            "sudo timeout -k 10 " + std::to_string(limit->count()) + " cm3-installer " + shell_quote(url), call);
        if (succeeded(result)) return 0;
        if (const auto* end = std::get_if<CommandInterrupted>(&result.end)) return exit_by_signal(end->signal);
        if (std::holds_alternative<CommandTimedOut>(result.end)) {
            return stage_error("TimeoutExpired",
                               "cm3-installer did not end within " + std::to_string(limit->count()) + " s");
        }
        return provisioning_error("cm3-installer: " + describe(result));
    }

    static StageResult add_user(ControlHost& control, StageContext& context) {
        const auto user = first_user(context.job);
        if (!user) return job_error(user.error().message());
        const auto listed = control.ssh().run_script("lsblk -J -o NAME,LABEL " + shell_quote(test_device(context)));
        if (!succeeded(listed)) return control.failure(Error("lsblk: " + describe(listed)));
        const auto found = parse_lsblk(listed.output);
        if (!found) return provisioning_error(found.error().message());
        std::vector<std::string> partitions;
        for (const auto& partition : *found) partitions.push_back("/dev/" + partition.name);
        if (partitions.empty()) {
            return provisioning_error("the image has no partitions: " + test_device(context) + " shows none");
        }
        if (auto done = seed_partition(control.ssh(), partitions, mount_folder(context.config), *user); !done) {
            return control.failure(done.error());
        }
        return 0;
    }

    /// After a failure or a stop signal the module boots its own system again.
    static void restore(StageContext& context) {
        UninterruptedRunner commands(context.commands, restore_time);
        auto target = control_target(context.config);
        if (!target) return;
        Ssh ssh(std::move(*target), commands);
        const auto result = ssh.run("sudo pi3gpio set low 16");
        if (!succeeded(result)) context.log.warning("The module may still be a USB disk: pi3gpio: " + describe(result));
    }

    static StageResult boot(StageContext& context) {
        if (auto done = power_cycle(context, PowerRule::failure_is_recovery); !done || *done != 0) return done;
        BootWait usual;
        usual.initial_delay = 10s;
        usual.timeout = 600s;
        usual.interval = 10s;
        return wait_for_key_login({}, usual, context);
    }
};

}  // namespace

std::unique_ptr<Connector> make_cm3() {
    return std::make_unique<ComputeModule3>();
}

}  // namespace trebuchet
