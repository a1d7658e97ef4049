#include "common/service/service_folder.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(ServiceFolder, IsTheFirstOfSeveral) {
    EXPECT_EQ(service_folder("/var/lib/trebuchet/a:/var/lib/b"), "/var/lib/trebuchet/a");
}

TEST(ServiceFolder, IsNoneWithoutAVariable) {
    EXPECT_EQ(service_folder(nullptr), "");
    EXPECT_EQ(service_folder(""), "");
    EXPECT_EQ(service_folder(":/b"), "");
}

TEST(ServiceFolder, IsWhereALinkOfDynamicUserLeads) {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder.path() / "private/rpi4");
    std::filesystem::create_directory_symlink("private/rpi4", folder.path() / "rpi4");
    EXPECT_EQ(service_folder((folder.path() / "rpi4").c_str()), folder.path() / "private/rpi4");
}

TEST(ServiceFolder, MayBeMadeLater) {
    const TemporaryFolder folder;
    EXPECT_EQ(service_folder((folder.path() / "later").c_str()), folder.path() / "later");
}

}  // namespace
}  // namespace trebuchet
