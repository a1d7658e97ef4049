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

/// Out of `lsblk -J -o NAME,LABEL DEVICE`: every partition, the label "" where lsblk knows none.
[[nodiscard]] Result<std::vector<LabelledPartition>> parse_lsblk(std::string_view json);

/// The partitions of an image on a disk of another host, mounted there below `folder` by their labels.
/// Nothing is mounted after unmount(), which the destructor calls too.
class RemoteImage {
  public:
    /// `ssh` must outlive it.
    RemoteImage(Ssh& ssh, std::string device, std::string folder);
    ~RemoteImage();
    RemoteImage(const RemoteImage&) = delete;
    RemoteImage& operator=(const RemoteImage&) = delete;

    /// Mounts what has a label and can be mounted; an Error if that is nothing (yet: labels may take a while).
    [[nodiscard]] Result<void> mount();
    /// Null: an image of no known type.
    [[nodiscard]] Result<const ImageType*> type();
    /// Puts the user into the image.
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

/// The script that takes down what is mounted below `folder`, and can be run at any time.
[[nodiscard]] std::string unmount_script(const std::string& folder);

}  // namespace trebuchet
