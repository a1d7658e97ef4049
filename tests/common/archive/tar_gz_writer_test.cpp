#include "common/archive/tar_gz_writer.hpp"

#include "common/archive/tar_gz_stream.hpp"
#include "common/file/safe_file.hpp"
#include "common/mask/credential_patterns.hpp"
#include "common/mask/mask_text.hpp"
#include "tests/common/archive/archive_masks.hpp"
#include "tests/common/archive/packed_text.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct Unpacked {
    unsigned type = 0;
    unsigned mode = 0;
    std::int64_t time = 0;
    std::string owner;
    std::string text;  ///< a file's content or a link's target
};

std::map<std::string, Unpacked> unpack(const std::filesystem::path& file) {
    auto* const reader = archive_read_new();
    archive_read_support_filter_gzip(reader);
    archive_read_support_format_tar(reader);
    std::map<std::string, Unpacked> entries;
    if (archive_read_open_filename(reader, file.c_str(), 65536) != ARCHIVE_OK) throw std::runtime_error("no archive");
    archive_entry* entry = nullptr;
    while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
        auto& unpacked = entries[archive_entry_pathname(entry)];
        unpacked.type = archive_entry_filetype(entry);
        unpacked.mode = archive_entry_mode(entry) & 07777U;
        unpacked.time = archive_entry_mtime(entry);
        unpacked.owner = std::to_string(archive_entry_uid(entry)) + ":" + std::to_string(archive_entry_gid(entry));
        if (const auto* const name = archive_entry_uname(entry)) unpacked.owner += name;
        if (unpacked.type == AE_IFLNK) unpacked.text = archive_entry_symlink(entry);
        std::array<char, 8192> buffer{};
        for (la_ssize_t count = 0; (count = archive_read_data(reader, buffer.data(), buffer.size())) > 0;) {
            unpacked.text.append(buffer.data(), static_cast<std::size_t>(count));
        }
    }
    const std::string problem = archive_error_string(reader) == nullptr ? "" : archive_error_string(reader);
    archive_read_free(reader);
    if (!problem.empty()) throw std::runtime_error(problem);
    return entries;
}

std::vector<std::string> names(const std::map<std::string, Unpacked>& entries) {
    std::vector<std::string> all;
    all.reserve(entries.size());
    for (const auto& entry : entries) all.push_back(entry.first);
    return all;
}

class TarGzWriter : public testing::Test {
  protected:
    TarGzWriter() { std::filesystem::create_directory(top()); }

    [[nodiscard]] std::filesystem::path top() const { return folder_ / "artifacts"; }
    [[nodiscard]] std::filesystem::path outside() const { return folder_.path(); }
    [[nodiscard]] std::filesystem::path archive() const { return folder_ / "archive.tar.gz"; }
    void write(const std::string& name, std::string_view text) const { folder_.write("artifacts/" + name, text); }

    TarGzReport pack(const std::shared_ptr<const MaskSet>& masks = MaskSet::none(),
                     const TarGzLimits& limits = {}) const {
        std::filesystem::remove(archive());
        const auto file = create_new_file(archive());
        if (!file) throw std::runtime_error(file.error().message());
        auto report = write_tar_gz(top(), file->get(), masks, limits);
        if (!report) throw std::runtime_error(report.error().message());
        return std::move(*report);
    }

    std::map<std::string, Unpacked> packed(const std::shared_ptr<const MaskSet>& masks = MaskSet::none(),
                                           const TarGzLimits& limits = {}) const {
        EXPECT_THAT(pack(masks, limits).left_out, IsEmpty());
        return unpack(archive());
    }

  private:
    TemporaryFolder folder_;
};

