#include "common/archive/tar_gz_reader.hpp"

#include "common/file/safe_file.hpp"
#include "tests/common/archive/made_archive.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class TarGzReader : public testing::Test {
  protected:
    void make(const std::function<void(MadeArchive&)>& fill) {
        MadeArchive made(archive_);
        fill(made);
        made.close();
    }
    [[nodiscard]] Result<UnpackReport> unpack(const UnpackLimits& limits = {}) {
        fs::remove_all(target_);
        return unpack_tar_gz(archive_, target_, {"provision", "firmware_update", "test"}, limits);
    }
    /// The error for an archive with these entries.
    std::string problem_of(const std::function<void(MadeArchive&)>& fill, const UnpackLimits& limits = {}) {
        make(fill);
        const auto report = unpack(limits);
        return report ? "no problem" : report.error().message();
    }
    [[nodiscard]] std::string content(const std::string& path) const {
        return read_file(target_ / path, 1'000'000).value_or("cannot be read");
    }
    [[nodiscard]] unsigned mode_of(const std::string& path) const {
        struct stat info {};
        return ::stat((target_ / path).c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
    }
    /// Everything in the test's folder outside `target_`.
    [[nodiscard]] std::vector<std::string> outside() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(folder_.path())) {
            if (entry.path() != target_ && entry.path() != archive_) names.push_back(entry.path().filename());
        }
        return names;
    }

    TemporaryFolder folder_;
    fs::path archive_ = folder_ / "archive.tar.gz";
    fs::path target_ = folder_ / "attachments";
};

