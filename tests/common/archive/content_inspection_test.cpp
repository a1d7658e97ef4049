#include "common/archive/content_inspection.hpp"

#include "common/file/safe_file.hpp"
#include "tests/common/archive/archive_masks.hpp"
#include "tests/common/archive/packed_text.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <atomic>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using Kind = ContentInspection::Kind;
using Files = std::vector<std::pair<std::string, std::string>>;

/// Text that compressors really compress, with the value in its middle.
std::string long_text(const std::string& value) {
    std::string text;
    for (int line = 0; line < 300; ++line) text += "a line of a log, number " + std::to_string(line) + "\n";
    return text + value + "\n" + text;
}

class ContentInspectionTest : public testing::Test {
  protected:
    [[nodiscard]] ContentInspection inspect(const std::string& bytes, const InspectionLimits& limits = {}) const {
        folder_.write("file", bytes);
        const FileDescriptor file(::open((folder_ / "file").c_str(), O_RDONLY | O_CLOEXEC));
        auto result = inspect_content(file.get(), bytes.size(), masks, limits);
        if (!result) throw std::runtime_error(result.error().message());
        return std::move(*result);
    }

    std::shared_ptr<const MaskSet> masks = masks_of({"hunter2-hunter2"});
    TemporaryFolder folder_;
};

TEST_F(ContentInspectionTest, DistinguishesTextFromBinary) {
    EXPECT_EQ(inspect("").kind, Kind::text);
    EXPECT_EQ(inspect("plain\ttext\r\n").kind, Kind::text);
    EXPECT_EQ(inspect("\x1b[31mred\x1b[0m \xc3\xa9 latin \xe9\n").kind, Kind::text);
    EXPECT_EQ(inspect(std::string("one\0NUL", 7)).kind, Kind::binary);
    EXPECT_EQ(inspect("\x01\x02\x03 few bytes").kind, Kind::binary);
}

TEST_F(ContentInspectionTest, CountsSecretsInTextAndTheMaskedSize) {
    const auto text = inspect("hunter2-hunter2 and aHVudGVyMi1odW50ZXIy\n");
    EXPECT_EQ(text.kind, Kind::text);
    EXPECT_EQ(text.found.total(), 2U);
    EXPECT_EQ(text.masked_size, mask_of(*masks, "hunter2-hunter2 and aHVudGVyMi1odW50ZXIy\n").size());
    EXPECT_TRUE(inspect("hunter2-hunter").found.empty());
}

TEST_F(ContentInspectionTest, FindsAValueInUtf16AndUtf32) {
    for (const std::size_t width : {2U, 4U}) {
        std::string wide(width, '\0');
        for (const char c : std::string("x hunter2-hunter2 y")) wide += c + std::string(width - 1, '\0');
        EXPECT_EQ(inspect(wide).found.total(), 1U) << width;
        EXPECT_EQ(inspect(wide.substr(1)).found.total(), 1U) << width;
    }
}

TEST_F(ContentInspectionTest, FindsAValueUnderEveryCompression) {
    for (const int filter : {ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_LZMA,
                             ARCHIVE_FILTER_LZIP, ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_LZ4, ARCHIVE_FILTER_COMPRESS}) {
        const auto bad = inspect(compressed_text(filter, long_text("hunter2-hunter2")));
        EXPECT_EQ(bad.found.total(), 1U) << filter;
        const auto good = inspect(compressed_text(filter, long_text("hunter2")));
        EXPECT_EQ(good.kind, Kind::archive) << filter;
        EXPECT_TRUE(good.found.empty()) << filter;
        EXPECT_EQ(good.obstacle, "") << filter;
        EXPECT_EQ(good.expanded, long_text("hunter2").size()) << filter;
    }
}

