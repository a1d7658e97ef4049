#include "common/archive/masked_content.hpp"

#include "common/file/safe_file.hpp"
#include "tests/common/archive/archive_masks.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace trebuchet {
namespace {

class MaskedContentTest : public testing::Test {
  protected:
    [[nodiscard]] FileDescriptor file_with(const std::string& text) const {
        folder_.write("file", text);
        return FileDescriptor(::open((folder_ / "file").c_str(), O_RDWR | O_CLOEXEC));
    }

    /// The bytes that read_masked passes on; `whole`: its return value.
    static std::string read(int fd, std::uint64_t size, const std::shared_ptr<const MaskSet>& masks, bool& whole) {
        std::string text;
        whole = read_masked(fd, size, masks, [&text](const MaskedChunk& chunk) {
                    text += chunk.bytes();
                    return Result<void>{};
                }).value();
        return text;
    }

  private:
    TemporaryFolder folder_;
};

TEST_F(MaskedContentTest, MasksASecretSplitBetweenPieces) {
    const auto masks = masks_of({"hunter2"});
    std::string text(64 * 1024 - 3, '-');
    text += "hunter2 and hunt";
    const auto file = file_with(text);
    bool whole = false;
    const auto masked = read(file.get(), text.size(), masks, whole);
    EXPECT_TRUE(whole);
    EXPECT_EQ(masked, std::string(64 * 1024 - 3, '-') + mask_of(*masks, "hunter2") + " and hunt");
}

TEST_F(MaskedContentTest, IgnoresBytesAppendedMeanwhile) {
    const auto file = file_with("0123456789");
    bool whole = false;
    EXPECT_EQ(read(file.get(), 4, MaskSet::none(), whole), "0123");
    EXPECT_TRUE(whole);
}

TEST_F(MaskedContentTest, ReportsAFileThatBecameShorter) {
    const auto file = file_with("0123456789");
    bool whole = true;
    EXPECT_EQ(read(file.get(), 100, MaskSet::none(), whole), "0123456789");
    EXPECT_FALSE(whole);
}

TEST_F(MaskedContentTest, StopsWhenTheConsumerFails) {
    const auto file = file_with("0123456789");
    const auto done =
        read_masked(file.get(), 10, MaskSet::none(), [](const MaskedChunk&) { return Result<void>(fail("full")); });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message(), "full");
}

}  // namespace
}  // namespace trebuchet
