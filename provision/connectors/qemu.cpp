#include "provision/boot/boot_probes.hpp"
#include "provision/boot/boot_waiter.hpp"
#include "provision/boot/serial_probe.hpp"
#include "provision/connectors/connector.hpp"
#include "provision/connectors/console_device.hpp"
#include "provision/connectors/job_image.hpp"
#include "provision/power/qmp_power.hpp"
#include "provision/power/retrying_power.hpp"
#include "provision/qemu/qemu_device.hpp"
#include "provision/serial/serial_capture.hpp"
#include "provision/stages/runtest.hpp"
#include "provision/strategy/console_shell.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

std::vector<KeySpec> qemu_keys() {
    return {
        {"qemu_disk", KeyKind::text, "",
         "absolute path of the file that acts as the device's SD card (a raw image); created if missing", true},
        {"qemu_disk_size", KeyKind::number, "1024", "minimum size of qemu_disk in MiB"},
        {"qemu_qmp", KeyKind::text, "",
         "QEMU's control socket (-qmp unix:PATH,server=on,wait=off); default with qemu_start: QEMU_DISK.qmp"},
        {"qemu_start", KeyKind::flag, "false",
         "start QEMU for each job and stop it in cleanup; the keys below need this"},
        {"qemu_snapshot", KeyKind::flag, "false", "keep the booted device for the next job with the same image"},
        {"qemu_kernel", KeyKind::text, "", "kernel to boot; default: the disk's boot loader"},
        {"qemu_initrd", KeyKind::text, "", "initrd for qemu_kernel"},
        {"qemu_append", KeyKind::text, "console=ttyS0 panic=-1", "kernel command line"},
        {"qemu_memory", KeyKind::number, "512", "memory in MiB"},
        {"qemu_cpus", KeyKind::number, "1", "number of processors"},
        {"qemu_offline", KeyKind::flag, "false", "no network except the forwarded ssh port"},
        {"qemu_accel", KeyKind::text, "tcg,thread=multi",
         "accelerator; never detected, as /dev/kvm may exist and not work"},
        {"qemu_machine", KeyKind::text, "pc", "machine type"},
        {"qemu_program", KeyKind::text, "qemu-system-x86_64", "QEMU program"},
        {"qemu_args", KeyKind::text, "", "additional QEMU arguments, split into words as by a shell"},
        {"boot_prompt", KeyKind::text, "", "regular expression for the console output of a device that is up"},
        {"qemu_boot_timeout", KeyKind::seconds, "300", "timeout from power-on until ssh answers"},
    };
}

StageResult power_failed(const PowerError& error, StageContext& context) {
    if (const int signal = context.interrupt.wait_for(0s); signal != 0) return exit_by_signal(signal);
    return tl::unexpected(StageError{"RecoveryError", error.message, std::nullopt, exit_recovery_failed});
}

StageResult not_written(const ImageError& error) {
    if (error.signal != 0) return exit_by_signal(error.signal);
    return stage_error("ProvisioningError", error.message);
}

