#include "provision/image/image_source.hpp"

#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ImageSource, OpensAFile) {
    const TemporaryFolder folder;
    const auto source = open_image_file(folder.write("a.img", "12345"));
    ASSERT_TRUE(source);
    EXPECT_EQ((*source)->size, 5U);
    EXPECT_EQ((*source)->file_name, "a.img");
    EXPECT_FALSE(open_image_file(folder / "b.img"));
    EXPECT_FALSE(open_image_file(folder.path()));
}

TEST(ImageSource, DownloadsWithTheUrlOnStdin) {
    FakeCommandRunner commands;
    commands.results = {{CommandExited{0},
                         "HTTP/1.1 302 Found\r\nContent-Length: 7\r\n\r\n"
                         "HTTP/2 200\r\ncontent-length: 1234\r\n\r\n"}};
    const auto source = open_image_url(SecretString("https://me:hunter22@lab/x/image.zst?sig=s3cr3t"), commands);
    ASSERT_TRUE(source);
    EXPECT_EQ((*source)->size, 1234U);
    EXPECT_EQ((*source)->name, "https://lab/x/image.zst?…");
    EXPECT_EQ((*source)->file_name, "image.zst");
    ASSERT_EQ(commands.inputs.size(), 2U);
    for (const auto& input : commands.inputs) EXPECT_THAT(input, HasSubstr("me:hunter22@lab/x/image.zst?sig=s3cr3t"));
    for (const auto& argv : commands.commands) {
        for (const auto& word : argv) EXPECT_THAT(word, Not(HasSubstr("lab")));
    }
}

TEST(ImageSource, ReportsCurlsErrorForAFailedDownload) {
    FakeCommandRunner commands;
    commands.answer = [](const Command&) -> std::optional<CommandResult> {
        return CommandResult{CommandExited{22}, "curl: (22) The requested URL returned error: 404\n"};
    };
    const auto source = open_image_url(SecretString("https://lab/image"), commands);
    ASSERT_TRUE(source);
    EXPECT_EQ((*source)->size, std::nullopt);
    EXPECT_EQ((*source)->finish().error().message(),
              "cannot download https://lab/image: exit code 22, it said: "
              "\"curl: (22) The requested URL returned error: 404\"");
}

TEST(ImageSource, KnowsWhatNoRetryMakesBetter) {
    for (const auto& [code, is_final] :
         {std::pair{47, true}, {3, true}, {1, true}, {60, true}, {7, false}, {28, false}}) {
        FakeCommandRunner commands;
        commands.answer = [code = code](const Command&) {
            return std::optional<CommandResult>({CommandExited{code}, ""});
        };
        const auto source = open_image_url(SecretString("https://lab/image"), commands);
        ASSERT_TRUE(source);
        EXPECT_EQ((*source)->finish().error().is_final(), is_final) << code;
    }
}

TEST(ImageSource, DownloadsASmallText) {
    FakeCommandRunner commands;
    commands.results = {{CommandExited{0}, "12345"}, {CommandExited{0}, "123456"}, {CommandExited{22}, "", "404\n"}};
    EXPECT_EQ(download_text("https://lab/SUMS", 5, commands).value(), "12345");
    EXPECT_FALSE(download_text("https://lab/SUMS", 5, commands));
    EXPECT_THAT(download_text("https://lab/SUMS", 5, commands).error().message(), HasSubstr("404"));
}

TEST(ImageSource, KeepsAttachmentPathsInTheirFolder) {
    EXPECT_EQ(attachment_path("image.zst"), "attachments/provision/image.zst");
    EXPECT_EQ(attachment_path("a/b", "x"), "x/provision/a/b");
    for (const auto* name : {"", "/etc/shadow", "../test/x", "a/../../x"}) EXPECT_FALSE(attachment_path(name)) << name;
}

}  // namespace
}  // namespace trebuchet
