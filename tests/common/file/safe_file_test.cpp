#include "common/file/safe_file.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <type_traits>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

static_assert(!std::is_copy_constructible_v<FileDescriptor> && !std::is_copy_assignable_v<FileDescriptor>);

/// A folder of the test's own.
class SafeFile : public testing::Test {
  public:
    SafeFile() {
        std::string pattern = (fs::temp_directory_path() / "trebuchet-file-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
        folder_ = pattern;
    }
    ~SafeFile() override { fs::remove_all(folder_); }
    SafeFile(const SafeFile&) = delete;
    SafeFile& operator=(const SafeFile&) = delete;

  protected:
    [[nodiscard]] fs::path make(const char* name, std::string_view bytes) const {
        auto path = folder_ / name;
        std::ofstream(path, std::ios::binary) << bytes;
        return path;
    }
    [[nodiscard]] static std::string content(const fs::path& path) {
        std::ostringstream bytes;
        bytes << std::ifstream(path, std::ios::binary).rdbuf();
        return bytes.str();
    }
    [[nodiscard]] static unsigned mode(const fs::path& path) {
        struct stat info {};
        EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
        return info.st_mode & 07777U;
    }

    fs::path folder_;
};

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

TEST_F(SafeFile, DescriptorIsClosedOnce) {
    auto first = open_untrusted(make("file", ""));
    ASSERT_TRUE(first);
    const int fd = first->get();
    {
        FileDescriptor second(std::move(*first));
        EXPECT_FALSE(*first);
        EXPECT_TRUE(is_open(fd));
        second = FileDescriptor();
        EXPECT_FALSE(is_open(fd));
    }
    FileDescriptor third(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const int released = third.release();
    EXPECT_FALSE(third);
    EXPECT_TRUE(is_open(released));
    ::close(released);
}

TEST_F(SafeFile, ReadsAnUntrustedRegularFile) {
    EXPECT_EQ(read_untrusted(make("file", std::string_view("a\0b\n", 4)), 4).value(), std::string("a\0b\n", 4));
    EXPECT_EQ(read_untrusted(make("empty", ""), 0).value(), "");
    EXPECT_EQ(read_untrusted(make("big", std::string(100000, 'x')), 100000).value(), std::string(100000, 'x'));
}

TEST_F(SafeFile, RefusesAFileThatIsTooLong) {
    const auto path = make("file", "12345");
    EXPECT_THAT(read_untrusted(path, 4).error().message(), HasSubstr("longer than the 4 bytes"));
    EXPECT_THAT(read_file(path, 4).error().message(), HasSubstr(path.string()));
    EXPECT_FALSE(read_secret_file(path, 4));
}

TEST_F(SafeFile, RefusesAnUntrustedLink) {
    fs::create_symlink(make("file", "content"), folder_ / "link");
    EXPECT_THAT(open_untrusted(folder_ / "link").error().message(), HasSubstr("symbolic link"));
    fs::create_symlink(folder_ / "nowhere", folder_ / "dangling");
    EXPECT_FALSE(open_untrusted(folder_ / "dangling"));
}

TEST_F(SafeFile, RefusesFifosAndOthersWithoutBlocking) {
    ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
    EXPECT_THAT(open_untrusted(folder_ / "fifo").error().message(), HasSubstr("is a FIFO"));
    EXPECT_THAT(open_untrusted(folder_).error().message(), HasSubstr("is a folder"));
    EXPECT_THAT(open_untrusted("/dev/null").error().message(), HasSubstr("is a device"));
}

TEST_F(SafeFile, NamesTheMissingFile) {
    EXPECT_THAT(open_untrusted(folder_ / "missing").error().message(), HasSubstr((folder_ / "missing").string()));
    EXPECT_THAT(read_file(folder_ / "missing", 10).error().message(), HasSubstr("No such file"));
    EXPECT_THAT(read_secret_file(folder_ / "missing", 10).error().message(), HasSubstr("No such file"));
}

TEST_F(SafeFile, FollowsLinksForTrustedFiles) {
    fs::create_symlink(make("file", "content\n"), folder_ / "link");
    EXPECT_EQ(read_file(folder_ / "link", 100).value(), "content\n");
    EXPECT_EQ(read_secret_file(folder_ / "link", 100)->reveal(), "content");
}

TEST_F(SafeFile, ReadsASecretWithoutItsLineEnd) {
    EXPECT_EQ(read_secret_file(make("a", "secret\r\n"), 100)->reveal(), "secret");
    EXPECT_EQ(read_secret_file(make("b", " two\nlines \n\n"), 100)->reveal(), " two\nlines ");
    EXPECT_TRUE(read_secret_file(make("c", "\n"), 100)->empty());
}

TEST_F(SafeFile, ReplacesAFileAtomically) {
    const auto path = make("file", "old");
    fs::permissions(path, fs::perms::all);
    const FileDescriptor reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(write_file(path, "new content"));
    EXPECT_EQ(content(path), "new content");
    EXPECT_EQ(mode(path), 0600U);
    std::string old(10, '\0');
    EXPECT_EQ(::read(reader.get(), old.data(), old.size()), 3) << "an open descriptor still refers to the old file";
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1)
        << "no temporary file is left";
}

TEST_F(SafeFile, ReplacesAFileDespiteALeftoverTemporary) {
    static_cast<void>(make("file.new", "half writ"));
    ASSERT_TRUE(write_file(folder_ / "file", "whole"));
    EXPECT_EQ(content(folder_ / "file"), "whole");
}

TEST_F(SafeFile, ReplacesALinkAndNotItsTarget) {
    const auto target = make("target", "untouched");
    fs::create_symlink(target, folder_ / "file");
    fs::create_symlink(target, folder_ / "file.new");
    ASSERT_TRUE(write_file(folder_ / "file", "content"));
    EXPECT_EQ(content(target), "untouched");
    EXPECT_FALSE(fs::is_symlink(folder_ / "file"));
}

TEST_F(SafeFile, NamesTheFileItCannotWrite) {
    EXPECT_THAT(write_file(folder_ / "missing" / "file", "x").error().message(), HasSubstr("missing"));
    const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    EXPECT_THAT(write_all(full.get(), "x").error().message(), HasSubstr("No space left"));
}

TEST_F(SafeFile, CreatesOnlyNewFiles) {
    {
        const auto fd = create_new_file(folder_ / "new");
        ASSERT_TRUE(fd);
        ASSERT_TRUE(write_all(fd->get(), "content"));
    }
    EXPECT_EQ(content(folder_ / "new"), "content");
    EXPECT_EQ(mode(folder_ / "new"), 0600U);
    EXPECT_FALSE(create_new_file(folder_ / "new"));
    fs::create_symlink(folder_ / "nowhere", folder_ / "dangling");
    EXPECT_FALSE(create_new_file(folder_ / "dangling"));
    EXPECT_FALSE(fs::exists(folder_ / "nowhere"));
}

TEST_F(SafeFile, MakesAPrivateFolderWithItsParents) {
    const auto path = folder_ / "a" / "b" / "c";
    ASSERT_TRUE(make_private_folder(path));
    for (const auto* part : {"a", "a/b", "a/b/c"}) EXPECT_EQ(mode(folder_ / part), 0700U) << part;
    EXPECT_TRUE(make_private_folder(path)) << "a second time";
}

TEST_F(SafeFile, MakesAFolderWithItsParents) {
    ASSERT_TRUE(make_folder(folder_ / "a" / "b"));
    for (const auto* part : {"a", "a/b"}) EXPECT_EQ(mode(folder_ / part), 0700U) << part;
}

TEST_F(SafeFile, KeepsTheModeOfAnExistingFolder) {
    fs::create_directory(folder_ / "open");
    fs::permissions(folder_ / "open", fs::perms::all | fs::perms::sticky_bit);
    fs::create_directory_symlink(folder_ / "open", folder_ / "link");
    EXPECT_TRUE(make_folder(folder_ / "open"));
    EXPECT_TRUE(make_folder(folder_ / "link"));
    EXPECT_TRUE(make_folder("/")) << "root's";
    EXPECT_EQ(mode(folder_ / "open"), 01777U);
    EXPECT_THAT(make_folder(make("file", "")).error().message(), HasSubstr("file"));
}

TEST_F(SafeFile, MakesFoldersBelowAWorldWritableOnePrivate) {
    fs::create_directory(folder_ / "public");
    fs::permissions(folder_ / "public", fs::perms::all | fs::perms::sticky_bit);
    fs::create_directories(folder_ / "public" / "testflinger" / "run");
    for (const auto* part : {"public/testflinger", "public/testflinger/run"}) {
        fs::permissions(folder_ / part, fs::perms::all);
    }
    ASSERT_TRUE(make_folder(folder_ / "public" / "testflinger" / "run"));
    EXPECT_EQ(mode(folder_ / "public"), 01777U);
    EXPECT_EQ(mode(folder_ / "public" / "testflinger"), 0700U);
}

TEST_F(SafeFile, RefusesForeignFoldersBelowAWorldWritableOne) {
    fs::create_directory(folder_ / "public");
    fs::permissions(folder_ / "public", fs::perms::all | fs::perms::sticky_bit);
    fs::create_directory(folder_ / "elsewhere");
    fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "public" / "link");
    EXPECT_THAT(make_folder(folder_ / "public" / "link").error().message(), HasSubstr("link"));
    EXPECT_FALSE(make_folder(folder_ / "public" / "link" / "run"));
    if (::geteuid() == 0) {
        fs::create_directory(folder_ / "public" / "foreign");
        ASSERT_EQ(::chown((folder_ / "public" / "foreign").c_str(), 12345, 12345), 0);
        EXPECT_THAT(make_folder(folder_ / "public" / "foreign" / "run").error().message(), HasSubstr("belongs to uid"));
    }
}

