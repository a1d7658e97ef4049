#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// The boot order that lets a computer boot from the network by IPv4 before anything else, of what `efibootmgr -v`
/// printed: the entry it was booted by, if that is such a one, then the other ones, then the rest as it was. Nothing if
/// the output names no BootOrder. Lines that are something else, such as warnings of ssh, are skipped.
///
///     BootCurrent: 0003                       "0001,0003,0002", for efibootmgr -o
///     BootOrder: 0003,0001,0002
///     Boot0001* UEFI: PXE IPv4 Nic-1
///     Boot0003* ubuntu
[[nodiscard]] std::optional<std::string> network_first_boot_order(std::string_view efibootmgr_output);

}  // namespace trebuchet
