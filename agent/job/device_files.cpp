#include "agent/job/device_files.hpp"

#include "common/log/log.hpp"
#include "common/mask/masker.hpp"

#include <array>

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

/// Sends at most this much of a serial log: its writer is hostile.
constexpr std::size_t serial_log_limit = 64U << 20;

}  // namespace

void DeviceFiles::send_device_info(const RunFolder& folder) {
    job_.with_masks("the device info is", [&] { send_info(folder); });
}

void DeviceFiles::send_serial_log(Phase phase, const RunFolder& folder) {
    job_.with_masks("its serial log is", [&] { send_serial(phase, folder); });
}

void DeviceFiles::send_info(const RunFolder& folder) {
    const auto info = folder.read_device_info();
    if (!info) {
        log_warning("job " + job_.parts.job.id + ": the device info is not sent: " + info.error().message());
        return;
    }
    if (!*info) return;
    MaskCounts found;
    const MaskedJson masked(*job_.masks.current(), **info, &found);
    auto text = masked.value().dump();
    if (text == last_info_) return;
    last_info_ = std::move(text);
    job_.mask_report.at("device info")->merge(found);
    job_.parts.listeners.tell(&JobListener::device_info, masked);
}

void DeviceFiles::send_serial(Phase phase, const RunFolder& folder) {
    const auto file = folder.open_serial_log(phase);
    if (!file) return;
    auto& log = job_.parts.log;
    Masker masker(job_.masks.current(), job_.mask_report.at(std::string(name_of(phase)) + " serial log"));
    std::array<char, 65536> buffer{};
    std::size_t total = 0;
    while (total < serial_log_limit) {
        const auto count = ::read(file->get(), buffer.data(), buffer.size());
        if (count <= 0) break;
        total += static_cast<std::size_t>(count);
        log.serial(phase, masker.write({buffer.data(), static_cast<std::size_t>(count)}));
        log.wait_for_serial_room();
    }
    log.serial(phase, masker.finish());
    if (total >= serial_log_limit) {
        log.serial(phase, job_.mask("\n[the rest of the serial log is left out: more than " +
                                    std::to_string(serial_log_limit >> 20) + " MiB]\n"));
    }
    wipe(buffer.data(), buffer.size());
}

}  // namespace trebuchet
