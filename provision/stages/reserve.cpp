#include "provision/stages/reserve.hpp"

#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "provision/job/duration.hpp"
#include "provision/process/last_line.hpp"
#include "provision/process/uninterrupted.hpp"
#include "provision/stages/reservation_keys.hpp"
#include "provision/stages/reservation_order.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <ostream>
#include <system_error>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using Outcome = ReservationKeys::Outcome;

/// In the run folder; the user writes "end" or "extend 1h" into it.
constexpr const char* order_file = "reservation";
constexpr std::size_t max_order = 256;
constexpr auto poll_interval = 5s;
/// On the device. Shorter than the time for which an idle ssh connection stays open.
constexpr auto device_poll_interval = 15s;
constexpr auto silent_device_poll_interval = 60s;
/// Shorter than the agent's default kill_grace of 10 s.
constexpr auto key_removal_timeout = 7s;
/// The server's own default.
constexpr std::chrono::seconds default_longest = 6h;

/// Tools parse these lines: keep the reference's wording.
void announce(const std::string& target, std::chrono::seconds timeout, StageContext& context) {
    const auto& config = context.config;
    const auto now = context.clock.wall_time();
    auto& out = context.out;
    out << "*** TESTFLINGER SYSTEM RESERVED ***\n";
    if (!target.empty()) {
        out << "You can now connect to " << target;
        if (config.device_port != 0) out << " on port " << config.device_port;
        out << '\n';
    }
    if (!config.serial_host.empty() && config.serial_port != 0) {
        out << "Serial access is available via: telnet " << config.serial_host << ' ' << config.serial_port << '\n';
    }
    out << "Current time:           [" << iso8601(now) << "]\n"
        << "Reservation expires at: [" << iso8601(now + timeout) << "]\n"
        << "Reservation will automatically timeout in " << timeout.count() << " seconds\n"
        << "To end the reservation sooner use: testflinger-cli cancel " << context.job.id() << '\n';
    if (!target.empty()) {
        out << "On the device: write a duration such as 1h into ~/trebuchet-extend, or create ~/trebuchet-end\n";
    }
    std::error_code error;
    const auto file = std::filesystem::absolute(order_file, error);
    if (!error) {
        out << "On the agent's host: write \"extend 1h\" or \"end\" into " << file.string() << '\n';
    }
    out << std::flush;
}

/// Reads and deletes the order file. Nothing if there is none or it is invalid.
std::optional<ReservationOrder> take_order(StageContext& context) {
    std::error_code error;
    if (std::filesystem::symlink_status(order_file, error).type() == std::filesystem::file_type::not_found) return {};
    const auto text = read_untrusted(order_file, max_order);
    if (text && text->empty()) return {};  // still being written
    std::filesystem::remove(order_file, error);
    const auto order = text ? parse_reservation_order(*text) : fail(text.error());
    if (order) return *order;
    context.log.warning("The file " + std::string(order_file) + ": " + order.error().message());
    return {};
}

/// Reads what the user of the device wants: the file ~/trebuchet-end, or ~/trebuchet-extend with a duration in it.
class DeviceOrders {
  public:
    /// `device`: null if there is none.
    DeviceOrders(Ssh* device, StageContext& context)
        : device_(device), context_(&context), next_poll_(context.clock.now() + device_poll_interval) {}

    std::optional<ReservationOrder> take() {
        if (device_ == nullptr || context_->clock.now() < next_poll_) return {};
        SshCall call;
        call.timeout = 15s;
        // By /bin/sh: the user's own shell may be any. Always a last line of ours, behind what start-up files print.
        const auto result = device_->run_script(
            "cd || exit 1\n"
            "if [ -e trebuchet-end ]; then rm -f trebuchet-end; echo end\n"
            "elif [ -s trebuchet-extend ]; then echo extend $(head -c 64 trebuchet-extend); rm -f trebuchet-extend\n"
            "else echo none; fi",
            call);
        next_poll_ = context_->clock.now() + (succeeded(result) ? device_poll_interval : silent_device_poll_interval);
        const auto line = last_line(result.output);
        if (!succeeded(result) || line.empty() || line == "none") return {};
        const auto order = parse_reservation_order(line);
        if (order) return *order;
        context_->log.warning("The file trebuchet-extend on the device: " + order.error().message());
        return {};
    }

