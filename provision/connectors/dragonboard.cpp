#include "provision/boot/boot_probes.hpp"
#include "provision/connectors/config_script.hpp"
#include "provision/connectors/connector.hpp"
#include "provision/connectors/control_host.hpp"
#include "provision/connectors/job_image.hpp"
#include "provision/connectors/key_login.hpp"
#include "provision/connectors/leftovers.hpp"
#include "provision/image/image_target.hpp"
#include "provision/process/uninterrupted.hpp"
#include "provision/script/stage_script.hpp"
#include "provision/seed/seed_partition.hpp"
#include "provision/ssh/shell_quote.hpp"

#include <memory>
#include <optional>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr auto flash_time = 1800s;
constexpr auto master_time = 300s;
constexpr auto look_again = 10s;
constexpr auto settle_time = 60s;
constexpr auto clear_time = 3s;

/// What the board runs.
enum class Running { nothing, master, test_image };

/// A board with a second system, the master, which writes the test image to the board's disk. The user there is linaro,
/// and has our key.
class DragonBoard final : public Connector {
  public:
    [[nodiscard]] ConnectorKeys keys() const override {
        ConnectorKeys keys{
            {{"test_device", KeyKind::text, "", "the board's disk for the test image, in the master: /dev/mmcblk1",
              true},
             {"snappy_writable_partition", KeyKind::text, "", "its partition with the installed system", true},
             {"select_master_script", KeyKind::commands, "", "commands after which the board boots the master", true},
             {"select_test_script", KeyKind::commands, "", "commands after which it boots the test image", true},
             {"image_timeout", KeyKind::seconds, "1800", "time limit of writing the image"}},
            JobImage::keys()};
        for (const auto& spec : JobImage::config_keys()) keys.config.push_back(spec);
        for (const auto& spec : boot_keys("600", "60", "10")) keys.config.push_back(spec);
        return keys;
    }
    [[nodiscard]] std::vector<std::string> problems(const ConnectorConfig& config) const override {
        auto found = missing_device(config);
        for (const auto* key : {"test_device", "snappy_writable_partition"}) {
            const auto value = config.scalars.find(key);
            if (value == config.scalars.end() || !value->second.starts_with("/dev/")) {
                found.push_back(std::string(key) + ": expected a path such as /dev/mmcblk1");
            }
        }
        for (const auto* key : {"select_master_script", "select_test_script"}) {
            if (list_of(config, key).empty()) found.push_back(std::string(key) + " is missing: expected commands");
        }
        return found;
    }

  protected:
    StageResult provision(StageContext& context) override {
        context.log.info("BEGIN provision");
        const auto image = JobImage::of(context.job, context.config);
        if (!image) return provisioning_error(image.error().message());
        if (const auto wrong = problems(context.config); !wrong.empty())
            return stage_error("ConfigError", wrong.front());
        if (const auto target = device_target(context, false); !target) {
            return stage_error("ConfigError", target.error().message());
        }
        auto result = reach_master(context);
        if (result && *result == 0) result = release(context);
        if (result && *result == 0) {
            result = install(*image, context);
            if (!result || *result != 0) clear_disk(context);
        }
        if (result && *result == 0) result = boot(context);
        context.log.info("END provision");
        return result;
    }

  private:
    static SshTarget master(const StageContext& context) {
        return {context.config.device_ip, context.config.device_port,        "linaro", context.config.device_key_file,
                SecretString(),           new_mark(context.config.device_ip)};
    }

    static bool is_master(StageContext& context) {
        Ssh ssh(master(context), context.commands);
        const auto result = ssh.run("cat /etc/issue");
        return succeeded(result) && result.output.find("Debian GNU") != std::string::npos;
    }

    /// Only the test image has snapd. With `installs_key` our key is installed first.
    static Result<void> check_test_image(bool installs_key, StageContext& context) {
        auto target = device_target(context, true);
        if (!target) return fail(target.error());
        const auto same = target->clone();
        if (installs_key) {
            Ssh ssh(std::move(*target), context.commands);
            (void)device_login_probe(same, ssh, context.commands).check();
        }
        Ssh ssh({same.host, same.port, same.user, same.key_file, SecretString()}, context.commands);
        const auto result = ssh.run("snap -h");
        if (succeeded(result)) return {};
        return fail("snap -h: " + describe(result));
    }

    static Running look(bool installs_key, StageContext& context) {
        if (installs_key && check_test_image(true, context)) return Running::test_image;
        if (is_master(context)) return Running::master;
        if (!installs_key && check_test_image(false, context)) return Running::test_image;
        return Running::nothing;
    }

    static StageResult reach_master(StageContext& context) {
        auto running = look(true, context);
        if (const int signal = context.interrupt.wait_for(0s); signal != 0) return exit_by_signal(signal);
        if (running == Running::nothing) {
            if (auto done = restart_stuck(running, context); !done || *done != 0) return done;
        }
        if (running == Running::master) return 0;
        if (auto done = run_words("select_master_script", context); !done || *done != 0) return done;
        if (auto done = power_cycle(context, PowerRule::timeout_is_recovery); !done || *done != 0) return done;
        return wait_for_system(context, "Could not reboot to master!", [&] { return is_master(context); });
    }

