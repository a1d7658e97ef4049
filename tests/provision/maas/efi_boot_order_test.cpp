#include "provision/maas/efi_boot_order.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

constexpr auto entries =
    "Boot0001* UEFI: PXE IPv4 Nic-1\tPciRoot\nBoot0002* UEFI: PXE IPv6 Nic-1\tPciRoot\n"
    "Boot0003* ubuntu\tHD(1,GPT)\nBoot0004* UEFI: PXE IPv4 Nic-2\tPciRoot\n";

std::string output(const std::string& current, const std::string& head = "") {
    return head + "BootCurrent: " + current + "\nTimeout: 1 seconds\nBootOrder: 0003,0001,0002,0004\n" + entries;
}

TEST(EfiBootOrder, PutsTheNetworkByIPv4First) {
    EXPECT_EQ(network_first_boot_order(output("0003")), "0001,0004,0003,0002");
}

TEST(EfiBootOrder, StartsWithTheEntryThatItWasBootedByIfThatIsTheNetwork) {
    EXPECT_EQ(network_first_boot_order(output("0004")), "0004,0001,0003,0002");
}

TEST(EfiBootOrder, SkipsWarningsOfSsh) {
    EXPECT_EQ(network_first_boot_order(output("0003", "Warning:\n\nBoot\nBootX\n")), "0001,0004,0003,0002");
}

TEST(EfiBootOrder, IsNothingWithoutABootOrder) {
    EXPECT_FALSE(network_first_boot_order("BootCurrent: 0003\nBoot0003* ubuntu\n"));
    EXPECT_FALSE(network_first_boot_order("BootOrder: $(reboot)\n"));
    EXPECT_FALSE(network_first_boot_order(""));
}

}  // namespace
}  // namespace trebuchet
