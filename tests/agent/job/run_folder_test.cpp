#include "agent/job/run_folder.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

mode_t mode_of(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
}

std::string read_all(const FileDescriptor& fd) {
    std::string text(1000, '\0');
    const auto count = ::read(fd.get(), text.data(), text.size());
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
}

class RunFolderTest : public testing::Test {
  protected:
    RunFolderTest() {
        auto job = parse_job(R"({"job_id": "j1", "test_data": {"test_cmds": "x", "secrets": {"T": "s3cret"}}})");
        job_ = std::move(*job);
        folder_.emplace(make());
    }
    RunFolder make() const {
        auto made = RunFolder::make(temporary_ / "run", temporary_ / "secret", job_);
        EXPECT_TRUE(made) << made.error().message();
        return std::move(*made);
    }
    [[nodiscard]] fs::path file(std::string_view name) const { return folder_->path() / name; }
    void write(std::string_view name, std::string_view text) const { std::ofstream(file(name)) << text; }
    [[nodiscard]] std::string device_info_problem() const {
        const auto info = folder_->read_device_info();
        return info ? "no problem" : info.error().message();
    }

    TemporaryFolder temporary_;
    Job job_;
    std::optional<RunFolder> folder_;
};

TEST_F(RunFolderTest, IsPrivateAndHoldsTheJobWithoutItsSecrets) {
    EXPECT_EQ(folder_->path(), temporary_ / "run" / "j1");
    EXPECT_EQ(mode_of(folder_->path()), 0700U);
    EXPECT_EQ(mode_of(file("testflinger.json")), 0600U);
    EXPECT_EQ(json::parse(text_of(file("testflinger.json"))), json::parse(job_.public_document));
    EXPECT_EQ(json::parse(text_of(file("testflinger-outcome.json"))), json::object());
}

TEST_F(RunFolderTest, AFolderThatIsThereAlreadyIsNotTouched) {
    write("kept", "x");
    bool was_about_to = false;
    const auto again = RunFolder::make(temporary_ / "run", temporary_ / "secret", job_, [&] { was_about_to = true; });
    ASSERT_FALSE(again);
    EXPECT_THAT(again.error().message(), HasSubstr("already exists, and this agent did not make it for this job"));
    EXPECT_FALSE(was_about_to);
    EXPECT_EQ(text_of(file("kept")), "x");
}

TEST_F(RunFolderTest, ALinkThatIsThereAlreadyIsNotFollowed) {
    fs::create_directory(temporary_ / "elsewhere");
    temporary_.write("elsewhere/kept", "x");
    fs::remove_all(folder_->path());
    fs::create_directory_symlink(temporary_ / "elsewhere", folder_->path());
    EXPECT_FALSE(RunFolder::make(temporary_ / "run", temporary_ / "secret", job_));
    EXPECT_TRUE(fs::is_symlink(folder_->path()));
    const auto again = RunFolder::reopen(temporary_ / "run", temporary_ / "secret", job_);
    ASSERT_TRUE(again);
    EXPECT_FALSE(fs::is_symlink(folder_->path()));
    EXPECT_EQ(text_of(temporary_ / "elsewhere/kept"), "x");
    EXPECT_FALSE(fs::exists(temporary_ / "elsewhere/testflinger.json"));
}

TEST_F(RunFolderTest, OneThatAKilledAgentLeftCanBeGoneOnWith) {
    ASSERT_TRUE(folder_->show_job(job_, true));
    std::ofstream(file("test-serial.log")) << "boot";
    fs::create_directory(file("artifacts"));
    const auto again = RunFolder::reopen(temporary_ / "run", temporary_ / "secret", job_);
    ASSERT_TRUE(again);
    EXPECT_FALSE(fs::is_symlink(file("testflinger.json")));
    EXPECT_FALSE(fs::exists(temporary_ / "secret/j1"));
    EXPECT_TRUE(again->open_serial_log(Phase::test));
    EXPECT_THAT(again->remove_unmasked(), testing::UnorderedElementsAre("test-serial.log", "artifacts"));
    EXPECT_FALSE(again->open_serial_log(Phase::test));
    EXPECT_FALSE(again->artifacts());
    EXPECT_TRUE(fs::exists(file("testflinger.json")));
}

TEST_F(RunFolderTest, IsMadeAnewIfNothingWasLeft) {
    fs::remove_all(folder_->path());
    const auto again = RunFolder::reopen(temporary_ / "run", temporary_ / "secret", job_);
    ASSERT_TRUE(again);
    EXPECT_TRUE(fs::exists(file("testflinger.json")));
}

