#include "provision/maas/storage_plan.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

// How a job's layout becomes steps:
// 1. Every entry is traced to its disk: a mount by `device` to a format, a format by `volume` or `device` to a
//    partition or a disk, a partition by `device` to its disk.
// 2. Each disk that something lies on, in the order in which the list first uses them, gets a block device.
// 3. Percentages become bytes of that device.
// 4. Steps are made kind by kind: disks, partitions, formats, mounts.
//
// Example: devices 98 (500 GB) and 99 (1 TB); the entries disk a; partition a1 of a with 600G; format f of a1; mount of
// f at /boot. 98 is too small for a, so that a is 99:
//     block-device set-boot-disk 99; partitions create 99 size=600000000000; partition format 99 <made>;
//     partition mount 99 <made> mount_point=/boot

namespace trebuchet {
namespace {

using Devices = std::vector<MaasBlockDevice>;
using Items = std::vector<StorageItem>;

const std::string& value_of(const StorageItem& item, const char* key) {
    static const std::string none;
    const auto found = item.find(key);
    return found == item.end() ? none : found->second;
}

std::string name_of(const StorageItem& item) {
    return value_of(item, "id") + " of type: " + value_of(item, "type");
}

bool is(const StorageItem& item, const char* type) {
    return value_of(item, "type") == type;
}

tl::unexpected<Error> missing(const StorageItem& item, const std::string& key) {
    return fail("the entry " + trebuchet::quoted(value_of(item, "id")) + " of type " + value_of(item, "type") +
                " lacks " + key);
}

/// "98" of the number 98 and of the text "98".
std::string id_text(const nlohmann::json& object) {
    const auto id = object.find("id");
    if (id == object.end()) return {};
    if (id->is_string()) return id->get<std::string>();
    return id->is_number_integer() ? id->dump() : std::string();
}

Result<std::uint64_t> parse_percentage(const StorageItem& item) {
    const auto& text = value_of(item, "alloc_pct");
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > 100) {
        return fail("alloc_pct of " + trebuchet::quoted(value_of(item, "id")) + ": found " + trebuchet::quoted(text) +
                    ", expected a percentage from 0 to 100");
    }
    return value;
}

/// Without overflow: size * percentage / 100, rounded up.
std::uint64_t share_of(std::uint64_t size, std::uint64_t percentage) {
    return size / 100 * percentage + (size % 100 * percentage + 99) / 100;
}

class Layout {
  public:
    explicit Layout(Items items) : items_(std::move(items)) {}

    /// Steps 1 to 3, for a job's.
    Result<void> place(const Devices& devices) {
        parents_.assign(items_.size(), std::nullopt);
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (auto done = trace(i); !done) return done;
        }
        if (auto done = assign_devices(devices); !done) return done;
        return {};
    }

    /// For default_disks, whose entries name their devices.
    Result<void> place_by_number() {
        parents_.assign(items_.size(), std::nullopt);
        for (std::size_t i = 0; i < items_.size(); ++i) {
            const auto& item = items_[i];
            if (!is_known(item)) continue;
            if (value_of(item, "parent_disk_blkid").empty()) return missing(item, "parent_disk_blkid");
            if (is(item, "partition") && value_of(item, "size").empty()) return missing(item, "size");
            if (is(item, "format") || is(item, "mount")) {
                const auto parent = parent_of(i);
                if (!parent) return fail(parent.error());
                parents_[i] = *parent;
            }
        }
        return {};
    }

