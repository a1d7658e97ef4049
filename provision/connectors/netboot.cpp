#include "common/file/safe_file.hpp"
#include "provision/connectors/config_script.hpp"
#include "provision/connectors/connector.hpp"
#include "provision/connectors/job_image.hpp"
#include "provision/connectors/key_login.hpp"
#include "provision/http/rest_call.hpp"
#include "provision/image/compressing_target.hpp"
#include "provision/image/image_server.hpp"
#include "provision/power/make_power.hpp"
#include "provision/script/stage_script.hpp"

#include <algorithm>
#include <cctype>
#include <memory>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr const char* image_file = "netboot-image.xz";
constexpr const char* imager_says = "Snappy Test Device Imager";
constexpr auto flash_time = 1800s;
constexpr auto check_time = 10s;
constexpr auto copy_time = 60s;
constexpr auto master_time = 600s;
constexpr auto test_image_time = 900s;
constexpr auto shutdown_time = 60s;
constexpr auto look_again = 10s;

/// A device that boots a small system from the network, which writes the image that it fetches from us.
class NetBoot final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override {
        ConnectorKeys keys{
            {{"test_device", KeyKind::text, "", "the device's disk, in the system from the network: /dev/sda", true},
             {"select_master_script", KeyKind::commands, "", "commands after which the device boots from the network"},
             {"select_test_script", KeyKind::commands, "", "commands after which it boots its own disk"},
             {"post_flash_cmds", KeyKind::commands, "", "commands after writing, run by /bin/sh"},
             {"image_timeout", KeyKind::seconds, "1800", "time limit of writing the image"},
             {"image_server_address", KeyKind::text, "",
              "our address for the device; default: that of the route to it"}},
            JobImage::keys()};
        for (const auto& spec : JobImage::config_keys()) keys.config.push_back(spec);
        return keys;
    }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        auto found = missing_device(config);
        if (!has_power(config))
            found.emplace_back("reboot_script is missing: expected commands that restart the device");
        if (!is_disk(text_of(config, "test_device")))
            found.emplace_back("test_device: expected a path such as /dev/sda");
        return found;
    }

  protected:
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        auto result = check_and_provision(context);
        (void)remove_tree(image_file);
        context.log.info("END provision");
        return result;
    }

  private:
    static std::string text_of(const ConnectorConfig& config, const char* key) {
        const auto found = config.scalars.find(key);
        return found == config.scalars.end() ? "" : found->second;
    }
    /// It becomes part of a URL.
    static bool is_disk(const std::string& path) {
        return path.starts_with("/dev/") && std::all_of(path.begin(), path.end(), [](char c) {
                   return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '-' || c == '_';
               });
    }

    StageResult check_and_provision(StageContext& context) const {
        const auto image = JobImage::of(context.job, context.config);
        if (!image) return provisioning_error("Error downloading image: " + image.error().message());
        if (const auto wrong = problems(context.config); !wrong.empty())
            return stage_error("ConfigError", wrong.front());
        const auto loaded =
            image->write([&] { return open_compressing_target(image_file, context.commands); }, context);
        if (!loaded) {
            if (loaded.error().signal != 0) return exit_by_signal(loaded.error().signal);
            return provisioning_error("Error downloading image: " + loaded.error().message);
        }
        if (!is_master(context)) {
            if (auto done = reach_master(context); !done || *done != 0) return done;
        }
        if (auto done = flash(context); !done || *done != 0) return done;
        if (auto done = run_by_shell("post_flash_cmds", context); !done || *done != 0) return done;
        (void)ask("/reboot", check_time, context);
        if (const int signal = context.interrupt.wait_for(0s); signal != 0) return exit_by_signal(signal);
        return reach_test_image(context);
    }

    static tl::expected<RestAnswer, RestFailure> ask(const std::string& path, std::chrono::seconds time,
                                                     StageContext& context) {
        RestCall call;
        call.url = "http://" + context.config.device_ip + ":8989" + path;
        call.timeout = time;
        return call_rest(call, context.commands);
    }

    static bool is_master(StageContext& context) {
        const auto answer = ask("/check", check_time, context);
        return answer && answer->is_success() && answer->body.find(imager_says) != std::string::npos;
    }

    static Result<SshTarget> target_of(StageContext& context, bool with_password) {
        auto target = device_target(context, with_password, "admin");
        if (target && !context.job.has_test_username()) target->user = "admin";
        return target;
    }

    /// Before the image is written, a device that cannot be brought to its master goes offline (46).
    static StageResult reach_master(StageContext& context) {
        constexpr const char* unusable = "Unable to put system in a usable state!";
        auto reached = reach_test_image(context);
        if (reached && *reached == 0 && !is_master(context)) {
            if (const int signal = context.interrupt.wait_for(0s); signal != 0) return exit_by_signal(signal);
            reached = run_by_shell("select_master_script", context);
            if (reached && *reached == 0) return boot_master(context);
        }
        if (!reached && reached.error().exit_code == exit_failure && reached.error().name == "ProvisioningError") {
            return recovery_error(std::string(unusable) + " " + reached.error().message);
        }
        return reached;
    }

    static StageResult boot_master(StageContext& context) {
        if (auto done = power_cycle(context, PowerRule::failure_is_recovery); !done || *done != 0) return done;
        const auto end = context.clock.now() + master_time;
        while (context.clock.now() < end) {
            if (const int signal = context.interrupt.wait_for(look_again); signal != 0) return exit_by_signal(signal);
            if (is_master(context)) return 0;
        }
        return recovery_error("Could not reboot to master image!");
    }

    static StageResult reach_test_image(StageContext& context) {
        auto target = target_of(context, true);
        if (!target) return stage_error("ConfigError", target.error().message());
        const auto same = target->clone();
        Ssh ssh(std::move(*target), context.commands);
        const auto login = device_login_probe(same, ssh, context.commands, copy_time);
        if (login.check()) return 0;
        if (const int signal = context.interrupt.wait_for(0s); signal != 0) return exit_by_signal(signal);
        if (auto done = boot_test_image(context); !done || *done != 0) return done;
        BootWait wait;
        wait.initial_delay = shutdown_time + look_again;
        wait.timeout = shutdown_time + test_image_time;
        wait.interval = look_again;
        wait.report_every = 60s;
        const auto up = wait_for_device({login}, wait, context);
        if (up) return 0;
        if (const auto* stopped = std::get_if<BootInterrupted>(&up.error())) return exit_by_signal(stopped->signal);
        return provisioning_error("Failed to boot test image! " + std::get<BootTimedOut>(up.error()).message);
    }

    static StageResult boot_test_image(StageContext& context) {
        if (auto done = run_by_shell("select_test_script", context); !done || *done != 0) return done;
        auto target = target_of(context, false);
        if (!target) return stage_error("ConfigError", target.error().message());
        Ssh ssh(std::move(*target), context.commands);
        const auto result = ssh.run("sudo /sbin/reboot");
        if (succeeded(result)) return 0;
        if (const auto* end = std::get_if<CommandInterrupted>(&result.end)) return exit_by_signal(end->signal);
        return power_cycle(context, PowerRule::failure_is_recovery);
    }

    static StageResult flash(StageContext& context) {
        const auto& config = context.config;
        const auto limit = read_seconds(config, "image_timeout", flash_time);
        if (!limit) return stage_error("ConfigError", limit.error().message());
        const auto given = text_of(config, "image_server_address");
        const auto own = given.empty() ? own_address_towards(config.device_ip) : Result<std::string>(given);
        if (!own) return stage_error("ConfigError", own.error().message() + ": set image_server_address");
        const auto server = ImageServer::start(image_file);
        if (!server) return provisioning_error(server.error().message());
        context.log.info("The device fetches the image from " + *own + " port " + std::to_string(server->port()));
        // The backslash is right: the system from the network passes the address on to a shell.
        const auto answer = ask("/writeimage?server=" + *own + ":" + std::to_string(server->port()) +
                                    "\\&dev=" + text_of(config, "test_device"),
                                *limit, context);
        if (!answer) {
            if (answer.error().signal != 0) return exit_by_signal(answer.error().signal);
            return provisioning_error("Error while flashing image! " + answer.error().message);
        }
        if (answer->is_success()) return 0;
        return provisioning_error("Error while flashing image! status " + std::to_string(answer->status));
    }
};

}  // namespace

std::unique_ptr<Connector> make_netboot() {
    return std::make_unique<NetBoot>();
}

}  // namespace trebuchet