TEST_F(RunFolderTest, SaysWhyItCannotBeMade) {
    temporary_.write("file", "x");
    const auto made = RunFolder::make(temporary_ / "file", temporary_ / "secret", job_);
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message(), HasSubstr((temporary_ / "file").string()));
}

TEST_F(RunFolderTest, TheJobWithSecretsIsALinkToTheOtherFolder) {
    ASSERT_TRUE(folder_->show_job(job_, true));
    EXPECT_EQ(fs::read_symlink(file("testflinger.json")), temporary_ / "secret/j1/testflinger.json");
    EXPECT_EQ(text_of(file("testflinger.json")), std::string_view(job_.document));
    EXPECT_EQ(mode_of(temporary_ / "secret/j1"), 0700U);
    EXPECT_EQ(mode_of(temporary_ / "secret/j1/testflinger.json"), 0600U);
}

TEST_F(RunFolderTest, ShowingTheJobWithoutSecretsRemovesTheOneWithThem) {
    ASSERT_TRUE(folder_->show_job(job_, true));
    ASSERT_TRUE(folder_->show_job(job_, false));
    EXPECT_FALSE(fs::is_symlink(file("testflinger.json")));
    EXPECT_THAT(text_of(file("testflinger.json")), Not(HasSubstr("s3cret")));
    EXPECT_FALSE(fs::exists(temporary_ / "secret/j1"));
}

TEST_F(RunFolderTest, TheJobWithSecretsIsOverwrittenBeforeItIsRemoved) {
    ASSERT_TRUE(folder_->show_job(job_, true));
    fs::create_hard_link(temporary_ / "secret/j1/testflinger.json", temporary_ / "copy");
    folder_->hide_secrets();
    EXPECT_EQ(text_of(temporary_ / "copy"), std::string(job_.document.size(), '\0'));
}

TEST_F(RunFolderTest, APhaseThatReplacesTheJobFileHarmsNothing) {
    temporary_.write("victim", "precious");
    for (const bool with_secrets : {true, false}) {
        for (const auto* name : {"testflinger.json", "testflinger.json.new"}) {
            fs::remove_all(file(name));
            fs::create_symlink(temporary_ / "victim", file(name));
            EXPECT_TRUE(folder_->show_job(job_, with_secrets));
            fs::remove_all(file(name));
            fs::create_directories(file(name) / "full");
            EXPECT_TRUE(folder_->show_job(job_, with_secrets)) << name;
            EXPECT_THAT(text_of(file("testflinger.json")), HasSubstr("\"j1\""));
        }
    }
    EXPECT_EQ(text_of(temporary_ / "victim"), "precious");
}

TEST_F(RunFolderTest, APhaseThatRemovesTheFolderGetsItBack) {
    fs::remove_all(folder_->path());
    EXPECT_TRUE(folder_->show_job(job_, false));
    EXPECT_TRUE(fs::exists(file("testflinger.json")));
    fs::remove_all(folder_->path());
    fs::create_directory_symlink("/nonexistent", folder_->path());
    EXPECT_TRUE(folder_->show_job(job_, true));
    EXPECT_TRUE(fs::is_symlink(file("testflinger.json")));
    EXPECT_FALSE(fs::is_symlink(folder_->path()));
}

TEST_F(RunFolderTest, APhaseLogIsNewWhateverStandsInItsPlace) {
    temporary_.write("victim", "precious");
    fs::create_symlink(temporary_ / "victim", file("test.log"));
    auto log = folder_->open_phase_log(Phase::test);
    ASSERT_TRUE(log) << log.error().message();
    EXPECT_TRUE(write_all(log->get(), "line\n"));
    EXPECT_FALSE(fs::is_symlink(file("test.log")));
    EXPECT_EQ(text_of(file("test.log")), "line\n");
    EXPECT_EQ(text_of(temporary_ / "victim"), "precious");

    EXPECT_TRUE(folder_->open_phase_log(Phase::test));
    EXPECT_EQ(text_of(file("test.log")), "");

    fs::create_directories(file("cleanup.log/full"));
    EXPECT_TRUE(folder_->open_phase_log(Phase::cleanup));
    ::mkfifo(file("setup.log").c_str(), 0600);
    EXPECT_TRUE(folder_->open_phase_log(Phase::setup));
}

TEST_F(RunFolderTest, ASerialLogIsReadIfItIsAFile) {
    EXPECT_FALSE(folder_->open_serial_log(Phase::test));
    write("test-serial.log", "boot\n");
    const auto log = folder_->open_serial_log(Phase::test);
    ASSERT_TRUE(log);
    EXPECT_EQ(read_all(*log), "boot\n");
    EXPECT_FALSE(folder_->open_serial_log(Phase::provision));
}

