#include "provision/image/image_writer.hpp"

#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/image/packed.hpp"
#include "tests/provision/support/fakes.hpp"

#include <array>
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

/// A stream without data until it is stopped, as from a server that hangs.
class HangingSource final : public ImageSource {
  public:
    HangingSource() {
        std::array<int, 2> ends{};
        if (::pipe(ends.data()) != 0) throw std::runtime_error("pipe");
        read_ = FileDescriptor(ends[0]);
        write_ = FileDescriptor(ends[1]);
        name = "https://lab/image";
    }
    [[nodiscard]] int fd() const override { return read_.get(); }
    [[nodiscard]] Result<void> finish() override { return {}; }
    void stop() override { write_ = FileDescriptor(); }

  private:
    FileDescriptor read_;
    FileDescriptor write_;
};

class ImageWriter : public testing::Test {
  protected:
    auto write(ImageSource& source, const ImageOptions& options = {}) {
        auto target = open_local_target(folder_ / "card");
        if (!target) throw std::runtime_error(target.error().message());
        return write_image(source, **target, options, {log_, interrupt_, clock_});
    }
    auto write(const std::string& bytes, const ImageOptions& options = {}) {
        const auto source = open_image_file(folder_.write("image", bytes));
        return write(**source, options);
    }
    [[nodiscard]] std::string card() const { return text_of(folder_ / "card"); }

    TemporaryFolder folder_;
    FakeClock clock_;
    ConnectorLog log_{clock_, "board-1", -1};
    FakeInterrupt interrupt_;
};

TEST_F(ImageWriter, WritesADecompressedImageToAFile) {
    const auto image = sample(2'500'000);
    EXPECT_EQ(write(packed(image, ARCHIVE_FILTER_ZSTD)).value(), image.size());
    EXPECT_TRUE(card() == image);
}

TEST_F(ImageWriter, WritesAnImageOfWholeBlocks) {
    const auto image = sample(2 * 1024 * 1024);
    EXPECT_EQ(write(image).value(), image.size());
    EXPECT_TRUE(card() == image);
}

TEST_F(ImageWriter, RefusesWhatIsNoImageBeforeItWritesAByte) {
    const std::string page = "<!DOCTYPE html><html><body>Please log in</body></html>";
    std::string tar(20'000, 'x');
    tar.replace(257, 5, "ustar");
    for (const auto& [bytes, what] : {std::pair{page, "HTML"},
                                      {packed(page, ARCHIVE_FILTER_XZ), "HTML"},
                                      {packed(tar, ARCHIVE_FILTER_GZIP), "tar"},
                                      {packed(tar, ARCHIVE_FILTER_ZSTD), "tar"}}) {
        folder_.write("card", "0123456789");
        const auto result = write(bytes);
        ASSERT_FALSE(result);
        EXPECT_THAT(result.error().message, HasSubstr(what));
        EXPECT_TRUE(result.error().is_final);
        EXPECT_EQ(card(), "0123456789");
    }
}

TEST_F(ImageWriter, DoesNotChangeBytesAfterTheImage) {
    folder_.write("card", "0123456789");
    EXPECT_TRUE(write("abc"));
    EXPECT_EQ(card(), "abc3456789");
}

TEST_F(ImageWriter, RefusesACardThatIsTooSmallBeforeWriting) {
    folder_.write("card", "01234");
    const auto result = write("abcdefg");
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, AllOf(HasSubstr("the image has 7 B, but "), HasSubstr("card has only 5 B")));
    EXPECT_TRUE(result.error().is_final);
    EXPECT_EQ(card(), "01234");
}

TEST_F(ImageWriter, NeverWritesBeyondTheCardWhenTheSizeIsUnknown) {
    folder_.write("card", std::string(1000, '0'));
    const auto result = write(packed(sample(1'500'000), ARCHIVE_FILTER_GZIP));
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("is larger, but"));
    EXPECT_EQ(card().size(), 1000U);
}

TEST_F(ImageWriter, VerifiesTheChecksumOfTheSource) {
    ImageOptions options;
    options.checksum =
        parse_checksum("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "image").value();
    EXPECT_TRUE(write("abc", options));
    const auto wrong = write("abd", options);
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().message, HasSubstr("expected ba7816bf"));
}

TEST_F(ImageWriter, VerifiesByReadingBack) {
    ImageOptions options;
    options.verify = true;
    EXPECT_EQ(write(packed(sample(1'500'000), ARCHIVE_FILTER_GZIP), options).value(), 1'500'000U);
}

TEST_F(ImageWriter, ReportsDecompressionErrors) {
    const auto whole = packed(sample(1'500'000), ARCHIVE_FILTER_ZSTD);
    const auto result = write(whole.substr(0, whole.size() / 2));
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("cannot decompress the image (zstd)"));
}