    static StageResult restart_stuck(Running& running, StageContext& context) {
        context.log.warning("Neither the master nor the test image answers; restarting the board");
        if (auto done = power_cycle(context, PowerRule::timeout_is_recovery); !done || *done != 0) return done;
        return wait_for_system(context, "Device is in an unknown state, may require manual recovery!", [&] {
            running = look(false, context);
            return running != Running::nothing;
        });
    }

    /// The board is offline (46) if its own system does not come back.
    template <typename Look>
    static StageResult wait_for_system(StageContext& context, const char* otherwise, Look is_up) {
        const auto end = context.clock.now() + master_time;
        while (context.clock.now() < end) {
            if (const int signal = context.interrupt.wait_for(look_again); signal != 0) return exit_by_signal(signal);
            if (is_up()) return 0;
        }
        if (const int signal = context.interrupt.wait_for(0s); signal != 0) return exit_by_signal(signal);
        return recovery_error(otherwise);
    }

    /// Fails if the disk is in use.
    static StageResult release(StageContext& context) {
        const auto& device = context.config.scalars.at("test_device");
        ControlHost board(master(context), context);
        if (auto done = board.end_leftovers(device); !done) return board.failure(done.error());
        if (auto done = board.run_script(release_script(device)); !done) return board.failure(done.error());
        return 0;
    }

    static StageResult install(const JobImage& image, StageContext& context) {
        ControlHost board(master(context), context);
        if (auto done = write(image, board, context); !done || *done != 0) return done;
        if (auto done = seed(board, context); !done || *done != 0) return done;
        return run_words("select_test_script", context);
    }

    static StageResult write(const JobImage& image, ControlHost& board, StageContext& context) {
        const auto& device = context.config.scalars.at("test_device");
        const auto disk = shell_quote(device);
        const auto limit = read_seconds(context.config, "image_timeout", flash_time);
        if (!limit) return stage_error("ConfigError", limit.error().message());
        const auto written = image.write([&] { return open_remote_target(board.ssh(), device); }, context, *limit);
        if (!written) {
            if (written.error().signal != 0) return exit_by_signal(written.error().signal);
            return provisioning_error(written.error().message);
        }
        auto reread = board.run_script("sync\nsudo hdparm -z " + disk + " || sudo partprobe " + disk +
                                       " || exit 1\nudevadm settle -t 10 || true\n");
        if (!reread) {
            return board.failure(reread.error().with_context("Unable to run hdparm to rescan partitions"));
        }
        return 0;
    }

    static StageResult seed(ControlHost& board, StageContext& context) {
        const auto user = first_user(context.job);
        if (!user) return job_error(user.error().message());
        const auto& partition = context.config.scalars.at("snappy_writable_partition");
        if (auto done = seed_partition(board.ssh(), {partition}, mount_folder(context.config), *user); !done) {
            return board.failure(done.error().with_context("Error mounting writable partition on test image " +
                                                           partition + ". Check device configuration"));
        }
        return 0;
    }

    /// A half-written image must not boot. After a stop signal as well.
    static void clear_disk(StageContext& context) {
        UninterruptedRunner commands(context.commands, clear_time);
        Ssh ssh(master(context), commands);
        const auto& device = context.config.scalars.at("test_device");
        const auto result = ssh.run("sudo sgdisk -o " + shell_quote(device));
        if (!succeeded(result)) {
            context.log.warning(device + " may still have a part of the image: sgdisk: " + describe(result));
        }
    }

    static StageResult boot(StageContext& context) {
        {
            Ssh ssh(master(context), context.commands);
            // The board may end the connection first.
            const auto result = ssh.run("sudo /sbin/reboot");
            if (const auto* end = std::get_if<CommandInterrupted>(&result.end)) return exit_by_signal(end->signal);
        }
        BootWait usual;
        usual.initial_delay = settle_time;
        usual.timeout = 660s;
        usual.interval = look_again;
        const auto wait = boot_wait(context.config, usual);
        if (!wait) return stage_error("ConfigError", wait.error().message());
        const BootProbe up{"the test image", [&] { return check_test_image(true, context); }};
        const auto done = wait_for_device({up}, *wait, context);
        if (!done) {
            if (const auto* stopped = std::get_if<BootInterrupted>(&done.error()))
                return exit_by_signal(stopped->signal);
            return provisioning_error("Failed to boot test image! " + std::get<BootTimedOut>(done.error()).message);
        }
        // cloud-init may still be at work.
        const int signal = context.interrupt.wait_for(settle_time);
        return signal == 0 ? 0 : exit_by_signal(signal);
    }
};

}  // namespace

std::unique_ptr<Connector> make_dragonboard() {
    return std::make_unique<DragonBoard>();
}

}  // namespace trebuchet