TEST_F(TarGzWriter, PacksFoldersFilesAndLinks) {
    std::filesystem::create_directories(top() / "sub" / "empty");
    write("a.txt", "text\n");
    write("sub/b.bin", std::string_view("\0\xff\n", 3));
    write("none", "");
    std::filesystem::create_symlink("sub", top() / "link");
    std::filesystem::create_symlink("../none.txt", top() / "sub" / "back");
    const auto report = pack();
    EXPECT_THAT(report.left_out, IsEmpty());
    EXPECT_EQ(report.entries, 8U);
    EXPECT_EQ(report.bytes, 8U);
    const auto entries = unpack(archive());
    EXPECT_THAT(names(entries),
                ElementsAre("artifacts/", "artifacts/a.txt", "artifacts/link", "artifacts/none", "artifacts/sub/",
                            "artifacts/sub/b.bin", "artifacts/sub/back", "artifacts/sub/empty/"));
    EXPECT_EQ(entries.at("artifacts/a.txt").text, "text\n");
    EXPECT_EQ(entries.at("artifacts/sub/b.bin").text, std::string("\0\xff\n", 3));
    EXPECT_EQ(entries.at("artifacts/none").text, "");
    EXPECT_EQ(entries.at("artifacts/link").type, static_cast<unsigned>(AE_IFLNK));
    EXPECT_EQ(entries.at("artifacts/link").text, "sub");
    EXPECT_EQ(entries.at("artifacts/sub/back").text, "../none.txt");
    EXPECT_EQ(entries.at("artifacts/sub/empty/").type, static_cast<unsigned>(AE_IFDIR));
}

TEST_F(TarGzWriter, KeepsTimesAndPermissionsButNoOwnersAndNoSetUid) {
    write("tool", "#!/bin/sh\n");
    ASSERT_EQ(::chmod((top() / "tool").c_str(), 04751), 0);
    const std::array<struct timespec, 2> times{{{1'234'567'890, 0}, {1'234'567'890, 0}}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (top() / "tool").c_str(), times.data(), 0), 0);
    const auto tool = packed().at("artifacts/tool");
    EXPECT_EQ(tool.mode, 0751U);
    EXPECT_EQ(tool.time, 1'234'567'890);
    EXPECT_EQ(tool.owner, "0:0");
}

TEST_F(TarGzWriter, PacksLongAndBinaryNames) {
    const std::string longest(255, 'x');
    const std::string deep = longest + "/" + longest + "/" + longest;
    std::filesystem::create_directories(top() / deep);
    write(deep + "/\xff\n\xC3\xA9", "odd");
    EXPECT_EQ(packed().at("artifacts/" + deep + "/\xff\n\xC3\xA9").text, "odd");
}

TEST_F(TarGzWriter, MasksContentsNamesAndTargets) {
    const auto masks = masks_of({"hunter2", "dir/hidden"});
    const auto mask = mask_of(*masks, "hunter2");
    std::filesystem::create_directory(top() / "dir-hunter2");
    std::filesystem::create_directory(top() / "dir");
    write("dir/hidden", "x");
    write("dir-hunter2/log", std::string(70'000, '.') + "hunter2" + std::string(70'000, '.') + "hunter2");
    std::filesystem::create_symlink("dir-hunter2", top() / "link");
    const auto entries = packed(masks);
    EXPECT_THAT(names(entries),
                ElementsAre("artifacts/", "artifacts/dir-" + mask + "/", "artifacts/dir-" + mask + "/log",
                            "artifacts/dir/", "artifacts/dir/masked", "artifacts/link"));
    EXPECT_EQ(entries.at("artifacts/dir-" + mask + "/log").text,
              std::string(70'000, '.') + mask + std::string(70'000, '.') + mask);
    EXPECT_EQ(entries.at("artifacts/link").text, "dir-" + mask);
}

TEST_F(TarGzWriter, LeavesOutDevicesFifosAndSockets) {
    ASSERT_EQ(::mkfifo((top() / "fifo").c_str(), 0600), 0);
    ASSERT_EQ(::mknod((top() / "socket").c_str(), S_IFSOCK | 0600, 0), 0);
    write("file", "x");
    const auto report = pack();
    EXPECT_THAT(report.left_out, ElementsAre("\"artifacts/fifo\": a FIFO", "\"artifacts/socket\": a socket"));
    EXPECT_EQ(report.left_out_count, 2U);
    EXPECT_THAT(names(unpack(archive())), ElementsAre("artifacts/", "artifacts/file"));
}

TEST_F(TarGzWriter, PacksALinkToAFileInTheFolderAsThatFile) {
    const auto masks = masks_of({"hunter2"});
    std::filesystem::create_directory(top() / "sub");
    write("sub/log", "a hunter2");
    std::filesystem::create_symlink("../sub/log", top() / "sub" / "latest");
    std::filesystem::create_symlink("sub/latest", top() / "chain");
    std::filesystem::create_symlink(top() / "sub" / "log", top() / "absolute");
    const auto entries = packed(masks);
    for (const auto* name : {"artifacts/sub/latest", "artifacts/chain", "artifacts/absolute"}) {
        EXPECT_EQ(entries.at(name).type, static_cast<unsigned>(AE_IFREG)) << name;
        EXPECT_EQ(entries.at(name).text, "a " + mask_of(*masks, "hunter2")) << name;
    }
}

