#include "provision/seed/remote_image.hpp"

#include "common/base/text.hpp"
#include "provision/process/foreign_json.hpp"
#include "provision/process/last_line.hpp"
#include "provision/seed/remote_file.hpp"
#include "provision/ssh/shell_quote.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

bool is_plain(const std::string& name) {
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

std::string text_at(const nlohmann::json& object, const char* key) {
    const auto value = object.find(key);
    return value != object.end() && value->is_string() ? value->get<std::string>() : "";
}

}  // namespace

Result<std::vector<LabelledPartition>> parse_lsblk(std::string_view json) {
    // Behind what the shell's start-up files print.
    const auto root = parse_foreign_json(json.substr(std::min(json.find('{'), json.size())));
    const auto* devices = root.is_object() && root.contains("blockdevices") ? &root["blockdevices"] : nullptr;
    if (devices == nullptr || !devices->is_array() || devices->empty() || !devices->front().is_object()) {
        return fail("lsblk said " + trebuchet::quoted(json, 200) + ", expected JSON with \"blockdevices\"");
    }
    std::vector<LabelledPartition> partitions;
    const auto children = devices->front().find("children");
    if (children == devices->front().end() || !children->is_array()) return partitions;
    for (const auto& child : *children) {
        if (!child.is_object()) continue;
        LabelledPartition partition{text_at(child, "name"), text_at(child, "label")};
        if (is_plain(partition.name)) partitions.push_back(std::move(partition));
    }
    return partitions;
}

std::string unmount_script(const std::string& folder) {
    const auto quoted = shell_quote(folder);
    return "for mounted in " + quoted +
           "/*; do\n"
           "  if mountpoint -q \"$mounted\"; then sudo umount \"$mounted\" || exit 1; fi\n"
           "  if test -d \"$mounted\"; then sudo rmdir \"$mounted\"; fi\n"
           "done\n"
           "if test -d " +
           quoted + "; then sudo rmdir " + quoted + "; fi\n";
}

RemoteImage::RemoteImage(Ssh& ssh, std::string device, std::string folder)
    : ssh_(&ssh), device_(std::move(device)), folder_(std::move(folder)) {}

RemoteImage::~RemoteImage() {
    (void)unmount();
}

Result<std::string> RemoteImage::run(const std::string& what, std::string_view script) {
    auto result = ssh_->run_script(script);
    if (!succeeded(result)) return fail("cannot " + what + " on " + ssh_->name() + ": " + describe(result));
    return std::move(result.output);
}

Result<std::vector<LabelledPartition>> RemoteImage::partitions() {
    auto listed = run("list the partitions of " + device_, "lsblk -J -o NAME,LABEL " + shell_quote(device_));
    if (!listed) return fail(listed.error());
    auto found = parse_lsblk(*listed);
    if (!found) return found;
    for (auto& partition : *found) {
        if (!partition.label.empty()) continue;
        // Without udev, lsblk does not know labels.
        auto label = run("read a label",
                         "sudo blkid -p -s LABEL -o value " + shell_quote("/dev/" + partition.name) + " || true");
        if (!label) return fail(label.error());
        partition.label = last_line(*label);
    }
    return found;
}

Result<void> RemoteImage::mount() {
    const auto found = partitions();
    if (!found) return fail(found.error());
    auto script = unmount_script(folder_) + "sudo mkdir -p " + shell_quote(folder_) + "\nmounted=0\n";
    for (const auto& [name, label] : *found) {
        if (!is_plain(label)) continue;
        const auto place = shell_quote(folder_ + "/" + label);
        script += "sudo mkdir -p " + place + "\nif sudo mount " + shell_quote("/dev/" + name) + " " + place +
                  "; then mounted=1; else sudo rmdir " + place + "; fi\n";
    }
    script += "test $mounted = 1 || { echo 'no partition with a label could be mounted'; exit 1; }\n";
    may_be_mounted_ = true;
    return run("mount the image", script).map([](const auto& /*output*/) {});
}

Result<const ImageType*> RemoteImage::type() {
    auto script = "cd " + shell_quote(folder_) + " || exit 1\n";
    for (const auto& type : image_types()) {
        script += "if { " + std::string(type.test) + "; } >/dev/null 2>&1; then echo " + type.name + "; exit 0; fi\n";
    }
    const auto name = run("detect the image type", script);
    if (!name) return fail(name.error());
    return find_image_type(std::string(last_line(*name)));
}

Result<void> RemoteImage::add_user(const ImageType& type, const FirstUser& user) {
    WipedString script("set -e\n");
    if (type.form != SeedForm::none) {
        const auto folder = folder_ + "/" + type.folder;
        script += "sudo mkdir -p " + shell_quote(folder) + "\n";
        const bool is_config = type.form == SeedForm::config_file;
        add_remote_file(script, folder + (is_config ? "/99_nocloud.cfg" : "/user-data"),
                        is_config ? nocloud_config(user) : user_data(user), "0600");
        if (type.form == SeedForm::nocloud) add_remote_file(script, folder + "/meta-data", meta_data(), "0644");
    }
    if (*type.root != '\0') {
        const auto sudoers = folder_ + "/" + type.root + "/etc/sudoers.d";
        script += "sudo mkdir -p " + shell_quote(sudoers) + "\n";
        add_remote_file(script, sudoers + "/90-trebuchet", sudoers_line(user), "0440");
    }
    return run("add the user to the image", script).map([](const auto& /*output*/) {});
}

Result<void> RemoteImage::unmount() {
    if (!std::exchange(may_be_mounted_, false)) return {};
    return run("unmount the image", unmount_script(folder_)).map([](const auto& /*output*/) {});
}

}  // namespace trebuchet