TEST_F(ContentInspectionTest, FindsAValueInEveryArchive) {
    for (const int format :
         {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FORMAT_ZIP, ARCHIVE_FORMAT_7ZIP,
          ARCHIVE_FORMAT_CPIO_SVR4_NOCRC, ARCHIVE_FORMAT_CPIO_POSIX, ARCHIVE_FORMAT_AR_GNU, ARCHIVE_FORMAT_ISO9660}) {
        for (const int inner : {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP}) {
            const Files files{{"a", "nothing"}, {"b", compressed_text(inner, long_text("hunter2-hunter2"))}};
            EXPECT_EQ(inspect(packed_text(format, ARCHIVE_FILTER_NONE, files)).found.total(), 1U) << format;
        }
        const auto good =
            inspect(packed_text(format, ARCHIVE_FILTER_NONE, {{"a", "nothing"}, {"b", long_text("hunter2")}}));
        EXPECT_EQ(good.kind, Kind::archive) << format;
        EXPECT_TRUE(good.found.empty()) << format;
        EXPECT_EQ(good.obstacle, "") << format;
    }
}

TEST_F(ContentInspectionTest, FindsAValueInNamesInsideAnArchive) {
    for (const int format : {ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FORMAT_ZIP, ARCHIVE_FORMAT_7ZIP}) {
        const auto archive = packed_text(format, ARCHIVE_FILTER_NONE, {{"of-hunter2-hunter2.txt", "nothing"}});
        EXPECT_GE(inspect(archive).found.total(), 1U) << format;
    }
}

TEST_F(ContentInspectionTest, CannotInspect7zInsideAnotherArchive) {
    const auto inner = packed_text(ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, {{"a", long_text("hunter2-hunter2")}});
    EXPECT_THAT(inspect(compressed_text(ARCHIVE_FILTER_GZIP, inner)).obstacle, HasSubstr("cannot be inspected"));
}

TEST_F(ContentInspectionTest, FindsAValueAfterTheEndOfAnArchiveInACompressedFile) {
    const auto first = packed_text(ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_NONE, {{"a", "nothing"}});
    const auto second = packed_text(ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_NONE, {{"b", "hunter2-hunter2"}});
    EXPECT_EQ(inspect(compressed_text(ARCHIVE_FILTER_GZIP, first + second)).found.total(), 1U);
    EXPECT_EQ(inspect(compressed_text(ARCHIVE_FILTER_GZIP, first) + compressed_text(ARCHIVE_FILTER_GZIP, second))
                  .found.total(),
              1U);
}

TEST_F(ContentInspectionTest, FindsAValueInDataAfterAnArchiveAndInTheMiddle) {
    const auto gzip = [](const std::string& text) {
        return packed_text(ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, {{"x", text}});
    };
    const auto with_value = long_text("hunter2-hunter2");
    const auto initrd = packed_text(ARCHIVE_FORMAT_CPIO_SVR4_NOCRC, ARCHIVE_FILTER_NONE, {{"early", "microcode"}});
    const auto tar = packed_text(ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_NONE, {{"fine", "text"}});
    for (const int filter : {ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_ZSTD}) {
        const auto packed = packed_text(ARCHIVE_FORMAT_RAW, filter, {{"x", with_value}});
        for (const auto& before : {initrd + std::string(512, '\0'), tar, gzip("fine"),
                                   std::string("\x7f"
                                               "ELF\0",
                                               5),
                                   std::string(65530, '\0'), std::string(65535, '\0')}) {
            EXPECT_FALSE(inspect(before + packed).found.empty()) << filter << " after " << before.size();
        }
    }
    const auto harmless = inspect(std::string("\0\x1f\x8b\x08\0 by chance", 15) + std::string(100, 'x') + gzip("fine"));
    EXPECT_EQ(harmless.kind, Kind::binary);
    EXPECT_THAT(harmless.found.empty(), true);
    EXPECT_THAT(harmless.obstacle, IsEmpty());
}

TEST_F(ContentInspectionTest, FindsAValueInAZlibStream) {
    const auto gzip = packed_text(ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP, {{"x", long_text("hunter2-hunter2")}});
    ASSERT_EQ(gzip[3], '\0') << "a header of ten bytes";
    const auto zlib = "\x78\x9c" + gzip.substr(10, gzip.size() - 18) + "sum.";
    EXPECT_FALSE(inspect(zlib).found.empty());
    EXPECT_TRUE(inspect("x\x9c is no stream\1\1\1\1").obstacle.empty());
}

