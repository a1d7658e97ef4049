#pragma once

#include "provision/boot/boot_waiter.hpp"
#include "provision/process/command.hpp"
#include "provision/ssh/ssh.hpp"

#include <cstdint>
#include <string>

namespace trebuchet {

/// An ssh server that says "SSH-". Port 0: 22.
[[nodiscard]] BootProbe ssh_banner_probe(const std::string& host, std::uint16_t port);

/// A login that works. `ssh` must outlive the probe.
[[nodiscard]] BootProbe ssh_login_probe(Ssh& ssh);

/// A URL that answers with status 200, by the system's curl, which gets the URL on its stdin.
[[nodiscard]] BootProbe url_probe(const std::string& url, CommandRunner& commands);

}  // namespace trebuchet
