#include "common/base/text.hpp"
#include "provision/boot/boot_probes.hpp"
#include "provision/connectors/connector.hpp"
#include "provision/connectors/control_host.hpp"
#include "provision/connectors/device.hpp"
#include "provision/connectors/job_image.hpp"
#include "provision/connectors/key_login.hpp"
#include "provision/connectors/leftovers.hpp"
#include "provision/connectors/sd_mux.hpp"
#include "provision/image/image_target.hpp"
#include "provision/power/command_power.hpp"
#include "provision/power/make_power.hpp"
#include "provision/process/uninterrupted.hpp"
#include "provision/script/stage_script.hpp"
#include "provision/seed/remote_image.hpp"
#include "provision/ssh/shell_quote.hpp"

#include <memory>
#include <optional>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr auto download_time = 1800s;
constexpr auto attachment_time = 1200s;
constexpr auto control_host_boot_time = 120s;
/// Beyond which it need not come back.
constexpr auto control_host_grace = 180s;
/// restore_card has three steps, which must fit into the agent's default kill_grace of 10 s.
constexpr auto restore_step_timeout = 3s;

/// "" if jobs set `media`, so that the mux says which it is.
std::string configured_device(const StageContext& context) {
    const auto device = context.config.scalars.find("test_device");
    return device == context.config.scalars.end() ? std::string() : device->second;
}

