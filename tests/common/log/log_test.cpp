#include "common/log/log.hpp"

#include "common/file/safe_file.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Console and folder of the log are in a folder of the test's own; the log is as before when it ends.
class LogTest : public testing::Test {
  protected:
    LogTest() {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
        ::unsetenv("JOURNAL_STREAM");
        console_ = FileDescriptor(::open((folder_ / "console").c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    }
    void TearDown() override {
        set_log_masks(nullptr);
        static_cast<void>(set_up_log({}));
    }

    [[nodiscard]] LogOptions options() const {
        LogOptions options;
        options.console = console_.get();
        options.journal = folder_ / "journal";
        options.folder = folder_ / "logs" / "agent";
        return options;
    }
    [[nodiscard]] std::string on_console() const { return text_of(folder_ / "console"); }
    [[nodiscard]] std::string in_file() const { return text_of(folder_ / "logs" / "agent" / "testflinger-agent.log"); }
    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }
    void set_up(const LogOptions& wanted) const { ASSERT_TRUE(set_up_log(wanted, clock_)); }

  private:
    FakeClock clock_;
    TemporaryFolder folder_;
    FileDescriptor console_;
};

std::shared_ptr<const MaskSet> masks_of(std::string_view value) {
    std::vector<NamedSecret> secrets;
    secrets.push_back({"PASSWORD", SecretString(value)});
    auto set = MaskSet::build(std::move(secrets));
    return set ? *set : MaskSet::none();
}

TEST_F(LogTest, WritesTheSameLineToConsoleAndFile) {
    set_up(options());
    log_info("polling the server");
    log_critical("a {} and a %s are nothing special");
    const std::string lines =
        "[2027-01-15 08:00:00] INFO    : polling the server\n"
        "[2027-01-15 08:00:00] CRITICAL: a {} and a %s are nothing special\n";
    EXPECT_EQ(on_console(), lines);
    EXPECT_EQ(in_file(), lines);
}

TEST_F(LogTest, OmitsMessagesBelowTheLevel) {
    auto wanted = options();
    wanted.level = LogLevel::warning;
    set_up(wanted);
    log_debug("debug");
    log_info("info");
    log_warning("warning");
    log_error("error");
    EXPECT_EQ(on_console(), "[2027-01-15 08:00:00] WARNING : warning\n[2027-01-15 08:00:00] ERROR   : error\n");
    wanted.level = LogLevel::debug;
    set_up(wanted);
    log_debug("debug");
    EXPECT_THAT(on_console(), HasSubstr("[2027-01-15 08:00:00] DEBUG   : debug\n"));
}

TEST_F(LogTest, IsQuietOnRequest) {
    auto wanted = options();
    wanted.quiet = true;
    set_up(wanted);
    log_info("text");
    EXPECT_EQ(on_console(), "");
    EXPECT_EQ(in_file(), "[2027-01-15 08:00:00] INFO    : text\n");
}

TEST_F(LogTest, MasksEveryMessage) {
    set_up(options());
    set_log_masks(masks_of("hunter2-hunter2"));
    log_info("the password is hunter2-hunter2");
    log_error("hunter2-\x1b[0mhunter2");
    EXPECT_THAT(on_console(), testing::ContainsRegex("the password is \\*\\*[0-9a-f]{6}\\*\\*\n"));
    EXPECT_THAT(on_console() + in_file(), Not(HasSubstr("hunter2-hunter2")));
    set_log_masks(nullptr);
    log_info("hunter2-hunter2");
    EXPECT_THAT(on_console(), HasSubstr("INFO    : hunter2-hunter2\n"));
}

TEST_F(LogTest, MasksBeforeItCutsALongMessage) {
    set_up(options());
    set_log_masks(masks_of("hunter2-hunter2"));
    log_info(std::string(16 * 1024 - 4, 'x') + "hunter2-hunter2");
    EXPECT_THAT(on_console(), Not(HasSubstr("hunt")));
    EXPECT_THAT(on_console(), HasSubstr(" more bytes)\n"));
}

TEST_F(LogTest, EscapesUntrustedText) {
    set_up(options());
    log_info("line\n[2027-01-15 08:00:00] ERROR   : forged\r\x1b[2K");
    EXPECT_EQ(on_console(),
              "[2027-01-15 08:00:00] INFO    : line\\n[2027-01-15 08:00:00] ERROR   : forged\\x0d\\x1b[2K\n");
}

TEST_F(LogTest, WritesJsonLinesWithFieldsOnRequest) {
    auto wanted = options();
    wanted.format = LogFormat::json;
    set_up(wanted);
    set_log_field("JOB_ID", "j1");
    log_warning("a \"b\"");
    set_log_field("JOB_ID", "");
    log_info("c");
    const std::string lines =
        R"({"time":"2027-01-15T08:00:00.000000+00:00","level":"WARNING","message":"a \"b\"","job_id":"j1"})"
        "\n"
        R"({"time":"2027-01-15T08:00:00.000000+00:00","level":"INFO","message":"c"})"
        "\n";
    EXPECT_EQ(on_console(), lines);
    EXPECT_EQ(in_file(), lines);
}

