#include "provision/qemu/qemu_device.hpp"

#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "provision/power/qmp_client.hpp"

#include <system_error>
#include <utility>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr const char* snapshot = "provisioned";
constexpr std::size_t max_record = 4096;
constexpr auto launch_timeout = 60s;
constexpr auto snapshot_timeout = 120s;
/// An earlier QEMU may hold its disk and ports for a moment after it has closed its control socket.
constexpr int tries = 5;
constexpr auto between_tries = 200ms;

}  // namespace

QemuDevice::QemuDevice(QemuSettings settings, CommandRunner& commands, Interrupt& interrupt)
    : settings_(std::move(settings)), commands_(&commands), interrupt_(&interrupt) {
    // QEMU changes to the root folder when it goes into the background.
    for (auto* path : {&settings_.disk, &settings_.kernel, &settings_.initrd}) {
        if (!path->empty()) *path = std::filesystem::absolute(*path);
    }
}

Result<void> QemuDevice::stop() {
    auto client = QmpClient::connect(settings_.qmp_socket);
    if (!client) return {};
    return client->quit();
}

Result<void> QemuDevice::prepare_disk() {
    std::error_code error;
    std::filesystem::remove(record(), error);
    if (!error) std::filesystem::remove(overlay(), error);
    if (error) return fail("cannot remove the snapshot of " + settings_.disk.string() + ": " + error.message());
    if (!std::filesystem::exists(settings_.disk, error)) {
        if (auto made = create_new_file(settings_.disk); !made) return fail(made.error().with_context("qemu_disk"));
    }
    const auto size = std::filesystem::file_size(settings_.disk, error);
    const auto wanted = settings_.disk_mib * 1024 * 1024;
    if (!error && size < wanted) std::filesystem::resize_file(settings_.disk, wanted, error);
    if (error) return fail("qemu_disk: " + settings_.disk.string() + ": " + error.message());
    return {};
}

Result<void> QemuDevice::start() {
    if (auto done = launch(qemu_command(settings_)); !done || !settings_.snapshot) return done;
    auto client = QmpClient::connect(settings_.qmp_socket);
    if (!client) return fail(client.error());
    const auto done = client->execute(
        "blockdev-snapshot-sync",
        {{"device", qemu_disk_device}, {"snapshot-file", overlay().string()}, {"format", "qcow2"}}, snapshot_timeout);
    if (!done) return fail(done.error());
    return {};
}

Result<void> QemuDevice::resume() {
    auto client = QmpClient::connect(settings_.qmp_socket);
    if (!client) return fail(client.error());
    if (const auto done = client->execute("cont"); !done) return fail(done.error());
    return {};
}

Result<void> QemuDevice::save_snapshot(const std::string& image) {
    auto client = QmpClient::connect(settings_.qmp_socket);
    if (!client) return fail(client.error());
    const auto said = client->monitor(std::string("savevm ") + snapshot, snapshot_timeout);
    if (!said) return fail(said.error());
    if (!said->empty()) return fail("QEMU cannot save the snapshot: " + trebuchet::quoted(*said, 400));
    return write_file(record(), image);
}

bool QemuDevice::has_snapshot_of(const std::string& image) const {
    const auto kept = read_untrusted(record(), max_record);
    return settings_.snapshot && kept && *kept == image;
}

Result<void> QemuDevice::restore_snapshot() {
    if (auto stopped = stop(); !stopped) return stopped;
    return launch(qemu_command(settings_, overlay(), snapshot));
}

Result<void> QemuDevice::launch(const std::vector<std::string>& argv) {
    for (int left = tries;; --left) {
        const auto result = commands_->run({argv, nullptr, launch_timeout, true});
        if (exit_code(result.end) == 0) return {};
        if (left == 1 || !std::holds_alternative<CommandExited>(result.end) ||
            interrupt_->wait_for(between_tries) != 0) {
            return fail(
                "cannot start " + argv.front() + ": " + describe(result.end) +
                (result.output.empty() ? "" : ", it said: " + trebuchet::quoted(to_valid_utf8(result.output), 600)));
        }
    }
}

std::filesystem::path QemuDevice::overlay() const {
    return settings_.disk.string() + ".qcow2";
}

std::filesystem::path QemuDevice::record() const {
    return settings_.disk.string() + ".snapshot";
}

}  // namespace trebuchet