    /// Step 4.
    Result<std::vector<StorageStep>> steps() const {
        std::vector<StorageStep> steps;
        std::map<std::size_t, std::size_t> makers;  // partition → the step that makes it
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (is(items_[i], "disk")) add_disk(i, steps);
        }
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (!is(items_[i], "partition")) continue;
            makers[i] = steps.size();
            steps.push_back(step(i, "partitions", "create", {"size=" + value_of(items_[i], "size")}));
        }
        for (const auto* type : {"format", "mount"}) {
            for (std::size_t i = 0; i < items_.size(); ++i) {
                if (!is(items_[i], type)) continue;
                auto next = step(i, "block-device", type, {});
                if (const auto volume = volume_of(i); volume && is(items_[*volume], "partition")) {
                    next.group = "partition";
                    next.made_by = makers.at(*volume);
                }
                if (auto done = add_arguments(items_[i], next.arguments); !done) return fail(done.error());
                steps.push_back(std::move(next));
            }
        }
        return steps;
    }

  private:
    static bool is_known(const StorageItem& item) {
        return is(item, "disk") || is(item, "partition") || is(item, "format") || is(item, "mount");
    }

    static Result<void> add_arguments(const StorageItem& item, std::vector<std::string>& arguments) {
        if (is(item, "mount")) {
            if (value_of(item, "path").empty()) return missing(item, "path");
            arguments.push_back("mount_point=" + value_of(item, "path"));
            return {};
        }
        if (value_of(item, "fstype").empty()) return missing(item, "fstype");
        arguments.push_back("fstype=" + value_of(item, "fstype"));
        if (!value_of(item, "label").empty()) arguments.push_back("label=" + value_of(item, "label"));
        return {};
    }

    StorageStep step(std::size_t i, const char* group, const char* action, std::vector<std::string> arguments) const {
        StorageStep made;
        made.group = group;
        made.action = action;
        made.block_device = value_of(items_[i], "parent_disk_blkid");
        made.arguments = std::move(arguments);
        made.item = trebuchet::name_of(items_[i]);
        return made;
    }

    void add_disk(std::size_t disk, std::vector<StorageStep>& steps) const {
        const auto& device = value_of(items_[disk], "parent_disk_blkid");
        if (device.empty()) return;  // nothing lies on it
        const bool boots = std::any_of(items_.begin(), items_.end(), [&](const auto& item) {
            return is(item, "mount") && value_of(item, "parent_disk_blkid") == device &&
                   value_of(item, "path").find("/boot") != std::string::npos;
        });
        if (boots) steps.push_back(step(disk, "block-device", "set-boot-disk", {}));
        if (const auto& name = value_of(items_[disk], "name"); !name.empty()) {
            steps.push_back(step(disk, "block-device", "update", {"name=" + name}));
        }
    }

    /// The partition or disk under a format or mount.
    std::optional<std::size_t> volume_of(std::size_t i) const {
        auto at = parents_[i];
        while (at && is(items_[*at], "format")) at = parents_[*at];
        return at;
    }

    /// The entry that this one lies on, by its id; of a format also by a partition's number or device, as default_disks
    /// has it.
    Result<std::size_t> parent_of(std::size_t i) const {
        const auto& item = items_[i];
        const auto& volume = value_of(item, "volume");
        const auto& wanted = is(item, "format") && !volume.empty() ? volume : value_of(item, "device");
        if (wanted.empty()) return missing(item, is(item, "format") ? "volume" : "device");
        for (std::size_t k = 0; k < items_.size(); ++k) {
            if (k != i && value_of(items_[k], "id") == wanted && rank(items_[k]) < rank(item)) return k;
        }
        for (const auto* key : {"number", "device"}) {
            for (std::size_t k = 0; k < items_.size(); ++k) {
                const bool is_same_disk =
                    value_of(items_[k], "parent_disk_blkid") == value_of(item, "parent_disk_blkid");
                if (is(item, "format") && is(items_[k], "partition") && is_same_disk &&
                    value_of(items_[k], key) == wanted && !value_of(item, "parent_disk_blkid").empty()) {
                    return k;
                }
            }
        }
        return fail("the entry " + trebuchet::quoted(value_of(item, "id")) + " of type " + value_of(item, "type") +
                    " lies on " + trebuchet::quoted(wanted) + ", which the list does not have");
    }

    /// What lies on what: on something of a lower rank.
    static int rank(const StorageItem& item) {
        if (is(item, "disk")) return 0;
        if (is(item, "partition")) return 1;
        if (is(item, "format")) return 2;
        return is(item, "mount") ? 3 : 4;
    }

    Result<void> trace(std::size_t i) {
        const auto& item = items_[i];
        if (!is_known(item) || is(item, "disk")) return {};
        const auto parent = parent_of(i);
        if (!parent) return fail(parent.error());
        parents_[i] = *parent;
        return {};
    }

    /// Ranks fall on the way, so that it ends.
    std::size_t disk_of(std::size_t i) const {
        while (parents_[i]) i = *parents_[i];
        return i;
    }

    /// The disks that get a device: those with partitions in their order, then the others that are used or named.
    std::vector<std::size_t> used_disks() const {
        std::vector<std::size_t> disks;
        const auto add = [&](std::size_t disk) {
            if (std::find(disks.begin(), disks.end(), disk) == disks.end()) disks.push_back(disk);
        };
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (is(items_[i], "partition")) add(disk_of(i));
        }
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (is(items_[i], "format") || is(items_[i], "mount")) add(disk_of(i));
            if (is(items_[i], "disk") && !value_of(items_[i], "name").empty()) add(i);
        }
        return disks;
    }

    Result<void> assign_devices(const Devices& devices) {
        std::set<std::string> taken;
        for (const auto disk : used_disks()) {
            if (!is(items_[disk], "disk"))
                return fail("no disk under " + trebuchet::quoted(value_of(items_[disk], "id")));
            const auto needed = needed_on(disk);
            if (!needed) return fail(needed.error());
            const auto device = std::find_if(devices.begin(), devices.end(), [&](const auto& candidate) {
                return candidate.is_physical && candidate.size >= *needed && taken.count(candidate.id) == 0;
            });
            if (device == devices.end()) {
                return fail("No suitable block-device found for partition " + value_of(items_[disk], "id") +
                            " with size " + std::to_string(*needed) + " bytes");
            }
            taken.insert(device->id);
            if (auto done = take(disk, *device); !done) return done;
        }
        return {};
    }

    /// The sum of its partitions' sizes.
    Result<std::uint64_t> needed_on(std::size_t disk) const {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < items_.size(); ++i) {
            const auto& item = items_[i];
            if (!is(item, "partition") || disk_of(i) != disk) continue;
            if (value_of(item, "size").empty()) {
                if (value_of(item, "alloc_pct").empty()) return missing(item, "size and alloc_pct");
                continue;
            }
            const auto size = parse_storage_size(value_of(item, "size"));
            if (!size) return fail(size.error());
            if (*size > std::numeric_limits<std::uint64_t>::max() - sum) return fail("sizes that exceed any disk");
            sum += *size;
        }
        return sum;
    }

    Result<void> take(std::size_t disk, const MaasBlockDevice& device) {
        std::uint64_t percentages = 0;
        for (std::size_t i = 0; i < items_.size(); ++i) {
            auto& item = items_[i];
            if (!is_known(item) || disk_of(i) != disk) continue;
            item["parent_disk_blkid"] = device.id;
            if (!is(item, "partition")) continue;
            if (value_of(item, "alloc_pct").empty()) {
                item["size"] = std::to_string(*parse_storage_size(value_of(item, "size")));
                continue;
            }
            const auto percentage = parse_percentage(item);
            if (!percentage) return fail(percentage.error());
            percentages += *percentage;
            item["size"] = std::to_string(share_of(device.size, *percentage));
        }
        if (percentages <= 100) return {};
        return fail("The total percentage of the partitions on disk '" + value_of(items_[disk], "id") +
                    "' exceeds 100.");
    }

    Items items_;
    std::vector<std::optional<std::size_t>> parents_;  ///< the entry that each lies on
};

}  // namespace