TEST_F(LogTest, TellsAnObserverOfMaskedProblems) {
    std::vector<std::string> seen;
    observe_log(LogLevel::warning, [&](const MaskedChunk& text) { seen.emplace_back(text.bytes()); });
    set_up(options());
    set_log_masks(masks_of("hunter2-hunter2"));
    log_info("nothing");
    log_error("hunter2-hunter2 is wrong");
    observe_log(LogLevel::warning, nullptr);
    log_error("unseen");
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_THAT(seen[0], testing::MatchesRegex("\\*\\*[0-9a-f]{6}\\*\\* is wrong"));
}

TEST_F(LogTest, SendsTheJournalFieldsToItsSocket) {
    const FileDescriptor journal(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    options().journal.string().copy(where.sun_path, sizeof(where.sun_path) - 1);
    ASSERT_EQ(::bind(journal.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)), 0);
    struct stat info {};
    ASSERT_EQ(::fstat(options().console, &info), 0);
    ::setenv("JOURNAL_STREAM", (std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino)).c_str(), 1);
    set_up(options());
    set_log_field("JOB_ID", "j1");
    log_warning("two\nlines");
    set_log_field("JOB_ID", "");
    std::string datagram(1000, '\0');
    const auto size = ::recv(journal.get(), datagram.data(), datagram.size(), 0);
    ASSERT_GT(size, 0);
    datagram.resize(static_cast<std::size_t>(size));
    EXPECT_EQ(datagram, "MESSAGE=two\\nlines\nPRIORITY=4\nJOB_ID=j1\n");
    EXPECT_EQ(on_console(), "");
}

TEST_F(LogTest, WritesPrioritiesAndNoTimeToAJournalWithoutASocket) {
    struct stat info {};
    ASSERT_EQ(::fstat(options().console, &info), 0);
    const auto stream = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
    ASSERT_EQ(::setenv("JOURNAL_STREAM", stream.c_str(), 1), 0);
    auto wanted = options();
    wanted.level = LogLevel::debug;
    set_up(wanted);
    log_debug("a");
    log_info("b");
    log_warning("c");
    log_error("d");
    log_critical("e");
    EXPECT_EQ(on_console(), "<7>a\n<6>b\n<4>c\n<3>d\n<2>e\n");
    EXPECT_THAT(in_file(), HasSubstr("[2027-01-15 08:00:00] WARNING : c\n"));
}

TEST_F(LogTest, KeepsItsFolderAndFilePrivate) {
    set_up(options());
    struct stat info {};
    ASSERT_EQ(::stat((folder() / "logs" / "agent").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0700U);
    ASSERT_EQ(::stat((folder() / "logs" / "agent" / "testflinger-agent.log").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0600U);
}

TEST_F(LogTest, KeepsTheOldSettingsWhenSetupFails) {
    set_up(options());
    auto wanted = options();
    wanted.folder = folder() / "console";
    const auto done = set_up_log(wanted);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message(), HasSubstr("console"));
    log_info("still here");
    EXPECT_THAT(in_file(), HasSubstr("still here"));
}

TEST_F(LogTest, ReportsLostLinesOnce) {
    set_up(options());
    std::filesystem::remove_all(folder() / "logs");
    log_info("one");
    log_info("two");
    const auto path = (folder() / "logs" / "agent" / "testflinger-agent.log").string();
    EXPECT_EQ(on_console(), "[2027-01-15 08:00:00] INFO    : one\nLog lines are lost: cannot open " + path +
                                ": No such file or directory\n[2027-01-15 08:00:00] INFO    : two\n");
}

TEST_F(LogTest, KeepsLinesWholeWhenManyThreadsWrite) {
    set_up(options());
    const auto masks = masks_of("secret-value");
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&masks] {
            for (int j = 0; j < 200; ++j) {
                set_log_masks(masks);
                log_info("a secret-value in the line");
            }
        });
    }
    for (auto& thread : threads) thread.join();
    const auto text = in_file();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 800);
    EXPECT_EQ(text.size() % 800, 0U);
    EXPECT_THAT(text, Not(HasSubstr("secret-value")));
}

TEST(LogLevel, IsNamedAsInConfigurationFiles) {
    EXPECT_EQ(log_level("DEBUG"), LogLevel::debug);
    EXPECT_EQ(log_level("CRITICAL"), LogLevel::critical);
    EXPECT_EQ(log_level("info"), std::nullopt);
    EXPECT_EQ(log_level(""), std::nullopt);
}

}  // namespace
}  // namespace trebuchet