  private:
    Ssh* device_;
    StageContext* context_;
    std::chrono::steady_clock::time_point next_poll_;
};

/// `max_reserve_timeout` of the configuration.
std::chrono::seconds longest_reservation(const ConnectorConfig& config) {
    const auto found = config.scalars.find("max_reserve_timeout");
    if (found == config.scalars.end()) return default_longest;
    const auto limit = parse_duration(found->second);
    return limit && *limit > 0s ? *limit : default_longest;
}

/// Waits for the end of the reservation. Returns the stop signal, or 0 if it expired or was ended by a file.
int wait(std::chrono::seconds timeout, Ssh* device, StageContext& context) {
    const auto start = context.clock.now();
    // A job that was let through with more has it.
    const auto limit = start + std::max(timeout, longest_reservation(context.config));
    auto end = start + timeout;
    DeviceOrders device_orders(device, context);
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - context.clock.now());
        if (left <= 0s) {
            context.log.info("The reservation has expired");
            return 0;
        }
        if (const int signal = context.interrupt.wait_for(std::min<std::chrono::milliseconds>(left, poll_interval));
            signal != 0) {
            context.log.info("The reservation was ended");
            return signal;
        }
        auto order = take_order(context);
        if (!order) order = device_orders.take();
        if (!order) continue;
        if (std::holds_alternative<EndReservation>(*order)) {
            context.log.info("The reservation was ended by the file " + std::string(order_file));
            return 0;
        }
        const auto wanted = end + std::get<ExtendReservation>(*order).by;
        if (wanted > limit) context.log.warning("The reservation cannot be extended beyond max_reserve_timeout");
        end = std::min(wanted, limit);
        const auto from_now = std::chrono::duration_cast<std::chrono::seconds>(end - context.clock.now());
        context.out << "Reservation expires at: [" << iso8601(context.clock.wall_time() + from_now) << "]\n"
                    << std::flush;
    }
}

}  // namespace

StageResult reserve(StageContext& context) {
    context.log.info("BEGIN reservation");
    const auto data = context.job.reserve_data();
    if (!data) return job_error(data.error().message());
    const auto user = context.job.test_username();
    if (!user) return job_error(user.error().message());
    const auto password = context.job.test_password();
    if (!password) return job_error(password.error().message());

    const auto& config = context.config;
    const auto target = config.device_ip.empty() ? "" : *user + "@" + config.device_ip;
    if (target.empty() && !data->ssh_keys.empty()) {
        context.log.warning("device_ip is not configured: cannot install the job's ssh keys");
    }
    const auto device = [&] {
        return SshTarget{config.device_ip, config.device_port, *user, config.device_key_file,
                         *password ? SecretString((*password)->reveal()) : SecretString()};
    };
    Ssh ssh(device(), context.commands);
    ReservationKeys keys(ssh, context);
    for (const auto& key : data->unusable_keys) {
        context.log.error("Skipping the ssh key " + trebuchet::quoted(key) +
                          ": expected text, a name such as lp:NAME or gh:NAME, or a public key");
    }
    for (const auto& key : data->ssh_keys) {
        if (target.empty() || keys.install(key) == Outcome::interrupted) break;
    }
    int signal = context.interrupt.wait_for(0s);
    if (signal == 0) {
        announce(target, data->timeout, context);
        signal = wait(data->timeout, target.empty() ? nullptr : &ssh, context);
    }
    ssh.disconnect();  // the device may have restarted since then
    UninterruptedRunner last_commands(context.commands, key_removal_timeout);
    Ssh last_ssh(device(), last_commands);
    keys.remove(last_ssh);
    return signal == 0 ? 0 : exit_by_signal(signal);
}

}  // namespace trebuchet