TEST_F(ImageWriter, EndsOnAStopSignal) {
    HangingSource source;
    interrupt_.signal = SIGTERM;
    interrupt_.looks_before_signal = 3;
    const auto result = write(source);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().signal, SIGTERM);
}

TEST_F(ImageWriter, EndsOnATimeout) {
    HangingSource source;
    ImageOptions options;
    options.timeout = 0s;
    const auto result = write(source, options);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("writing https://lab/image to"));
    EXPECT_THAT(result.error().message, HasSubstr("took longer than 0 s; 0 B were written"));
}

TEST_F(ImageWriter, SendsZstdGzipAndXzCompressedToAnotherHost) {
    FakeCommandRunner commands;
    Ssh ssh({"control", 0, "ubuntu", "", SecretString()}, commands);
    auto target = open_remote_target(ssh, "/dev/sda");
    ASSERT_TRUE(target);
    EXPECT_THAT(commands.commands.back().back(),
                AllOf(HasSubstr("zstdcat -f | sudo dd of=/dev/sda bs=16M"), HasSubstr("pipefail")));
    const auto bytes = packed(sample(100'000), ARCHIVE_FILTER_XZ);
    const auto source = open_image_file(folder_.write("image", bytes));
    EXPECT_TRUE(write_image(**source, **target, {}, {log_, interrupt_, clock_}));
    std::string fed(bytes.size() + 1, '\0');
    fed.resize(static_cast<std::size_t>(::pread(commands.fed.get(), fed.data(), fed.size(), 0)));
    EXPECT_TRUE(fed == bytes);
}

TEST_F(ImageWriter, DecompressesLocallyWhatTheOtherHostCannot) {
    FakeCommandRunner commands;
    Ssh ssh({"control", 0, "ubuntu", "", SecretString()}, commands);
    auto target = open_remote_target(ssh, "/dev/sda");
    const auto image = sample(100'000);
    const auto source = open_image_file(folder_.write("image", packed(image, ARCHIVE_FILTER_BZIP2)));
    EXPECT_TRUE(write_image(**source, **target, {}, {log_, interrupt_, clock_}));
    std::string fed(image.size() + 1, '\0');
    fed.resize(static_cast<std::size_t>(::pread(commands.fed.get(), fed.data(), fed.size(), 0)));
    EXPECT_TRUE(fed == image);
}

TEST_F(ImageWriter, ReportsTheOtherHostsError) {
    FakeCommandRunner commands;
    commands.answer = [](const Command&) -> std::optional<CommandResult> {
        return CommandResult{CommandExited{1}, "dd: error writing '/dev/sda': No space left on device\n"};
    };
    Ssh ssh({"control", 0, "ubuntu", "", SecretString()}, commands);
    auto target = open_remote_target(ssh, "/dev/sda");
    const auto source = open_image_file(folder_.write("image", "abc"));
    const auto result = write_image(**source, **target, {}, {log_, interrupt_, clock_});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message,
              "cannot write /dev/sda on ubuntu@control: exit code 1, it said: "
              "\"dd: error writing '/dev/sda': No space left on device\"");
}

TEST_F(ImageWriter, VerifiesOnTheOtherHost) {
    FakeCommandRunner commands;
    std::string sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";  // of "abc"
    commands.answer = [&](const Command& command) -> std::optional<CommandResult> {
        if (command.argv.back().find("sha256sum") == std::string::npos) return std::nullopt;
        EXPECT_THAT(command.argv.back(), AllOf(HasSubstr("dd if=/dev/sda"), HasSubstr("count=3 ")));
        return CommandResult{CommandExited{0}, "Welcome!\n" + sum + "  -\n"};
    };
    Ssh ssh({"control", 0, "ubuntu", "", SecretString()}, commands);
    const auto write_abc = [&] {
        const auto source = open_image_file(folder_.write("image", "abc"));
        auto target = open_remote_target(ssh, "/dev/sda");
        ImageOptions options;
        options.verify = true;
        return write_image(**source, **target, options, {log_, interrupt_, clock_});
    };
    EXPECT_EQ(write_abc().value(), 3U);
    sum.front() = '0';
    EXPECT_THAT(write_abc().error().message, HasSubstr("the card is worn out or counterfeit"));
}

TEST_F(ImageWriter, RefusesTargetsThatAreNotDisks) {
    EXPECT_FALSE(open_local_target(folder_.path()));
    EXPECT_FALSE(open_local_target("/dev/null"));
    EXPECT_FALSE(open_local_target("/dev/no-such-device-here"));
}

}  // namespace
}  // namespace trebuchet
