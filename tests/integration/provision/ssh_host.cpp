#include "tests/integration/provision/ssh_host.hpp"

#include "tests/integration/harness/wait.hpp"

#include <fstream>
#include <stdexcept>

#include <pwd.h>
#include <unistd.h>

namespace trebuchet::harness {

namespace fs = std::filesystem;

void write_noting_program(const fs::path& bin, const std::string& name, const std::string& script,
                          const fs::path& calls) {
    fs::create_directories(bin);
    const auto path = bin / name;
    // Replaced by rename: a program that is running must not be written to.
    const auto temporary = bin / (name + ".new");
    std::ofstream(temporary) << "#!/bin/sh\n{ tr '\\0' ' ' </proc/$$/cmdline; echo; } >>'" << calls.string() << "'\n"
                             << script << "\n";
    fs::permissions(temporary, fs::perms::owner_all);
    fs::rename(temporary, path);
}

SshHost::SshHost() {
    fs::create_directories(folder_ / "bin");
    for (const auto* name : {"key", "host_key"}) {
        const auto made =
            run({"/usr/bin/ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-f", (folder_ / name).string()}});
        if (made.code != 0) throw std::runtime_error("ssh-keygen: " + made.err);
    }
    fs::copy_file(folder_ / "key.pub", folder_ / "authorized_keys");
    folder_.write("sshd_config", "Port " + std::to_string(port()) + "\nListenAddress 127.0.0.1\nHostKey " +
                                     (folder_ / "host_key").string() + "\nAuthorizedKeysFile " +
                                     (folder_ / "authorized_keys").string() +
                                     "\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
                                     "PidFile none\nMaxStartups 100\n"
                                     // Set only for the command: the login shell's start-up files must not find
                                     // our programs.
                                     "ForceCommand PATH=" +
                                     (folder_ / "bin").string() +
                                     ":/usr/sbin:/usr/bin:/sbin:/bin exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"\n");
    start();
}

void SshHost::start() {
    sshd_ = std::make_unique<ChildProgram>(
        Command{"/usr/sbin/sshd", {"-D", "-e", "-f", (folder_ / "sshd_config").string()}});
    if (!sshd_->prints("Server listening")) throw std::runtime_error("sshd: " + sshd_->err());
}

std::string SshHost::user() {
    const auto* entry = ::getpwuid(::geteuid());  // NOLINT(concurrency-mt-unsafe)
    return entry == nullptr ? "root" : entry->pw_name;
}

void SshHost::program(const std::string& name, const std::string& script) const {
    write_noting_program(folder_ / "bin", name, script, folder_ / "calls");
}

std::string SshHost::calls() const {
    return text_of(folder_ / "calls");
}

}  // namespace trebuchet::harness
