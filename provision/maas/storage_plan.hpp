#pragma once

#include "common/base/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// One entry of a storage layout: `disks` of a job, `default_disks` of a configuration. Numbers as text.
using StorageItem = std::map<std::string, std::string>;

/// A block device as `maas PROFILE block-devices read NODE` lists it.
struct MaasBlockDevice {
    std::string id;
    bool is_physical = false;
    bool is_virtual = false;
    std::uint64_t size = 0;
    std::vector<std::string> partitions;  ///< their ids
    bool is_formatted = false;
    bool is_mounted = false;
};
[[nodiscard]] Result<std::vector<MaasBlockDevice>> parse_block_devices(const nlohmann::json& list);

/// A command for MAAS: `maas PROFILE GROUP ACTION NODE BLOCK_DEVICE [PARTITION] ARGUMENTS…`
struct StorageStep {
    std::string group;  ///< "partition", "block-device"
    std::string action;
    std::string block_device;
    std::string partition{};               ///< its id, where it is known
    std::optional<std::size_t> made_by{};  ///< else the step of this number made it
    std::vector<std::string> arguments{};
    std::string item{};  ///< for messages: the entry's id and type
};

/// What takes all partitions and filesystems off the devices.
[[nodiscard]] std::vector<StorageStep> clearing_steps(const std::vector<MaasBlockDevice>& devices);

/// A number of bytes, or with T, G, M, K or B behind it in powers of 1000: "2G", "512m".
[[nodiscard]] Result<std::uint64_t> parse_storage_size(std::string_view text);

/// The steps that make a job's layout. Its disks are names: each stands for the first physical device in the node's
/// order that no other has taken and that is large enough. Entries:
///
///     disk       id, name (optional)
///     partition  id, device, and size or alloc_pct (of the device, rounded up); number (optional)
///     format     id, volume or device (a partition or a disk), fstype, label (optional)
///     mount      id, device (a format), path
///
/// Other types are left out. A disk with `/boot` on it becomes the one to boot from.
[[nodiscard]] Result<std::vector<StorageStep>> plan_job_storage(std::vector<StorageItem> items,
                                                                const std::vector<MaasBlockDevice>& devices);

/// The steps that make the layout of `default_disks`: devices are named by `parent_disk_blkid`, sizes are bytes, and a
/// format's volume is the partition's `number`.
[[nodiscard]] Result<std::vector<StorageStep>> plan_default_storage(std::vector<StorageItem> items);

}  // namespace trebuchet
