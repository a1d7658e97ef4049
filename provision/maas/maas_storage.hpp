#pragma once

#include "provision/maas/maas_node.hpp"
#include "provision/maas/storage_plan.hpp"

#include <optional>
#include <vector>

namespace trebuchet {

/// The disks of a machine in MAAS.
class MaasStorage {
  public:
    /// Asks MAAS once which block devices the node has.
    [[nodiscard]] static MaasResult<MaasStorage> read(const MaasNode& node);

    /// Clears what there is and makes the job's layout; an empty one only clears.
    [[nodiscard]] MaasResult<void> set_job_layout(const std::vector<StorageItem>& disks, const MaasNode& node) const;
    /// The same with the configuration's `default_disks`.
    [[nodiscard]] MaasResult<void> set_default_layout(const std::vector<StorageItem>& disks,
                                                      const MaasNode& node) const;

  private:
    explicit MaasStorage(std::vector<MaasBlockDevice> devices) : devices_(std::move(devices)) {}
    [[nodiscard]] MaasResult<void> set_layout(const char* what, const Result<std::vector<StorageStep>>& plan,
                                              const MaasNode& node) const;

    std::vector<MaasBlockDevice> devices_;
};

}  // namespace trebuchet
