#include "provision/qemu/qemu_settings.hpp"

#include "common/base/text.hpp"
#include "provision/process/shell_words.hpp"
#include "provision/serial/serial_text.hpp"

#include <algorithm>
#include <charconv>

#include <sys/un.h>

namespace trebuchet {
namespace {

/// Reads configuration keys with defaults.
class Keys {
  public:
    explicit Keys(const ConnectorConfig& config) : scalars_(&config.scalars) {}

    std::string text(const char* key, const std::string& fallback = "") const {
        const auto found = scalars_->find(key);
        return found == scalars_->end() || found->second.empty() ? fallback : found->second;
    }

    Result<void> read(const char* key, bool& out) const {
        auto value = text(key, "false");
        std::transform(value.begin(), value.end(), value.begin(),
                       [](char c) { return 'A' <= c && c <= 'Z' ? c + 32 : c; });
        out = value == "true" || value == "yes" || value == "on";
        if (out || value == "false" || value == "no" || value == "off") return {};
        return refuse(key, value, "true or false");
    }

    Result<void> read(const char* key, std::uint64_t& out, std::uint64_t fallback, std::uint64_t most) const {
        const auto value = text(key, "");
        out = fallback;
        if (value.empty()) return {};
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
        if (error == std::errc{} && end == value.data() + value.size() && out > 0 && out <= most) return {};
        return refuse(key, value, "a number, 1 to " + std::to_string(most));
    }

  private:
    static Result<void> refuse(const char* key, const std::string& found, const std::string& expected) {
        return fail(std::string(key) + ": found " + trebuchet::quoted(found) + ", expected " + expected);
    }

    const std::map<std::string, std::string>* scalars_;
};

/// QEMU's options escape a comma in a value as ",,".
std::string escaped(const std::string& value) {
    std::string out;
    for (const char c : value) out.append(c == ',' ? 2 : 1, c);
    return out;
}

Result<void> check(const QemuSettings& settings) {
    const auto missing = [](const char* key) { return fail(std::string("the configuration has no ") + key); };
    if (settings.disk.empty()) return missing("qemu_disk, the file that is the device's SD card");
    if (settings.ssh_host.empty() || settings.ssh_port == 0) return missing("device_ip and device_port of its ssh");
    if (!settings.start && settings.qmp_socket.empty()) {
        return missing("qemu_qmp, the socket of the QEMU that runs beside the agent; or set qemu_start: true");
    }
    if (!settings.boot_prompt.empty()) {
        if (const auto pattern = SerialPattern::regex(settings.boot_prompt); !pattern) {
            return fail(pattern.error().with_context("boot_prompt"));
        }
    }
    if (settings.snapshot && !settings.start) return fail("qemu_snapshot needs qemu_start: true");
    if (settings.kernel.empty() && !settings.initrd.empty()) return fail("qemu_initrd needs a qemu_kernel");
    return {};
}

/// A path next to the disk, so that the next job with this disk finds a QEMU that a killed job left running.
std::string socket_beside(const std::filesystem::path& disk) {
    auto path = disk.string() + ".qmp";
    return path.size() < sizeof(sockaddr_un::sun_path) ? path : "qemu.qmp";
}

}  // namespace

Result<QemuSettings> read_qemu_settings(const ConnectorConfig& config) {
    const Keys keys(config);
    QemuSettings settings;
    std::uint64_t boot_seconds = 0;
    for (auto done :
         {keys.read("qemu_start", settings.start), keys.read("qemu_snapshot", settings.snapshot),
          keys.read("qemu_offline", settings.offline),
          keys.read("qemu_disk_size", settings.disk_mib, 1024, std::uint64_t{1} << 24),
          keys.read("qemu_memory", settings.memory_mib, 512, std::uint64_t{1} << 24),
          keys.read("qemu_cpus", settings.cpus, 1, 1024), keys.read("qemu_boot_timeout", boot_seconds, 300, 86'400)}) {
        if (!done) return fail(done.error());
    }
    settings.boot_timeout = std::chrono::seconds(boot_seconds);
    settings.disk = keys.text("qemu_disk");
    settings.qmp_socket = keys.text("qemu_qmp", settings.start ? socket_beside(settings.disk) : "");
    settings.program = keys.text("qemu_program", "qemu-system-x86_64");
    settings.machine = keys.text("qemu_machine", "pc");
    settings.accelerator = keys.text("qemu_accel", "tcg,thread=multi");
    settings.kernel = keys.text("qemu_kernel");
    settings.initrd = keys.text("qemu_initrd");
    settings.kernel_arguments = keys.text("qemu_append", settings.kernel.empty() ? "" : "console=ttyS0 panic=-1");
    if (const auto text = keys.text("qemu_args"); !text.empty()) {
        auto words = split_shell_words(text);
        if (!words) return fail(words.error().with_context("qemu_args"));
        settings.arguments = std::move(*words);
    }
    settings.boot_prompt = keys.text("boot_prompt");
    settings.ssh_host = config.device_ip;
    settings.ssh_port = config.device_port;
    settings.serial_host = config.serial_host;
    settings.serial_port = config.serial_port;
    if (auto done = check(settings); !done) return fail(done.error());
    return settings;
}

std::vector<std::string> qemu_command(const QemuSettings& settings, const std::filesystem::path& overlay,
                                      const std::string& snapshot) {
    std::vector<std::string> argv{settings.program};
    const auto add = [&](const char* option, const std::string& value) { argv.insert(argv.end(), {option, value}); };
    argv.insert(argv.end(), {"-nodefaults", "-no-user-config", "-daemonize", "-S"});
    add("-display", "none");
    add("-machine", settings.machine);
    add("-accel", settings.accelerator);
    add("-cpu", "max");
    add("-m", std::to_string(settings.memory_mib));
    add("-smp", std::to_string(settings.cpus));
    if (!settings.kernel.empty()) {
        add("-kernel", settings.kernel);
        if (!settings.initrd.empty()) add("-initrd", settings.initrd);
        add("-append", settings.kernel_arguments);
    }
    add("-netdev", std::string("user,id=network") + (settings.offline ? ",restrict=on" : "") +
                       ",hostfwd=tcp:" + settings.ssh_host + ":" + std::to_string(settings.ssh_port) + "-:22");
    add("-device", "virtio-net-pci,netdev=network,romfile=");
    const auto file = overlay.empty() ? settings.disk : overlay;
    add("-drive", std::string("if=none,id=") + qemu_disk_device + ",format=" + (overlay.empty() ? "raw" : "qcow2") +
                      ",file=" + escaped(file.string()));
    add("-device", std::string("virtio-blk-pci,drive=") + qemu_disk_device);
    if (!settings.serial_host.empty() && settings.serial_port != 0) {
        add("-chardev", "socket,id=console,server=on,wait=off,host=" + escaped(settings.serial_host) +
                            ",port=" + std::to_string(settings.serial_port));
        add("-serial", "chardev:console");
    }
    add("-qmp", "unix:" + escaped(settings.qmp_socket.string()) + ",server=on,wait=off");
    if (!snapshot.empty()) add("-loadvm", snapshot);
    argv.insert(argv.end(), settings.arguments.begin(), settings.arguments.end());
    return argv;
}

}  // namespace trebuchet