TEST_F(RunFolderTest, ASerialLogThatIsNoFileIsNotRead) {
    temporary_.write("elsewhere", "precious");
    fs::create_symlink(temporary_ / "elsewhere", file("test-serial.log"));
    EXPECT_FALSE(folder_->open_serial_log(Phase::test));
    ::mkfifo(file("provision-serial.log").c_str(), 0600);
    EXPECT_FALSE(folder_->open_serial_log(Phase::provision));
    fs::create_directory(file("setup-serial.log"));
    EXPECT_FALSE(folder_->open_serial_log(Phase::setup));
    fs::create_symlink("/dev/zero", file("reserve-serial.log"));
    EXPECT_FALSE(folder_->open_serial_log(Phase::reserve));
}

TEST_F(RunFolderTest, DeviceInfoIsTheObjectOfThatName) {
    EXPECT_FALSE(folder_->read_device_info()->has_value());
    write("device-info.json", R"({"device_info": {"device_ip": "10.0.0.1", "deep": [1, {}]}, "other": 1})");
    const auto info = folder_->read_device_info();
    ASSERT_TRUE(info && *info);
    EXPECT_EQ(**info, json({{"device_ip", "10.0.0.1"}, {"deep", {1, json::object()}}}));
}

TEST_F(RunFolderTest, HasNoNotesWhereProgramsCanBeStarted) {
    EXPECT_EQ(folder_->notes(), "");
}