TEST_F(TarGzWriter, PacksALinkToAFolderInTheFolderAsARelativeLink) {
    std::filesystem::create_directories(top() / "sub" / "deep");
    std::filesystem::create_symlink(top() / "sub", top() / "absolute");
    std::filesystem::create_symlink(top() / "sub", top() / "sub" / "deep" / "circle");
    const auto entries = packed();
    EXPECT_EQ(entries.at("artifacts/absolute").text, "sub");
    EXPECT_EQ(entries.at("artifacts/sub/deep/circle").text, "../../sub");
}

TEST_F(TarGzWriter, FollowsNoLinkOutOfTheFolderOnAnyWay) {
    std::ofstream(outside() / "secret") << "outside";
    std::filesystem::create_directory(top() / "sub");
    std::filesystem::create_symlink("../..", top() / "sub" / "up");
    std::filesystem::create_symlink("sub/up/secret", top() / "over-a-link");
    std::filesystem::create_symlink(top() / ".." / "secret", top() / "absolute");
    std::filesystem::create_symlink("loop", top() / "loop");
    pack();
    const auto entries = unpack(archive());
    for (const auto& [name, entry] : entries) EXPECT_EQ(entry.text.find("outside"), std::string::npos) << name;
    EXPECT_FALSE(entries.contains("artifacts/absolute"));
}

TEST_F(TarGzWriter, LeavesOutLinksThatMayLeadOut) {
    std::filesystem::create_symlink("/etc/passwd", top() / "absolute");
    std::filesystem::create_symlink("../archive.tar.gz", top() / "above");
    std::filesystem::create_symlink("..", top() / "parent");
    EXPECT_THAT(pack().left_out, ElementsAre("\"artifacts/above\": a link that may lead out of the folder",
                                             "\"artifacts/absolute\": a link that may lead out of the folder",
                                             "\"artifacts/parent\": a link that may lead out of the folder"));
    EXPECT_THAT(names(unpack(archive())), ElementsAre("artifacts/"));
}

TEST_F(TarGzWriter, DoesNotFollowALinkInsteadOfTheFolder) {
    std::filesystem::create_symlink(top(), outside() / "elsewhere");
    const auto file = create_new_file(archive());
    const auto report = write_tar_gz(outside() / "elsewhere", file->get(), MaskSet::none());
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().message(),
              "cannot open the folder " + (outside() / "elsewhere").string() + ": Not a directory");
}

TEST_F(TarGzWriter, MasksNamesInTheReportAndKeepsEachInOneLine) {
    const auto masks = masks_of({"hunter2"});
    ASSERT_EQ(::mkfifo((top() / "a\n\x1bhunter2").c_str(), 0600), 0);
    EXPECT_THAT(pack(masks).left_out,
                ElementsAre("\"artifacts/a\\x0a\\x1b" + mask_of(*masks, "hunter2") + "\": a FIFO"));
}

TEST_F(TarGzWriter, LeavesItselfOut) {
    write("file", "x");
    const auto file = create_new_file(top() / "self.tar.gz");
    const auto report = write_tar_gz(top(), file->get(), MaskSet::none());
    ASSERT_TRUE(report);
    EXPECT_THAT(report->left_out, ElementsAre("\"artifacts/self.tar.gz\": the archive itself"));
    EXPECT_THAT(names(unpack(top() / "self.tar.gz")), ElementsAre("artifacts/", "artifacts/file"));
}

TEST_F(TarGzWriter, BoundsEntriesDepthAndBytes) {
    std::filesystem::create_directories(top() / "1" / "2" / "3");
    write("1/2/3/file", "x");
    TarGzLimits limits;
    limits.depth = 2;
    EXPECT_THAT(pack(MaskSet::none(), limits).left_out,
                ElementsAre("\"artifacts/1/2/3\": is nested deeper than the limit of 2 levels"));

    std::filesystem::remove_all(top() / "1");
    for (const char* name : {"a", "b", "c"}) write(name, "1234");
    limits = {};
    limits.entries = 2;
    const auto few = pack(MaskSet::none(), limits);
    EXPECT_EQ(few.entries, 3U);
    EXPECT_THAT(few.left_out, ElementsAre("\"artifacts\": contains more than the limit of 2 entries"));

    limits = {};
    limits.bytes = 8;
    EXPECT_THAT(pack(MaskSet::none(), limits).left_out,
                ElementsAre("\"artifacts/c\": exceeds the limit of 8 bytes for all files"));
}

