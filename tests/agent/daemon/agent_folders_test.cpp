#include "agent/daemon/agent_folders.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777U;
}

class RuntimeFolder : public testing::Test {
  protected:
    RuntimeFolder() {
        auto pattern = std::string("/dev/shm/agent-test-XXXXXX");
        memory_ = ::mkdtemp(pattern.data());
        if (const char* value = std::getenv("RUNTIME_DIRECTORY")) before_ = value;
    }
    ~RuntimeFolder() override {
        fs::remove_all(memory_);
        if (before_) ::setenv("RUNTIME_DIRECTORY", before_->c_str(), 1);
        if (!before_) ::unsetenv("RUNTIME_DIRECTORY");
    }
    static fs::path chosen_with(const std::string& value) {
        ::setenv("RUNTIME_DIRECTORY", value.c_str(), 1);
        const auto folder = runtime_folder("rpi4");
        return folder ? *folder : fs::path("problem: " + folder.error().message());
    }

    fs::path memory_;
    std::optional<std::string> before_;
};

TEST_F(RuntimeFolder, IsTheServiceManagersAndPrivate) {
    fs::permissions(memory_, fs::perms(0755));
    EXPECT_EQ(chosen_with(memory_.string()), memory_);
    EXPECT_EQ(mode_of(memory_), 0700U);
}

TEST_F(RuntimeFolder, IsTheFirstOfSeveral) {
    EXPECT_EQ(chosen_with(memory_.string() + ":/dev/shm/never"), memory_);
}

TEST_F(RuntimeFolder, IsMadeWhereItIsMissing) {
    EXPECT_EQ(chosen_with((memory_ / "a/b").string()), memory_ / "a/b");
    EXPECT_EQ(mode_of(memory_ / "a/b"), 0700U);
}

class StateFolder : public testing::Test {
  protected:
    ~StateFolder() override {
        for (const auto* name : {"STATE_DIRECTORY", "XDG_STATE_HOME"}) ::unsetenv(name);
    }
    TemporaryFolder folder_;
};

TEST_F(StateFolder, IsTheServiceManagersAndPrivate) {
    ::setenv("STATE_DIRECTORY", ((folder_ / "a/b").string() + ":/nowhere").c_str(), 1);
    EXPECT_EQ(state_folder("rpi4").value(), folder_ / "a/b");
    EXPECT_EQ(mode_of(folder_ / "a/b"), 0700U);
}

TEST_F(StateFolder, SaysWhatToDoIfItCannotBeMade) {
    folder_.write("file", "");
    ::setenv("STATE_DIRECTORY", (folder_ / "file/below").c_str(), 1);
    const auto refused = state_folder("rpi4");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), testing::HasSubstr("set STATE_DIRECTORY"));
}

}  // namespace
}  // namespace trebuchet
