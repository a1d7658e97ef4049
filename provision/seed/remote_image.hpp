#pragma once

#include "common/base/result.hpp"
#include "provision/seed/cloud_config.hpp"
#include "provision/seed/image_types.hpp"
#include "provision/ssh/ssh.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

struct LabelledPartition {
    std::string name;   ///< "sda1"
    std::string label;  ///< "writable"
};

/// Parses the output of `lsblk -J -o NAME,LABEL DEVICE`. A partition without a label has the label "".
[[nodiscard]] Result<std::vector<LabelledPartition>> parse_lsblk(std::string_view json);

/// An image on another host's disk: mounts its partitions there as `folder`/LABEL. The destructor unmounts.
class RemoteImage {
  public:
    /// `ssh` must outlive it.
    RemoteImage(Ssh& ssh, std::string device, std::string folder);
    ~RemoteImage();
    RemoteImage(const RemoteImage&) = delete;
    RemoteImage& operator=(const RemoteImage&) = delete;

    /// Mounts every partition that has a label and can be mounted. Fails if there is none; retry, as labels may appear
    /// late.
    [[nodiscard]] Result<void> mount();
    /// Null: unknown type.
    [[nodiscard]] Result<const ImageType*> type();
    /// Writes the cloud-init seed and the sudoers file.
    [[nodiscard]] Result<void> add_user(const ImageType& type, const FirstUser& user);
    [[nodiscard]] Result<void> unmount();

  private:
    [[nodiscard]] Result<std::vector<LabelledPartition>> partitions();
    [[nodiscard]] Result<std::string> run(const std::string& what, std::string_view script);

    Ssh* ssh_;
    std::string device_;
    std::string folder_;
    bool may_be_mounted_ = false;
};

/// A script that unmounts everything below `folder`. Safe to repeat.
[[nodiscard]] std::string unmount_script(const std::string& folder);

}  // namespace trebuchet