TEST_F(TarGzWriter, CountsMaskedBytes) {
    write("a", "abcd");
    TarGzLimits limits;
    limits.bytes = 9;
    EXPECT_THAT(pack(masks_of({"abcd"}), limits).left_out,
                ElementsAre("\"artifacts/a\": exceeds the limit of 9 bytes for all files"));
    limits.bytes = 10;
    EXPECT_EQ(pack(masks_of({"abcd"}), limits).bytes, 10U);
}

TEST_F(TarGzWriter, ReportsOnlyTheFirstHundred) {
    for (int i = 0; i < 150; ++i) ASSERT_EQ(::mkfifo((top() / std::to_string(i)).c_str(), 0600), 0);
    const auto report = pack();
    EXPECT_EQ(report.left_out.size(), 100U);
    EXPECT_EQ(report.left_out_count, 150U);
}

TEST_F(TarGzWriter, MasksUnregisteredCredentialsAndNothingElse) {
    MaskOptions options;
    options.credentials = *CredentialPatterns::build({}, std::make_shared<const MaskText>(MaskHash::keyed));
    const auto masks = *MaskSet::build({}, options);
    for (const auto* password : {"pw", "a-password-that-is-longer-than-its-mask"}) {
        const auto text = std::string("before https://ci:") + password + "@git.example/repo after\n";
        write("log", text);
        const std::string expected(masks->mask(text).bytes());
        EXPECT_NE(expected, text);
        EXPECT_EQ(packed(masks).at("artifacts/log").text, expected) << password;
    }
}

TEST_F(TarGzWriter, WithholdsBinaryAndCompressedFilesWithASecretAndPacksOthersUnchanged) {
    const std::string bad_core("core\0hunter2", 12);
    const std::string good_core("core\0hunter\xff", 12);
    const auto bad_gz = compressed_text(ARCHIVE_FILTER_GZIP, "aHVudGVyMg== in base64");
    const auto good_gz = compressed_text(ARCHIVE_FILTER_GZIP, "nothing");
    write("bad.core", bad_core);
    write("bad.core.withheld.txt", "its own");
    write("bad.gz", bad_gz);
    write("good.core", good_core);
    write("good.gz", good_gz);
    write("rar", "Rar!\x1a\x07 and so on");
    write("text", "of hunter2\n");
    const auto masks = masks_of({"hunter2"});
    const auto report = pack(masks);
    EXPECT_THAT(report.left_out, IsEmpty());
    EXPECT_THAT(report.withheld,
                ElementsAre(HasSubstr("artifacts/bad.core\" is withheld: it contains a secret: NAME (as it is)"),
                            HasSubstr("artifacts/bad.gz\" is withheld: it contains a secret: NAME (base64)"),
                            HasSubstr("artifacts/rar\" is withheld: it is a RAR archive")));
    EXPECT_EQ(report.withheld_count, 3U);
    EXPECT_EQ(report.found.total(), 3U);
    const auto entries = unpack(archive());
    EXPECT_THAT(names(entries),
                ElementsAre("artifacts/", "artifacts/bad.core.withheld.txt", "artifacts/bad.core.withheld.txt.1",
                            "artifacts/bad.gz.withheld.txt", "artifacts/good.core", "artifacts/good.gz",
                            "artifacts/rar.withheld.txt", "artifacts/text"));
    EXPECT_EQ(entries.at("artifacts/bad.core.withheld.txt").text, "its own");
    EXPECT_THAT(entries.at("artifacts/bad.core.withheld.txt.1").text, HasSubstr("NAME (as it is)"));
    EXPECT_EQ(entries.at("artifacts/good.core").text, good_core);
    EXPECT_EQ(entries.at("artifacts/good.gz").text, good_gz);
    EXPECT_EQ(entries.at("artifacts/text").text, "of " + mask_of(*masks, "hunter2") + "\n");
}

