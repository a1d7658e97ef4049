#include "provision/seed/image_types.hpp"

namespace trebuchet {

// In IoT images .disk/info has a build stamp such as iot-NAME-classic-server-2404-… or iot-NAME-core-22-…
const std::vector<ImageType>& image_types() {
    static const std::vector<ImageType> types{
        {"ce-oem-iot-24",
         "grep -Eq 'iot-[a-z]+-[a-z-]*(classic-(server|desktop)|core)-(2[4-9]|[3-9][0-9])([0-9][0-9])?([^0-9]|$)' "
         "writable/.disk/info",
         "writable/var/lib/cloud/seed/nocloud", SeedForm::nocloud, "writable"},
        {"ce-oem-iot", "grep -Eq 'iot-[a-z]+-[a-z-]*(classic-(server|desktop)|core)-[0-9]+' writable/.disk/info",
         "system-boot", SeedForm::user_data, "writable"},
        {"tegra", "ls -d writable/lib/firmware/*-tegra*", "writable/var/lib/cloud/seed/nocloud", SeedForm::nocloud,
         "writable"},
        {"pi-desktop",
         "test -e writable/usr/bin/firefox && grep -Eq '^VERSION_ID=\"?(2[5-9]|[3-9][0-9])' writable/etc/os-release",
         "writable/var/lib/cloud/seed/nocloud-net", SeedForm::nocloud, "writable"},
        {"pi-desktop-before-25", "test -e writable/usr/bin/firefox", "", SeedForm::none, "writable"},
        {"core", "test -e writable/system-data", "writable/system-data/var/lib/cloud/seed/nocloud-net",
         SeedForm::nocloud, ""},
        {"ubuntu", "test -e writable/etc", "writable/var/lib/cloud/seed/nocloud-net", SeedForm::nocloud, "writable"},
        {"core20", "test -e ubuntu-seed/snaps", "ubuntu-seed/data/etc/cloud/cloud.cfg.d", SeedForm::config_file, ""},
        {"ubuntu-cpc", "test -e cloudimg-rootfs/etc/cloud/cloud.cfg", "cloudimg-rootfs/var/lib/cloud/seed/nocloud-net",
         SeedForm::nocloud, "cloudimg-rootfs"},
        // Whatever it is, it may run cloud-init.
        {"unknown", "mountpoint -q writable", "writable/var/lib/cloud/seed/nocloud-net", SeedForm::nocloud, ""},
    };
    return types;
}

const ImageType* find_image_type(const std::string& name) {
    for (const auto& type : image_types()) {
        if (name == type.name) return &type;
    }
    return nullptr;
}

}  // namespace trebuchet