TEST_F(SafeFile, MakesAnExistingFolderPrivate) {
    fs::create_directory(folder_ / "open");
    fs::permissions(folder_ / "open", fs::perms::all);
    ASSERT_TRUE(make_private_folder(folder_ / "open"));
    EXPECT_EQ(mode(folder_ / "open"), 0700U);
}

TEST_F(SafeFile, RefusesALinkOrFileAsAPrivateFolder) {
    fs::create_directory(folder_ / "real");
    fs::create_directory_symlink(folder_ / "real", folder_ / "link");
    EXPECT_FALSE(make_private_folder(folder_ / "link"));
    EXPECT_THAT(make_private_folder(make("file", "")).error().message(), HasSubstr("file"));
}

TEST_F(SafeFile, RefusesAForeignPrivateFolder) {
    auto foreign = fs::path("/");
    if (::geteuid() == 0) {
        foreign = folder_ / "foreign";
        fs::create_directory(foreign);
        ASSERT_EQ(::chown(foreign.c_str(), 12345, 12345), 0);
    }
    EXPECT_THAT(make_private_folder(foreign).error().message(), HasSubstr("belongs to uid"));
    if (::geteuid() == 0) {
        EXPECT_THAT(make_folder(foreign).error().message(), HasSubstr("belongs to uid"));
    }
}

TEST_F(SafeFile, RecognisesATmpfs) {
    std::ifstream mounts("/proc/self/mounts");
    std::string device;
    std::string place;
    std::string type;
    std::string rest;
    while (mounts >> device >> place >> type && std::getline(mounts, rest)) {
        if (type == "tmpfs" && place == "/dev/shm") {
            EXPECT_TRUE(is_on_tmpfs(place));
        }
    }
    EXPECT_FALSE(is_on_tmpfs("/proc"));
    EXPECT_FALSE(is_on_tmpfs(folder_ / "missing"));
}

}  // namespace
}  // namespace trebuchet
