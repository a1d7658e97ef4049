#include "tests/labserver/api/provision_schema.hpp"

namespace trebuchet::labserver::schemas {
namespace {

using enum Presence;

Json wrong(const char* sentence) {
    return Json::array({sentence});
}

bool has_some(const Json& value, const char* name) {
    const auto found = value.find(name);
    return found != value.end() && !found->empty() && *found != Json("");
}

Json needs_an_image(const Json& value) {
    const bool has_one = value.contains("url") || value.contains("use_attachment");
    return has_one ? Json() : wrong("One of 'url' and 'use_attachment' is needed.");
}

Json needs_one_boot_image(const Json& value) {
    int sources = 0;
    for (const auto* name : {"url", "urls", "attachments"}) sources += has_some(value, name) ? 1 : 0;
    return sources == 1 ? Json() : wrong("Exactly one of 'url', 'urls' and 'attachments' is needed.");
}

std::vector<Field> joined(std::vector<Field> fields, const std::vector<Field>& more) {
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
}

Check cm3() {
    return object({{"url", url(), required}});
}

Check maas() {
    return object({{"distro", text()},
                   {"kernel", text()},
                   {"user_data", text()},
                   {"disks", list_of(mapping())},
                   {"ephemeral", boolean()}});
}

Check multi() {
    return object({{"jobs", list_of(mapping(), 1), required}});
}

Check muxpi() {
    return object({{"url", url()},
                   {"use_attachment", text()},
                   {"attachments", list_of(attachment())},
                   {"create_user", boolean()},
                   {"boot_check_url", text()},
                   {"media", one_of({"sd", "usb"})}},
                  needs_an_image);
}

Check noprovision() {
    return object({{"skip", boolean(), optional, Null::refused, true}});
}

Check oem_autoinstall() {
    return object({{"url", url()},
                   {"attachments", list_of(attachment())},
                   {"token_file", text()},
                   {"user_data", text()},
                   {"redeploy_cfg", text()},
                   {"authorized_keys", text()},
                   {"control_host_iso_url", text()},
                   {"control_host_iso_type", text()},
                   {"update_user_data", boolean()}});
}

std::vector<Field> control_host() {
    return {{"provisioning_timeout", integer()}};
}

std::vector<Field> iot() {
    return joined(control_host(), {{"url", url()},
                                   {"urls", list_of(url(), 1)},
                                   {"attachments", list_of(attachment(), 0, 1)},
                                   {"agent_ssh_access", boolean()}});
}

Check iot_custom() {
    return object(joined(iot(), {{"ubuntu_sso_email", email()}, {"provision_plan", mapping(), required}}),
                  needs_one_boot_image);
}

Check iot_preset() {
    return object(joined(iot(), {{"preset", text(), required}, {"preset_kwargs", mapping()}}), needs_one_boot_image);
}

Check kvm_autoinstall() {
    return object(joined(control_host(), {{"url", url(), required},
                                          {"robot_tasks", list_of(text()), required},
                                          {"robot_retries", integer()},
                                          {"autoinstall_storage_layout", text()},
                                          {"ubuntu_sso_email", email()},
                                          {"autoinstall_base_user_data", text()},
                                          {"autoinstall_oem", boolean()},
                                          {"cmdline_append", text()}}));
}

Check kvm_generic() {
    return object(joined(control_host(), {{"url", url(), required},
                                          {"robot_tasks", list_of(text()), required},
                                          {"robot_retries", integer()},
                                          {"live_image", boolean(), required},
                                          {"wait_until_ssh", boolean(), required}}));
}

Check kvm_oem_2204() {
    return object(joined(control_host(), {{"alloem_url", url(), required},
                                          {"robot_tasks", list_of(text()), required},
                                          {"robot_retries", integer()},
                                          {"url", url()},
                                          {"oem", text()}}));
}

Check kvm_preset() {
    return object(joined(control_host(), {{"alloem_url", url()},
                                          {"autoinstall_base_user_data", text()},
                                          {"autoinstall_oem", boolean()},
                                          {"autoinstall_storage_layout", text()},
                                          {"cmdline_append", text()},
                                          {"live_image", boolean()},
                                          {"oem", text()},
                                          {"preset", text(), required},
                                          {"robot_tasks", list_of(text())},
                                          {"ubuntu_sso_email", email()},
                                          {"url", url()},
                                          {"wait_until_ssh", boolean()}}));
}

}  // namespace

Check attachment() {
    return object({{"agent", text(), required}, {"device", text()}});
}

Check provision_data() {
    return first_that_fits({cm3(), maas(), multi(), muxpi(), noprovision(), oem_autoinstall(), iot_custom(),
                            iot_preset(), kvm_autoinstall(), kvm_generic(), kvm_oem_2204(), kvm_preset()},
                           "Fits no known device type.");
}

}  // namespace trebuchet::labserver::schemas