TEST_F(TarGzWriter, WithholdsTextOnRequest) {
    write("bad", "of hunter2\n");
    write("good", "of hunter\n");
    TarGzLimits limits;
    limits.withholds_text = true;
    EXPECT_EQ(pack(masks_of({"hunter2"}), limits).withheld_count, 1U);
    EXPECT_THAT(names(unpack(archive())), ElementsAre("artifacts/", "artifacts/bad.withheld.txt", "artifacts/good"));
}

TEST_F(TarGzWriter, PacksUninspectableFilesWhenNoSecretIsRegistered) {
    write("rar", "Rar!\x1a\x07 and so on");
    MaskOptions options;
    options.credentials = *CredentialPatterns::build({}, std::make_shared<const MaskText>(MaskHash::keyed));
    const auto masks = MaskSet::build({}, options).value();
    EXPECT_EQ(packed(masks).at("artifacts/rar").text, "Rar!\x1a\x07 and so on");
}

TEST_F(TarGzWriter, MasksTheNotesOfWithheldFiles) {
    write("bad", std::string("withheld\0", 9));
    const auto masks = masks_of({"withheld"});
    const auto report = pack(masks);
    EXPECT_THAT(report.withheld.front(), Not(HasSubstr("withheld")));
    for (const auto& [name, entry] : unpack(archive())) {
        EXPECT_THAT(name, Not(HasSubstr("withheld")));
        EXPECT_THAT(entry.text, Not(HasSubstr("withheld")));
    }
}

TEST_F(TarGzWriter, BoundsTheDecompressedSizeOfAllFiles) {
    for (const auto* name : {"a.gz", "b.gz", "c.gz"}) {
        write(name, compressed_text(ARCHIVE_FILTER_GZIP, std::string(200'000, ' ')));
    }
    TarGzLimits limits;
    limits.expanded = 450'000;
    const auto report = pack(masks_of({"hunter2"}), limits);
    EXPECT_THAT(report.withheld, ElementsAre(HasSubstr("c.gz\" is withheld: it is too large to inspect")));
}

TEST_F(TarGzWriter, StopsOnRequest) {
    write("file", "text");
    const auto file = create_new_file(outside() / "archive");
    const std::atomic<bool> stop{true};
    TarGzLimits limits;
    limits.stop = &stop;
    const auto report = write_tar_gz(top(), file->get(), MaskSet::none(), limits);
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().message(), HasSubstr("stopped"));
}

TEST_F(TarGzWriter, FailsWhenItCannotWrite) {
    write("file", "x");
    const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    const auto report = write_tar_gz(top(), full.get(), MaskSet::none());
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().message(), HasSubstr("cannot write the archive: "));
    EXPECT_FALSE(write_tar_gz(outside() / "absent", full.get(), MaskSet::none()));
    EXPECT_FALSE(write_tar_gz(top(), -1, MaskSet::none()));
}

TEST_F(TarGzWriter, MakesTheSameArchiveOfTheSameFolder) {
    for (const char* name : {"c", "a", "b"}) write(name, name);
    pack();
    const auto first = text_of(archive());
    pack();
    EXPECT_EQ(text_of(archive()), first);
}

TEST(TarGzStream, CutsOrPadsAFileToItsDeclaredSize) {
    const TemporaryFolder folder;
    const auto file = create_new_file(folder / "archive.tar.gz");
    auto stream = TarGzStream::open(file->get());
    ASSERT_TRUE(stream);
    struct stat info {};
    ASSERT_EQ(::fstat(file->get(), &info), 0);
    ASSERT_TRUE(stream->begin_file("cut", 4, info));
    ASSERT_TRUE(stream->write("123"));
    ASSERT_TRUE(stream->write("456"));
    ASSERT_TRUE(stream->write("789"));
    ASSERT_TRUE(stream->end_file());
    ASSERT_TRUE(stream->begin_file("padded", 6, info));
    ASSERT_TRUE(stream->write("123"));
    ASSERT_TRUE(stream->end_file());
    ASSERT_TRUE(stream->begin_file("after", 1, info));
    ASSERT_TRUE(stream->write("x"));
    ASSERT_TRUE(stream->end_file());
    ASSERT_TRUE(stream->close());
    const auto entries = unpack(folder / "archive.tar.gz");
    EXPECT_EQ(entries.at("cut").text, "1234");
    EXPECT_EQ(entries.at("padded").text, std::string("123\0\0\0", 6));
    EXPECT_EQ(entries.at("after").text, "x");
}

}  // namespace
}  // namespace trebuchet