TEST_F(RunFolderTest, NotesThatNoProgramCanBeStartedOnAFileSystemMountedNoexec) {
    const FileDescriptor own_mounts(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    if (::unshare(CLONE_NEWNS) != 0) GTEST_SKIP() << "NOT TESTED: needs root, to mount a file system";
    const auto path = folder_->path();
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    ASSERT_EQ(::mount("none", path.c_str(), "tmpfs", MS_NOEXEC, nullptr), 0);
    EXPECT_THAT(folder_->notes(), HasSubstr("mounted noexec: programs and scripts in it"));
    EXPECT_EQ(::setns(own_mounts.get(), CLONE_NEWNS), 0);
}

TEST_F(RunFolderTest, DeviceInfoThatIsNoFileIsAProblem) {
    temporary_.write("elsewhere", R"({"device_info": {"a": "precious"}})");
    fs::create_symlink(temporary_ / "elsewhere", file("device-info.json"));
    EXPECT_THAT(device_info_problem(), HasSubstr("is a symbolic link"));
    fs::remove(file("device-info.json"));
    ::mkfifo(file("device-info.json").c_str(), 0600);
    EXPECT_THAT(device_info_problem(), HasSubstr("is a FIFO; expected a regular file"));
    fs::remove(file("device-info.json"));
    fs::create_directory(file("device-info.json"));
    EXPECT_THAT(device_info_problem(), HasSubstr("is a folder; expected a regular file"));
    fs::remove(file("device-info.json"));
    fs::create_symlink("/nonexistent", file("device-info.json"));
    EXPECT_THAT(device_info_problem(), HasSubstr("is a symbolic link"));
}

TEST_F(RunFolderTest, DeviceInfoThatIsHugeIsAProblem) {
    write("device-info.json", "{");
    fs::resize_file(file("device-info.json"), 10'000'000'000);
    EXPECT_THAT(device_info_problem(), HasSubstr("is longer than the 1048576 bytes"));
}

TEST_F(RunFolderTest, DeviceInfoOfAnotherShapeIsAProblem) {
    for (const std::string text : {"", "{", "[]", "7", "\"device_info\"", "{\"device_info\": \"\xFF\"}"}) {
        write("device-info.json", text);
        EXPECT_THAT(device_info_problem(), HasSubstr("is not a JSON object of at most 100 levels")) << text;
    }
    for (const auto* text : {"{}", R"({"device_info": 7})", R"({"device_info": null})"}) {
        write("device-info.json", text);
        EXPECT_THAT(device_info_problem(), HasSubstr("has no object \"device_info\"")) << text;
    }
    write("device-info.json", R"({"device_info": )" + std::string(10'000, '[') + std::string(10'000, ']') + "}");
    EXPECT_THAT(device_info_problem(), HasSubstr("is not a JSON object of at most 100 levels"));
}

TEST_F(RunFolderTest, AConnectorsErrorIsOneLine) {
    json error{
        {"exception_name", "ProvisioningError"}, {"exception_message", "no image"}, {"exception_cause", "OSError()"}};
    write("device-connector-error.json", json{{"provision_exception_info", error}}.dump());
    EXPECT_EQ(folder_->read_connector_error(Phase::provision), "ProvisioningError: no image caused by OSError()");
    EXPECT_EQ(folder_->read_connector_error(Phase::test), "");
    error = {{"exception_name", "E"}, {"exception_message", 7}, {"exception_cause", nullptr}};
    write("device-connector-error.json", json{{"test_exception_info", error}}.dump());
    EXPECT_EQ(folder_->read_connector_error(Phase::test), "E: ");
}

TEST_F(RunFolderTest, AConnectorsErrorOfTheTestStandsUnderItsStagesName) {
    const json error{{"exception_name", "E"}, {"exception_message", "no shell"}, {"exception_cause", nullptr}};
    write("device-connector-error.json", json{{"runtest_exception_info", error}}.dump());
    EXPECT_EQ(folder_->read_connector_error(Phase::test), "E: no shell");
    EXPECT_EQ(folder_->read_connector_error(Phase::reserve), "");
}

TEST_F(RunFolderTest, AConnectorsErrorThatCannotBeReadIsNone) {
    for (const std::string text :
         {"", "[]", "{", R"({"test_exception_info": "x"})", R"({"test_exception_info": null})"}) {
        write("device-connector-error.json", text);
        EXPECT_EQ(folder_->read_connector_error(Phase::test), "") << text;
    }
    fs::remove(file("device-connector-error.json"));
    ::mkfifo(file("device-connector-error.json").c_str(), 0600);
    EXPECT_EQ(folder_->read_connector_error(Phase::test), "");
}

TEST_F(RunFolderTest, ArtifactsAreAFolder) {
    EXPECT_FALSE(folder_->artifacts());
    write("artifacts", "x");
    EXPECT_FALSE(folder_->artifacts());
    fs::remove(file("artifacts"));
    fs::create_directory_symlink("/etc", file("artifacts"));
    EXPECT_FALSE(folder_->artifacts());
    fs::remove(file("artifacts"));
    fs::create_directory(file("artifacts"));
    EXPECT_EQ(folder_->artifacts(), file("artifacts"));
}

TEST_F(RunFolderTest, TheOutcomeHoldsTheCodesSoFar) {
    EXPECT_TRUE(folder_->write_outcome({{Phase::setup, 0}, {Phase::provision, 46}}));
    EXPECT_EQ(json::parse(text_of(file("testflinger-outcome.json"))),
              json({{"status", {{"setup", 0}, {"provision", 46}}}}));
    fs::remove(file("testflinger-outcome.json"));
    fs::create_directories(file("testflinger-outcome.json/full"));
    EXPECT_TRUE(folder_->write_outcome({}));
}

TEST_F(RunFolderTest, RemovingItRemovesEverythingAndFollowsNoLink) {
    ASSERT_TRUE(folder_->show_job(job_, true));
    fs::create_directories(file("deep/deeper"));
    fs::create_directory(temporary_ / "elsewhere");
    temporary_.write("elsewhere/kept", "x");
    fs::create_directory_symlink(temporary_ / "elsewhere", file("link"));
    EXPECT_TRUE(folder_->remove({}));
    EXPECT_FALSE(fs::exists(folder_->path()));
    EXPECT_FALSE(fs::exists(temporary_ / "secret/j1"));
    EXPECT_EQ(text_of(temporary_ / "elsewhere/kept"), "x");
    EXPECT_TRUE(folder_->remove({}));
}

/// Runs `works` in a child that is not root, for what root may do anyway.
bool works_without_root(const fs::path& folder, const std::function<bool()>& works) {
    constexpr uid_t nobody = 65534;
    const bool is_root = ::geteuid() == 0;
    if (is_root && ::chown(folder.c_str(), nobody, nobody) != 0) return false;
    const pid_t child = ::fork();
    if (child == 0) {
        if (is_root && (::setgid(nobody) != 0 || ::setuid(nobody) != 0)) ::_exit(2);
        ::_exit(works() ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(RunFolder, GoesEvenIfAPhaseTookOurPermissionsAway) {
    const TemporaryFolder temporary;
    const auto job = parse_job(R"({"job_id": "j1"})");
    EXPECT_TRUE(works_without_root(temporary.path(), [&] {
        auto folder = RunFolder::make(temporary / "run", temporary / "secret", *job);
        if (!folder) return false;
        fs::create_directories(folder->path() / "cache/module");
        std::ofstream(folder->path() / "cache/module/file") << "x";
        fs::permissions(folder->path() / "cache/module", fs::perms(0500));
        fs::permissions(folder->path() / "cache", fs::perms::none);
        fs::permissions(folder->path(), fs::perms::none);
        if (!folder->show_job(*job, false)) return false;
        return folder->remove({}) && !fs::exists(folder->path());
    }));
}

/// RUNTIME_DIRECTORY set to what the test says, as it was afterwards.
}  // namespace
}  // namespace trebuchet