TEST_F(TarGzReader, UnpacksFilesAndFolders) {
    make([](MadeArchive& made) {
        made.folder("test").folder("test/empty/").file("test/a.txt", "one").file("./provision/deep/er/b", "two");
        made.file("firmware_update/é.bin", std::string(200'000, 'x'));
    });
    const auto report = unpack();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->entries, 5U);
    EXPECT_EQ(report->bytes, 200'006U);
    EXPECT_EQ(content("test/a.txt"), "one");
    EXPECT_EQ(content("provision/deep/er/b"), "two");
    EXPECT_EQ(content("firmware_update/é.bin"), std::string(200'000, 'x'));
    EXPECT_TRUE(fs::is_directory(target_ / "test/empty"));
}

TEST_F(TarGzReader, StopsOnRequest) {
    const std::atomic<bool> stop{true};
    UnpackLimits limits;
    limits.stop = &stop;
    EXPECT_THAT(problem_of([](MadeArchive& made) { made.folder("test").file("test/a", "one"); }, limits),
                HasSubstr("stopped"));
}

TEST_F(TarGzReader, AcceptsAnEntryForTheRootFolder) {
    make([](MadeArchive& made) { made.folder("./").folder("./test").file("./test/a", "one"); });
    ASSERT_TRUE(unpack());
    EXPECT_EQ(content("test/a"), "one");
}

TEST_F(TarGzReader, AcceptsAnEmptyArchive) {
    make([](MadeArchive&) {});
    const auto report = unpack();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->entries, 0U);
}

TEST_F(TarGzReader, KeepsPermissionsButGrantsNothingToOthers) {
    make([](MadeArchive& made) {
        made.folder("test/f", 07777).file("test/f/run", "x", 06777).file("test/f/none", "x", 0).folder("test/g", 0);
        made.file("test/g/in", "x");
    });
    ASSERT_TRUE(unpack());
    EXPECT_EQ(mode_of("test/f"), 0755U);
    EXPECT_EQ(mode_of("test/f/run"), 0755U);
    EXPECT_EQ(mode_of("test/f/none"), 0600U);
    EXPECT_EQ(mode_of("test/g"), 0700U);
    struct stat info {};
    ASSERT_EQ(::stat((target_ / "test/f/run").c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, ::geteuid());
    EXPECT_EQ(info.st_mtime, 1'000'000'000);
}

TEST_F(TarGzReader, KeepsLinksThatStayInside) {
    make([](MadeArchive& made) {
        made.file("test/sub/a", "one").symbolic_link("test/sub/l", "a").symbolic_link("test/up", "./sub/../sub/a");
    });
    EXPECT_FALSE(unpack()) << "up after down may lead anywhere once there are links on the way";
    make([](MadeArchive& made) {
        made.file("test/sub/a", "one").symbolic_link("test/sub/l", "a").symbolic_link("test/sub/m", "../../test/sub/l");
        made.hard_link("provision/h", "test/sub/a").symbolic_link("test/dangling", "nothing/here");
    });
    const auto report = unpack();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(content("test/sub/l"), "one");
    EXPECT_EQ(content("test/sub/m"), "one");
    EXPECT_EQ(content("provision/h"), "one");
}

TEST_F(TarGzReader, RefusesPathsThatLeadOut) {
    EXPECT_THAT(problem_of([](MadeArchive& made) { made.file("/etc/trebuchet-test"); }),
                AllOf(HasSubstr("\"/etc/trebuchet-test\""), HasSubstr("absolute path")));
    for (const auto* path : {"../out", "test/../../out", "test/..", "..", "test/../provision/x", "./../out"}) {
        EXPECT_THAT(problem_of([&](MadeArchive& made) { made.file(path); }), HasSubstr("\"..\"")) << path;
    }
    EXPECT_THAT(outside(), IsEmpty());
}

TEST_F(TarGzReader, RefusesEntriesOutsideTheTopFolders) {
    for (const auto* path : {"other/x", "x", "testing/x", "artifacts/x", "Test/x"}) {
        EXPECT_THAT(problem_of([&](MadeArchive& made) { made.file(path); }),
                    HasSubstr("is not below provision/, firmware_update/, test/"))
            << path;
    }
    EXPECT_THAT(problem_of([](MadeArchive& made) { made.file("test"); }), HasSubstr("expected a folder"));
    EXPECT_THAT(problem_of([](MadeArchive& made) { made.symbolic_link("test", "provision"); }),
                HasSubstr("expected a folder"));
    EXPECT_THAT(problem_of([](MadeArchive& made) { made.file("./"); }), HasSubstr("archive"));
}

TEST_F(TarGzReader, RefusesSymbolicLinksThatMayLeadOut) {
    for (const auto* target :
         {"/etc/passwd", "../../out", "../../../out", "..//../out", "sub/../../../out", ".././../out", "a/.."}) {
        EXPECT_THAT(problem_of([&](MadeArchive& made) { made.symbolic_link("test/l", target); }),
                    HasSubstr("may lead out"))
            << target;
    }
    EXPECT_THAT(outside(), IsEmpty());
}

TEST_F(TarGzReader, RefusesAChainOfLinksThatLeadsOut) {
    EXPECT_THAT(problem_of([](MadeArchive& made) {
                    made.folder("test/x/y").symbolic_link("test/x/y/up", "../..");
                    made.symbolic_link("test/x/y/out", "up/../../out");
                }),
                HasSubstr("may lead out"));
}

TEST_F(TarGzReader, NeverWritesThroughALink) {
    folder_.write("precious", "untouched");
    EXPECT_THAT(problem_of([](MadeArchive& made) {
                    made.folder("test/real").symbolic_link("test/l", "real").file("test/l/x", "evil");
                }),
                HasSubstr("is below \"l\", which is not a folder"));
    EXPECT_THAT(problem_of([](MadeArchive& made) { made.symbolic_link("test/l", "x").file("test/l", "evil"); }),
                HasSubstr("occurs twice"));
    EXPECT_THAT(problem_of([](MadeArchive& made) { made.symbolic_link("test/l", "x").folder("test/l"); }),
                HasSubstr("exists already and is not a folder"));
    EXPECT_EQ(read_file(folder_ / "precious", 100).value(), "untouched");
}

TEST_F(TarGzReader, NeverFollowsAnExistingLink) {
    make([](MadeArchive& made) { made.file("test/x", "evil"); });
    fs::create_directory(folder_ / "elsewhere");
    fs::create_directory(target_);
    fs::create_directory_symlink(folder_ / "elsewhere", target_ / "test");
    EXPECT_FALSE(unpack_tar_gz(archive_, target_, {"test"}));
    fs::remove_all(target_);
    fs::create_directory_symlink(folder_ / "elsewhere", target_);
    EXPECT_FALSE(unpack_tar_gz(archive_, target_, {"test"}));
    EXPECT_TRUE(fs::is_empty(folder_ / "elsewhere"));
}

TEST_F(TarGzReader, ReplacesNothing) {
    EXPECT_THAT(problem_of([](MadeArchive& made) { made.file("test/a", "one").file("test/./a", "two"); }),
                HasSubstr("occurs twice"));
    EXPECT_EQ(content("test/a"), "one");
    EXPECT_THAT(problem_of([](MadeArchive& made) { made.file("test/a").file("test/a/b"); }),
                HasSubstr("is below \"a\", which is not a folder"));
    EXPECT_EQ(problem_of([](MadeArchive& made) { made.folder("test/a").file("test/a/b").folder("test/a"); }),
              "no problem");
}

TEST_F(TarGzReader, AcceptsHardLinksOnlyToUnpackedFiles) {
    folder_.write("precious", "untouched");
    for (const auto& target : {std::string("/etc/passwd"), std::string("../precious"), std::string("test/missing"),
                               std::string("test"), std::string("test/l"), std::string("test/d/../../../precious"),
                               (folder_ / "precious").string(), std::string("other/x"), std::string("test/l/x")}) {
        EXPECT_THAT(problem_of([&](MadeArchive& made) {
                        made.folder("test/d").symbolic_link("test/l", "d").hard_link("test/h", target);
                    }),
                    AllOf(HasSubstr("\"test/h\""), HasSubstr("is a hard link to")))
            << target;
    }
    EXPECT_EQ(fs::hard_link_count(folder_ / "precious"), 1U);
}

TEST_F(TarGzReader, RefusesDevicesFifosAndSockets) {
    for (const unsigned type : {AE_IFCHR, AE_IFBLK, AE_IFIFO}) {
        EXPECT_THAT(problem_of([&](MadeArchive& made) { made.special("test/s", type); }),
                    HasSubstr("a device, a FIFO or a socket"));
    }
}

TEST_F(TarGzReader, EnforcesItsLimits) {
    UnpackLimits limits;
    limits.entries = 3;
    limits.depth = 4;
    limits.path_length = 40;
    limits.bytes = 100;
    const auto problem_at = [&](const std::function<void(MadeArchive&)>& fill) { return problem_of(fill, limits); };
    EXPECT_EQ(problem_at([](MadeArchive& made) { made.folder("test").folder("test/a").folder("test/b"); }),
              "no problem");
    EXPECT_THAT(
        problem_at([](MadeArchive& made) { made.folder("test").folder("test/a").folder("test/b").folder("test/c"); }),
        HasSubstr("more than the 3 entries"));
    EXPECT_EQ(problem_at([](MadeArchive& made) { made.file("test/a/b/c"); }), "no problem");
    EXPECT_THAT(problem_at([](MadeArchive& made) { made.file("test/a/b/c/d"); }),
                HasSubstr("deeper than the limit of 4"));
    EXPECT_THAT(problem_at([](MadeArchive& made) { made.file("test/" + std::string(36, 'x')); }),
                HasSubstr("a path of more than 40 bytes"));
    EXPECT_EQ(problem_at([](MadeArchive& made) { made.file("test/a", std::string(100, 'x')); }), "no problem");
    EXPECT_THAT(problem_at([](MadeArchive& made) { made.file("test/a", std::string(101, 'x')); }),
                HasSubstr("exceeds the limit of 100 bytes"));
    EXPECT_THAT(problem_at([](MadeArchive& made) {
                    made.file("test/a", std::string(60, 'x')).file("test/b", std::string(60, 'x'));
                }),
                AllOf(HasSubstr("\"test/b\""), HasSubstr("exceeds the limit of 100 bytes")));
}

TEST_F(TarGzReader, RefusesAnArchiveBomb) {
    EXPECT_THAT(problem_of([](MadeArchive& made) { made.file("test/bomb", std::string(80U << 20U, '\0')); }),
                HasSubstr("more than 200 times the archive's size"));
}

TEST_F(TarGzReader, RefusesANameThatIsTooLongForTheFileSystem) {
    EXPECT_THAT(problem_of([](MadeArchive& made) { made.file("test/" + std::string(300, 'x')); }),
                HasSubstr("cannot be created"));
}

TEST_F(TarGzReader, RefusesATruncatedArchive) {
    std::string noise;
    for (unsigned i = 0, state = 1; i < 100'000; ++i) noise += static_cast<char>((state = state * 1664525 + 7) >> 24U);
    make([&](MadeArchive& made) { made.file("test/a", noise).file("test/b", "last"); });
    const auto whole = fs::file_size(archive_);
    for (const auto size : {whole - 600, whole / 2, std::uintmax_t{600}, std::uintmax_t{20}, std::uintmax_t{1}}) {
        fs::resize_file(archive_, size);
        EXPECT_FALSE(unpack()) << size << " of " << whole;
    }
}

TEST_F(TarGzReader, RefusesOtherFormats) {
    folder_.write("archive.tar.gz", "not an archive");
    EXPECT_FALSE(unpack());
    folder_.write("archive.tar.gz", "");
    EXPECT_FALSE(unpack());
    {
        MadeArchive plain(archive_, ARCHIVE_FILTER_NONE);
        plain.file("test/a").close();
    }
    EXPECT_THAT(unpack().error().message(), HasSubstr("not a gzip-compressed tar"));
    fs::remove(archive_);
    EXPECT_THAT(unpack().error().message(), HasSubstr("archive.tar.gz"));
    ASSERT_EQ(::mkfifo(archive_.c_str(), 0600), 0);
    EXPECT_THAT(unpack().error().message(), HasSubstr("is a FIFO; expected a regular file"));
}

TEST_F(TarGzReader, EscapesControlCharactersInNames) {
    EXPECT_THAT(problem_of([](MadeArchive& made) { made.file("oth\x1b[31m\ner"); }),
                AllOf(testing::Not(HasSubstr("\x1b")), testing::Not(HasSubstr("\n"))));
}

}  // namespace
}  // namespace trebuchet
