#include "provision/seed/seed_partition.hpp"

#include "provision/seed/remote_file.hpp"
#include "provision/ssh/shell_quote.hpp"

namespace trebuchet {
namespace {

void add_files(WipedString& script, const std::string& root, const FirstUser& user) {
    const auto seed = root + "/var/lib/cloud/seed/nocloud-net";
    const auto sudoers = root + "/etc/sudoers.d";
    script += "sudo mkdir -p " + shell_quote(seed) + " " + shell_quote(sudoers) + "\n";
    add_remote_file(script, seed + "/user-data", user_data(user), "0600");
    add_remote_file(script, seed + "/meta-data", meta_data(), "0644");
    add_remote_file(script, sudoers + "/90-trebuchet", sudoers_line(user), "0440");
}

}  // namespace

Result<void> seed_partition(Ssh& ssh, const std::vector<std::string>& partitions, const std::string& folder,
                            const FirstUser& user) {
    const auto place = shell_quote(folder);
    WipedString script("set -e\nsudo umount " + place + " 2>/dev/null || true\nsudo mkdir -p " + place +
                       "\ntrap 'set +e; sudo umount " + place + " 2>/dev/null; sudo rmdir " + place +
                       " 2>/dev/null' EXIT\nkind=\n");
    for (const auto& partition : partitions) {
        const bool is_last = &partition == &partitions.back();
        // A swap or an unknown file system: the system may be on the next one.
        script += "if test -z \"$kind\" && { sudo mount " + shell_quote(partition) + " " + place + " || " +
                  (is_last ? "exit" : "false") + "; }; then\n";
        for (const auto* kind : {"system-data", "snaps", "etc"}) {
            script += "  if sudo test -d " + place + "/" + kind + "; then kind=" + kind + "; fi\n";
        }
        script += is_last ? "  kind=${kind:-etc}\n" : "  if test -z \"$kind\"; then sudo umount " + place + "; fi\n";
        script += "fi\n";
    }
    script += "case $kind in\nsnaps)\n";
    const auto config = folder + "/data/etc/cloud/cloud.cfg.d";
    script += "sudo mkdir -p " + shell_quote(config) + "\n";
    add_remote_file(script, config + "/99_nocloud.cfg", nocloud_config(user), "0600");
    script += ";;\nsystem-data)\n";
    add_files(script, folder + "/system-data", user);
    // Left by images that were made without cloud-init.
    script += ";;\n*)\nsudo rm -f " + place + "/etc/cloud/cloud.cfg.d/99-fake?cloud.cfg\n";
    add_files(script, folder, user);
    script += ";;\nesac\nsync\nsudo umount " + place + "\n";
    const auto result = ssh.run_script(script);
    if (succeeded(result)) return {};
    return fail("cannot add the user to the image on " + ssh.name() + ": " + describe(result));
}

}  // namespace trebuchet