/// A virtual device. QEMU either runs independently, as a board does, or is started for each job.
class Qemu final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override {
        auto keys = qemu_keys();
        const auto image = JobImage::config_keys();
        keys.insert(keys.end(), image.begin(), image.end());
        for (const auto& spec : console_device_keys()) keys.push_back(spec);
        return {keys, JobImage::keys()};
    }

    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        const auto settings = read_qemu_settings(config);
        auto found = console_device_problems(config);
        if (!settings) found.push_back(settings.error().message());
        if (settings && !settings->boot_prompt.empty() && has_console_strategy(config)) found.emplace_back(two_waits);
        return found;
    }

  protected:
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        const auto settings = read_qemu_settings(context.config);
        if (!settings) return stage_error("ConfigError", settings.error().message());
        if (!settings->boot_prompt.empty() && has_console_strategy(context.config)) {
            return stage_error("ConfigError", two_waits);
        }
        auto result = settings->start ? provision_own(*settings, context) : provision_running(*settings, context);
        context.log.info("END provision");
        return result;
    }

    StageResult runtest(StageContext& context) override {
        return tests_on_console(context.config) ? runtest_on_console(context) : trebuchet::runtest(context);
    }

    StageResult cleanup(StageContext& context) override {
        const auto settings = read_qemu_settings(context.config);
        if (!settings) return stage_error("ConfigError", settings.error().message());
        if (!settings->start) return 0;
        if (auto done = QemuDevice(*settings, context.commands, context.interrupt).stop(); !done) {
            return stage_error("CleanupError", done.error().message());
        }
        return 0;
    }

  private:
    static constexpr const char* two_waits =
        "found boot_prompt and console_strategy: the strategy waits for the console itself; expect the prompt in its "
        "last step instead";

    static StageResult provision_running(const QemuSettings& settings, StageContext& context) {
        const auto image = JobImage::of(context.job, context.config);
        if (!image) return job_error(image.error().message());
        RetryingPower power(std::make_unique<QmpPower>(settings.qmp_socket),
                            {context.log, context.interrupt, context.clock, context.jitter});
        if (auto done = power.off(); !done) return power_failed(done.error(), context);
        if (auto done = write(*image, settings, context); !done) return not_written(done.error());
        if (auto done = power.on(); !done) return power_failed(done.error(), context);
        return wait_until_up(settings, context);
    }

    static StageResult provision_own(const QemuSettings& settings, StageContext& context) {
        const auto image = JobImage::of(context.job, context.config);
        if (!image) return job_error(image.error().message());
        std::optional<std::string> identity;
        if (settings.snapshot) {
            auto known = image->identity(context);
            if (!known) return job_error(known.error().message());
            identity = std::move(*known);
        }
        QemuDevice device(settings, context.commands, context.interrupt);
        if (identity && device.has_snapshot_of(*identity)) {
            context.log.info("Restoring the snapshot of an earlier job with the same image");
            auto done = device.restore_snapshot().and_then([&] { return resume(device, context); });
            if (done) return wait_until_up(settings, context, true);
            context.log.warning("Cannot restore the snapshot: " + done.error().message() +
                                "; provisioning from the image");
        }

        auto done = device.stop().and_then([&] { return device.prepare_disk(); });
        if (!done) return stage_error("ProvisioningError", done.error().message());
        if (auto written = write(*image, settings, context); !written) return not_written(written.error());
        done = device.start().and_then([&] { return resume(device, context); });
        if (!done) return stage_error("ProvisioningError", done.error().message());
        auto result = wait_until_up(settings, context);
        if (!result || *result != 0 || !settings.snapshot) return result;
        save_snapshot(device, identity, context);
        return 0;
    }

    static tl::expected<void, ImageError> write(const JobImage& image, const QemuSettings& settings,
                                                StageContext& context) {
        return image.write([&] { return open_local_target(settings.disk); }, context);
    }

    static void save_snapshot(QemuDevice& device, const std::optional<std::string>& image, StageContext& context) {
        if (!image) {
            context.log.info("Not saving a snapshot: an image from a url needs a checksum for that");
        } else if (auto saved = device.save_snapshot(*image); !saved) {
            context.log.warning("Cannot save a snapshot for the next job: " + saved.error().message());
        }
    }

    /// Connects the console first, so that it gets the first byte.
    static Result<void> resume(QemuDevice& device, StageContext& context) {
        if (context.serial != nullptr) context.serial->connect_now(5s);
        return device.resume();
    }

    /// A restored device does not print its prompt again.
    static StageResult wait_until_up(const QemuSettings& settings, StageContext& context, bool was_restored = false) {
        std::vector<BootProbe> probes;
        if (!settings.boot_prompt.empty() && context.serial != nullptr && !was_restored) {
            probes.push_back(
                serial_probe(*context.serial, SerialPattern::regex(settings.boot_prompt).value(), context.interrupt));
        }
        // It is past the steps from off to a shell, too, and would be restarted by them.
        if (!was_restored) {
            if (auto done = bring_up_on_console(context); !done || *done != 0) return done;
        }
        // A device without network is up when its shell is there.
        if (tests_on_console(context.config)) return 0;
        probes.push_back(ssh_banner_probe(settings.ssh_host, settings.ssh_port));
        BootWait wait;
        wait.timeout = settings.boot_timeout;
        wait.interval = 500ms;
        const auto up = wait_for_boot(probes, wait, {context.log, context.interrupt, context.clock});
        if (up) return 0;
        if (const auto* interrupted = std::get_if<BootInterrupted>(&up.error()))
            return exit_by_signal(interrupted->signal);
        return stage_error("ProvisioningError", std::get<BootTimedOut>(up.error()).message);
    }
};

}  // namespace

std::unique_ptr<Connector> make_qemu() {
    return std::make_unique<Qemu>();
}

}  // namespace trebuchet