TEST_F(ContentInspectionTest, InspectsFourLevelsAndReportsDeeperOnes) {
    std::string bytes = long_text("hunter2-hunter2");
    for (int level = 1; level <= 4; ++level) {
        bytes = level % 2 == 0 ? packed_text(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, {{"inner", bytes}})
                               : compressed_text(ARCHIVE_FILTER_GZIP, bytes);
        EXPECT_EQ(inspect(bytes).found.total(), 1U) << level;
    }
    const auto deepest = inspect(compressed_text(ARCHIVE_FILTER_GZIP, bytes));
    EXPECT_TRUE(deepest.found.empty());
    EXPECT_THAT(deepest.obstacle, HasSubstr("more than 4 nested archives"));
}

TEST_F(ContentInspectionTest, ReportsTooMuchDecompressedData) {
    const auto bomb = compressed_text(ARCHIVE_FILTER_GZIP, std::string(4 << 20, '\0'));
    InspectionLimits limits;
    limits.bytes = 1 << 20;
    const auto seen = inspect(bomb, limits);
    EXPECT_THAT(seen.obstacle, HasSubstr("decompresses to more than 1 MiB"));
    EXPECT_LT(seen.expanded, 2U << 20);
    EXPECT_EQ(inspect(bomb).obstacle, "");

    Files many;
    for (int file = 0; file < 20; ++file) many.emplace_back("name" + std::to_string(file), "");
    limits.entries = 10;
    EXPECT_THAT(inspect(packed_text(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, many), limits).obstacle,
                HasSubstr("more than 10 entries"));
    limits.memory = 0;
    EXPECT_EQ(inspect("text", limits).obstacle, "");
}

TEST_F(ContentInspectionTest, ReportsDamagedAndEncryptedArchives) {
    const auto whole = compressed_text(ARCHIVE_FILTER_GZIP, long_text("hunter2"));
    EXPECT_THAT(inspect(whole.substr(0, whole.size() / 2)).obstacle, HasSubstr("cannot be inspected"));
    auto zip = packed_text(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, {{"b", long_text("hunter2")}});
    EXPECT_EQ(inspect(zip).obstacle, "");
    zip.replace(60, 20, 20, '\xff');
    EXPECT_THAT(inspect(zip).obstacle, Not(IsEmpty()));
    EXPECT_THAT(inspect(packed_text(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, {{"b", "hunter2"}}, "password")).obstacle,
                HasSubstr("encrypted"));
}

TEST_F(ContentInspectionTest, NamesFormatsItCannotInspect) {
    EXPECT_THAT(inspect(std::string("Rar!\x1a\x07\x01\0 and so on", 18)).obstacle, HasSubstr("a RAR archive"));
    EXPECT_THAT(inspect(compressed_text(ARCHIVE_FILTER_GZIP, "hsqs and so on")).obstacle, HasSubstr("squashfs"));
}

TEST_F(ContentInspectionTest, MasksTextQuotedInErrors) {
    masks = masks_of({"encrypted"});
    EXPECT_THAT(inspect(packed_text(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, {{"b", "x"}}, "password")).obstacle,
                Not(HasSubstr("encrypted")));
}

TEST_F(ContentInspectionTest, ReportsAFileThatBecameShorter) {
    folder_.write("file", "0123456789");
    const FileDescriptor file(::open((folder_ / "file").c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_FALSE(inspect_content(file.get(), 100, masks).value().is_whole);
    EXPECT_FALSE(inspect_content(-1, 100, masks).value().is_whole);
}

TEST_F(ContentInspectionTest, StopsOnRequest) {
    folder_.write("file", compressed_text(ARCHIVE_FILTER_GZIP, long_text("hunter2")));
    const FileDescriptor file(::open((folder_ / "file").c_str(), O_RDONLY | O_CLOEXEC));
    const std::atomic<bool> stop{true};
    InspectionLimits limits;
    limits.stop = &stop;
    EXPECT_FALSE(inspect_content(file.get(), 100, masks, limits));
}

}  // namespace
}  // namespace trebuchet