/// A board with its SD card on a mux: the control host writes the card, then the board boots from it.
class MuxPi final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override {
        ConnectorKeys keys{
            {{"test_device", KeyKind::text, "",
              "the card's device on the control host; not needed if jobs set `media`"},
             {"control_switch_local_cmd", KeyKind::command, "stm -ts",
              "command that connects the card to the control host"},
             {"control_switch_device_cmd", KeyKind::command, "stm -dut",
              "command that connects the card to the device"},
             {"sd_mux",
              KeyKind::choice,
              "",
              "kind of a mux whose commands are known, instead of these two",
              false,
              false,
              {"sdwire", "usbsdmux"}},
             {"sd_mux_device", KeyKind::text, "",
              "the SDWire's serial number, or the USBSDMux's device such as /dev/usb-sd-mux/id-00042"},
             {"post_provision_script", KeyKind::commands, "",
              "commands to run on the control host after writing; a failure is only logged"},
             {"control_mount_folder", KeyKind::text, "/mnt", "where the control host mounts the card's partitions"},
             {"image_timeout", KeyKind::seconds, "1800",
              "timeout for writing a card; default for an attachment: 1200"}},
            JobImage::keys(),
        };
        keys.provision_data.insert(
            keys.provision_data.end(),
            {{"create_user", KeyKind::flag, "true", "create test_username in the image"},
             {"boot_check_url", KeyKind::text, "",
              "URL that answers with 200 when the device is up, $DEVICE_IP stands for its address; default: check ssh"},
             {"media", KeyKind::choice, "", "which medium, if the mux has both", false, false, {"sd", "usb"}}});
        const auto image = JobImage::config_keys();
        keys.config.insert(keys.config.end(), image.begin(), image.end());
        const auto boot = boot_keys("1200", "0", "10");
        keys.config.insert(keys.config.end(), boot.begin(), boot.end());
        return keys;
    }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        std::vector<std::string> found;
        if (config.control_host.empty()) found.emplace_back("control_host is missing: expected the host with the mux");
        const auto device = config.scalars.find("test_device");
        if (device != config.scalars.end() && !device->second.empty() && !device->second.starts_with("/")) {
            found.push_back("test_device: found " + trebuchet::quoted(device->second) +
                            ", expected a path such as /dev/sda");
        }
        return found;
    }

  protected:
    [[nodiscard]] ControlHostNeeds control_host_needs() const override { return {true, {}}; }
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        auto result = provision_card(context);
        context.log.info("END provision");
        return result;
    }

  private:
    static StageResult provision_card(StageContext& context) {
        const auto commands = read_mux_commands(context);
        if (!commands) return provisioning_error(commands.error().message());
        const auto image = JobImage::of(context.job, context.config);
        if (!image) return provisioning_error(image.error().message());
        auto target = control_target(context.config);
        if (!target) return stage_error("ConfigError", target.error().message());
        const SdMux mux(*commands);
        if (auto done = restart_control_host(mux, context); !done || *done != 0) return done;
        std::optional<ControlHost> control(std::in_place, std::move(*target), context);
        auto result = write_and_plug(mux, *image, *control, context);
        if (!result || *result != 0) {
            restore_card(mux, context);
            return result;
        }
        control.reset();
        result = boot(context);
        // A device that does not boot stays as it is, so that somebody can inspect it.
        if (result && *result != 0) restore_card(mux, context);
        return result;
    }

    /// A control host with a USB-Mux or a MuxPi, unlike one with an SDWire, is restarted before each use, as with the
    /// reference: `control_host_reboot_script`, split into words, then the device's power, which may hang at the same
    /// outlet.
    static StageResult restart_control_host(const SdMux& mux, StageContext& context) {
        const auto& script = context.config.control_host_reboot_script;
        if (script.empty() || mux.is_stable()) return 0;
        const auto limit = read_seconds(context.config, "control_host_reboot_timeout", control_host_boot_time);
        if (!limit) return stage_error("ConfigError", limit.error().message());
        context.log.info("Restarting the control host");
        CommandPower host({script, {}, {}, "control_host_reboot_script"}, context.commands);
        if (auto done = host.cycle(); !done) {
            if (const int signal = context.interrupt.wait_for(0s); signal != 0) return exit_by_signal(signal);
            return provisioning_error("cannot restart the control host: " + done.error().message);
        }
        if (has_power(context.config)) {
            if (auto done = power_cycle(context, PowerRule::failure_is_recovery); !done || *done != 0) return done;
        }
        auto target = control_target(context.config);
        if (!target) return stage_error("ConfigError", target.error().message());
        Ssh ssh(std::move(*target), context.commands);
        BootWait wait;
        wait.initial_delay = *limit;
        wait.timeout = *limit + control_host_grace;
        wait.interval = 10s;
        const auto up = wait_for_device({ssh_command_probe(ssh, "true")}, wait, context);
        if (up) return 0;
        if (const auto* stopped = std::get_if<BootInterrupted>(&up.error())) return exit_by_signal(stopped->signal);
        return provisioning_error("the control host does not come back: " + std::get<BootTimedOut>(up.error()).message);
    }

    /// On success the card is connected to the device.
    static StageResult write_and_plug(const SdMux& mux, const JobImage& image, ControlHost& control,
                                      StageContext& context) {
        if (auto done = prepare_card(mux, image, control, context); !done || *done != 0) return done;
        if (auto done = control.run(mux.device_command()); !done) return control.failure(done.error());
        return 0;
    }

    /// On success the card is connected to the control host.
    static StageResult prepare_card(const SdMux& mux, const JobImage& image, ControlHost& control,
                                    StageContext& context) {
        if (auto done = control.end_leftovers(configured_device(context)); !done) return control.failure(done.error());
        std::string output;
        std::optional<Error> failed;
        for (const auto& command : mux.host_commands()) {
            // A mux may have only one of the two media: the other command may fail.
            auto done = command.prints_device ? control.run(command.line) : control.run_once(command.line);
            if (!command.prints_device) continue;
            if (!done) failed = done.error();
            output = done.value_or("");
        }
        if (failed) return control.failure(*failed);
        const auto device = mux.device_of(output);
        if (!device) return provisioning_error(device.error().message());
        if (auto done = write_card(*device, image, control, context); !done || *done != 0) return done;
        const auto wants_user = context.job.provision_flag("create_user", true);
        if (!wants_user) return job_error(wants_user.error().message());
        if (*wants_user) {
            if (auto done = create_user(*device, control, context); !done || *done != 0) return done;
        }
        for (const auto& command : list_of(context.config, "post_provision_script")) {
            if (auto done = control.run_once(command); !done) {
                context.log.warning("post_provision_script: " + done.error().message());
            }
        }
        return 0;
    }

    static StageResult write_card(const std::string& device, const JobImage& image, ControlHost& control,
                                  StageContext& context) {
        if (device != configured_device(context)) {
            if (auto done = control.end_leftovers(device); !done) return control.failure(done.error());
        }
        // Unmounts what an earlier, killed run left mounted.
        auto released = control.run_script(unmount_script(mount_folder(context.config)) + release_script(device));
        if (!released) return control.failure(released.error().with_context("cannot unmount " + device));

        const auto limit =
            read_seconds(context.config, "image_timeout", image.is_attached() ? attachment_time : download_time);
        if (!limit) return stage_error("ConfigError", limit.error().message());
        const auto written = image.write([&] { return open_remote_target(control.ssh(), device); }, context, *limit);
        if (!written) {
            if (written.error().signal != 0) return exit_by_signal(written.error().signal);
            return provisioning_error(written.error().message);
        }
        const auto disk = shell_quote(device);
        auto reread = control.run_script("sync\nsudo blockdev --rereadpt " + disk + " || sudo partprobe " + disk +
                                         " || sudo hdparm -z " + disk + " || exit 1\nudevadm settle -t 10 || true\n");
        if (!reread) return control.failure(reread.error().with_context("cannot reread the partition table"));
        return 0;
    }

    static StageResult create_user(const std::string& device, ControlHost& control, StageContext& context) {
        const auto first = first_user(context.job);
        if (!first) return job_error(first.error().message());
        const auto& user = *first;

        RemoteImage image(control.ssh(), device, mount_folder(context.config));
        auto mounted = image.mount();
        for (int tries = 3; !mounted && tries > 0; --tries) {
            if (const int signal = context.interrupt.wait_for(5s); signal != 0) return exit_by_signal(signal);
            mounted = image.mount();
        }
        if (!mounted) return control.failure(mounted.error());
        const auto type = image.type();
        if (!type) return control.failure(type.error());
        if (*type == nullptr) {
            context.log.warning("Unknown image type: not creating a user");
        } else if ((*type)->form == SeedForm::none) {
            return provisioning_error("cannot create a user in an image of type " + std::string((*type)->name) +
                                      ": use an image with a user, and set create_user: false");
        } else {
            context.log.info("Creating the user " + user.name + " in an image of type " + (*type)->name);
            if (auto done = image.add_user(**type, user); !done) return control.failure(done.error());
        }
        if (auto done = image.unmount(); !done) return control.failure(done.error());
        return 0;
    }

    /// After a failure or a stop signal: powers the device off, if possible, and connects the card to the device. Takes
    /// seconds at most. Uses a new connection, because the shared one may be lost.
    static void restore_card(const SdMux& mux, StageContext& context) {
        context.log.info("Connecting the card to the device again");
        UninterruptedRunner commands(context.commands, restore_step_timeout);
        power_off(context, commands);
        auto target = control_target(context.config);
        if (!target) return;
        Ssh ssh(std::move(*target), commands);
        (void)ssh.run_script("(\n" + end_leftovers_script(ssh.target().mark, configured_device(context), 0s) + ")\n" +
                             unmount_script(mount_folder(context.config)));
        const auto result = ssh.run(mux.device_command());
        if (!succeeded(result)) {
            context.log.error("Cannot connect the card to the device; it is probably still at the control host: " +
                              describe(result));
        }
    }

    static StageResult boot(StageContext& context) {
        if (!has_power(context.config)) {
            context.log.info("Not power-cycling the device: reboot_script is not configured");
        } else if (auto done = power_cycle(context, PowerRule::failure_is_recovery); !done || *done != 0) {
            return done;
        }
        BootWait defaults;
        defaults.timeout = 1200s;
        defaults.interval = 10s;
        defaults.report_every = 60s;
        const auto wait = boot_wait(context.config, defaults);
        if (!wait) return stage_error("ConfigError", wait.error().message());
        const auto url = context.job.provision_text("boot_check_url");
        if (!url) return job_error(url.error().message());
        tl::expected<void, BootFailure> up;
        if (*url) {
            auto address = **url;
            constexpr std::string_view variable = "$DEVICE_IP";
            for (auto at = address.find(variable); at != std::string::npos; at = address.find(variable, at + 1)) {
                address.replace(at, variable.size(), context.config.device_ip);
            }
            up = wait_for_device({url_probe(address, context.commands)}, *wait, context);
        } else {
            auto target = device_target(context, true);
            if (!target) return stage_error("ConfigError", target.error().message());
            const auto same = target->clone();
            Ssh ssh(std::move(*target), context.commands);
            up = wait_for_device({device_login_probe(same, ssh, context.commands)}, *wait, context);
        }
        if (up) return 0;
        if (const auto* stopped = std::get_if<BootInterrupted>(&up.error())) return exit_by_signal(stopped->signal);
        return provisioning_error("Failed to boot test image! " + std::get<BootTimedOut>(up.error()).message);
    }
};

}  // namespace

std::unique_ptr<Connector> make_muxpi() {
    return std::make_unique<MuxPi>();
}

}  // namespace trebuchet