Result<std::vector<MaasBlockDevice>> parse_block_devices(const nlohmann::json& list) {
    if (!list.is_array()) return fail("found no list of block devices");
    std::vector<MaasBlockDevice> devices;
    for (const auto& entry : list) {
        if (!entry.is_object()) continue;
        MaasBlockDevice device;
        device.id = id_text(entry);
        if (device.id.empty()) continue;
        const auto type = entry.find("type");
        device.is_physical = type != entry.end() && *type == "physical";
        device.is_virtual = type != entry.end() && *type == "virtual";
        if (const auto size = entry.find("size"); size != entry.end() && size->is_number_unsigned()) {
            device.size = size->get<std::uint64_t>();
        }
        if (const auto partitions = entry.find("partitions"); partitions != entry.end() && partitions->is_array()) {
            for (const auto& partition : *partitions) {
                if (!partition.is_object()) continue;
                if (auto id = id_text(partition); !id.empty()) device.partitions.push_back(std::move(id));
            }
        }
        if (const auto filesystem = entry.find("filesystem"); filesystem != entry.end() && filesystem->is_object()) {
            device.is_formatted = !filesystem->empty();
            const auto mount = filesystem->find("mount_point");
            device.is_mounted = mount != filesystem->end() && mount->is_string() && !mount->get<std::string>().empty();
        }
        devices.push_back(std::move(device));
    }
    return devices;
}

std::vector<StorageStep> clearing_steps(const std::vector<MaasBlockDevice>& devices) {
    std::vector<StorageStep> steps;
    for (const auto& device : devices) {
        if (device.is_virtual) continue;
        for (const auto& partition : device.partitions) steps.push_back({"partition", "delete", device.id, partition});
        if (device.is_mounted) steps.push_back({"block-device", "unmount", device.id});
        if (device.is_formatted) steps.push_back({"block-device", "unformat", device.id});
    }
    return steps;
}

Result<std::uint64_t> parse_storage_size(std::string_view text) {
    const auto refused = [] {
        return fail("Sizes must end in T, G, M, K, B, or be an integer when no unit is provided.");
    };
    constexpr std::string_view units = "BKMGT";
    std::uint64_t factor = 1;
    auto digits = text;
    if (!digits.empty()) {
        const auto last = digits.back();
        const auto power = units.find(last >= 'a' && last <= 'z' ? static_cast<char>(last - 'a' + 'A') : last);
        if (power != std::string_view::npos) {
            for (std::size_t i = 0; i < power; ++i) factor *= 1000;
            digits.remove_suffix(1);
        }
    }
    while (!digits.empty() && digits.front() == ' ') digits.remove_prefix(1);
    while (!digits.empty() && digits.back() == ' ') digits.remove_suffix(1);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return refused();
    if (value > std::numeric_limits<std::uint64_t>::max() / factor) return refused();
    return value * factor;
}

Result<std::vector<StorageStep>> plan_job_storage(std::vector<StorageItem> items,
                                                  const std::vector<MaasBlockDevice>& devices) {
    Layout layout(std::move(items));
    if (auto done = layout.place(devices); !done) return fail(done.error());
    return layout.steps();
}

Result<std::vector<StorageStep>> plan_default_storage(std::vector<StorageItem> items) {
    Layout layout(std::move(items));
    if (auto done = layout.place_by_number(); !done) return fail(done.error());
    return layout.steps();
}

}  // namespace trebuchet
