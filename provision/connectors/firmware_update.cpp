#include "provision/connectors/firmware_update.hpp"

#include "common/base/backoff.hpp"
#include "common/base/text.hpp"
#include "provision/boot/boot_probes.hpp"
#include "provision/connectors/device.hpp"
#include "provision/firmware/fwupd.hpp"
#include "provision/process/last_line.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

/// Vendors whose firmware is on LVFS.
constexpr std::array<std::string_view, 3> vendors{"HP", "Dell Inc.", "LENOVO"};
constexpr int tries = 3;
constexpr std::size_t longest_listing = std::size_t{4} * 1024 * 1024;
constexpr auto install_time = 300s;
constexpr auto write_time = 600s;

/// Does nothing if fwupd is installed.
constexpr const char* install_command =
    "command -v fwupdmgr >/dev/null || { sudo apt-get update && sudo apt-get install -y fwupd; }";

class FirmwareUpdate {
  public:
    FirmwareUpdate(SshTarget target, StageContext& context)
        : context_(&context), ssh_(std::move(target), context.commands) {}

    Result<void> run() {
        if (auto done = reach(); !done) return done;
        const auto vendor = ask("cat /sys/class/dmi/id/chassis_vendor", 30s);
        if (!vendor) return fail(vendor.error().with_context("cannot read the vendor from the DMI"));
        const auto name = last_line(*vendor);
        if (std::find(vendors.begin(), vendors.end(), name) == vendors.end()) {
            return fail("found the vendor " + trebuchet::quoted(name) +
                        ", expected HP, Dell Inc. or LENOVO: fwupd cannot update other vendors");
        }
        if (auto done = ask(install_command, install_time); !done) return fail(done.error());
        if (auto done = retry("sudo fwupdmgr refresh --force", 120s); !done) return fail(done.error());
        const auto listed = ask("sudo fwupdmgr get-devices --json 2>/dev/null", 60s);
        if (!listed) return fail(listed.error());
        const auto parts = parse_fwupd_devices(*listed);
        if (!parts) return fail(parts.error());
        return update(*parts);
    }

  private:
    Result<void> reach() {
        BootWait wait;
        wait.timeout = 60s;
        wait.interval = 10s;
        const auto up = wait_for_device({ssh_login_probe(ssh_)}, wait, *context_);
        if (up) return {};
        const auto* late = std::get_if<BootTimedOut>(&up.error());
        return fail(late == nullptr ? "stopped by a signal" : "the device does not answer: " + late->message);
    }

    Result<std::string> ask(const std::string& command, std::chrono::milliseconds timeout) {
        SshCall call;
        call.timeout = timeout;
        call.output_limit = longest_listing;
        auto result = ssh_.run(command, call);
        if (!succeeded(result)) return fail(command + ": " + describe(result));
        return std::move(result.output);
    }

    Result<std::string> retry(const std::string& command, std::chrono::milliseconds timeout) {
        Backoff backoff(5s, 30s, context_->jitter);
        for (int left = tries;; --left) {
            auto done = ask(command, timeout);
            if (done || left == 1 || context_->interrupt.wait_for(backoff.next()) != 0) return done;
        }
    }

    Result<void> update(const std::vector<FirmwarePart>& parts) {
        std::string failed;
        const auto note = [&](const FirmwarePart& part, const std::string& why) {
            context_->log.error(part.name + ": " + why);
            failed += (failed.empty() ? "" : "; ") + part.name + ": " + why;
        };
        std::vector<FirmwarePart> written;
        for (const auto& part : parts) {
            if (part.newest.empty()) {
                context_->log.info(part.name + ": nothing newer than " + trebuchet::quoted(part.version));
                continue;
            }
            context_->log.info(part.name + ": from " + trebuchet::quoted(part.version) + " to " +
                               trebuchet::quoted(part.newest));
            if (auto done = ask("sudo fwupdmgr upgrade " + part.id + " -y --no-reboot-check", write_time); done) {
                written.push_back(part);
            } else if (context_->interrupt.wait_for(0ms) != 0) {
                return fail(done.error());
            } else {
                note(part, done.error().message());
            }
        }
        if (!written.empty()) {
            if (auto done = restart(); !done) return done;
        }
        for (const auto& part : written) {
            const auto results = ask("sudo fwupdmgr get-results " + part.id + " --json 2>/dev/null", 60s);
            const auto done =
                results ? check_fwupd_results(*results, part.newest) : Result<void>(fail(results.error()));
            if (!done) note(part, done.error().message());
        }
        if (!failed.empty()) return fail(failed);
        return {};
    }

    /// fwupd installs some updates during the next boot.
    Result<void> restart() {
        context_->log.info("Restarting the device");
        // The reboot may close the connection before the command returns.
        const auto rebooted = ssh_.run("sudo reboot");
        if (!succeeded(rebooted) && !is_transport_failure(rebooted.end)) {
            return fail("sudo reboot: " + describe(rebooted));
        }
        ssh_.disconnect();
        BootWait defaults;
        defaults.initial_delay = 10s;
        defaults.timeout = 900s;
        defaults.interval = 10s;
        const auto wait = boot_wait(context_->config, defaults);
        if (!wait) return fail(wait.error());
        const auto up = wait_for_device({ssh_login_probe(ssh_)}, *wait, *context_);
        if (up) return {};
        const auto* late = std::get_if<BootTimedOut>(&up.error());
        return fail(late == nullptr ? "stopped by a signal" : "the device does not come back: " + late->message);
    }

    StageContext* context_;
    Ssh ssh_;
};

}  // namespace

StageResult update_firmware(StageContext& context) {
    const auto version = context.job.firmware_version();
    if (!version) return job_error(version.error().message());
    if (*version != "latest") {
        return job_error("firmware_update_data.version: found " + trebuchet::quoted(version->value_or("nothing")) +
                         ", expected latest");
    }
    const auto may_fail = context.job.ignores_firmware_failure();
    if (!may_fail) return job_error(may_fail.error().message());
    auto target = device_target(context, false);
    if (!target) return stage_error("ConfigError", target.error().message());

    context.log.info("BEGIN firmware_update");
    const auto done = FirmwareUpdate(std::move(*target), context).run();
    context.log.info("END firmware_update");
    if (done) return 0;
    if (const int signal = context.interrupt.wait_for(0ms); signal != 0) return exit_by_signal(signal);
    if (!*may_fail) return stage_error("FirmwareUpdateError", done.error().message());
    context.log.warning("The firmware update failed; continuing, because the job sets ignore_failure: " +
                        done.error().message());
    return 0;
}

}  // namespace trebuchet
