#pragma once

#include "provision/boot/boot_waiter.hpp"
#include "provision/process/command.hpp"
#include "provision/ssh/ssh.hpp"

#include <cstdint>
#include <string>

namespace trebuchet {

/// Succeeds when an ssh server sends its banner, "SSH-…". Port 0: 22.
[[nodiscard]] BootProbe ssh_banner_probe(const std::string& host, std::uint16_t port);

/// Succeeds when a login works. `ssh` must outlive the probe.
[[nodiscard]] BootProbe ssh_login_probe(Ssh& ssh);

/// Succeeds when a command does. `ssh` must outlive the probe.
[[nodiscard]] BootProbe ssh_command_probe(Ssh& ssh, const std::string& command_line);

/// Succeeds when the URL answers with status 200. Uses the system's curl, which gets the URL on its stdin.
[[nodiscard]] BootProbe url_probe(const std::string& url, CommandRunner& commands);

}  // namespace trebuchet
