#include "agent/cli/local_checks.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::SizeIs;

namespace fs = std::filesystem;

auto is(Verdict verdict) {
    return Field(&Finding::verdict, verdict);
}

auto says(const std::string& text) {
    return Field(&Finding::text, HasSubstr(text));
}

class LocalChecks : public testing::Test {
  protected:
    LocalChecks() {
        config_.execution_basedir = folder_ / "run";
        config_.results_basedir = folder_ / "results";
        config_.logging_basedir = folder_ / "logs";
        config_.trebuchet.min_free_disk = 1;
    }
    Findings folders() {
        Findings findings;
        check_folders(config_, findings);
        return findings;
    }
    Findings programs() {
        Findings findings;
        check_programs(config_, folder_.path().string() + ":/bin", findings);
        return findings;
    }
    void install(const std::string& name) { fs::permissions(folder_.write(name, ""), fs::perms(0755)); }

    TemporaryFolder folder_;
    Config config_;
};

TEST_F(LocalChecks, FoldersThatCanBeMadeAreFine) {
    EXPECT_THAT(folders(), AllOf(SizeIs(3), Each(is(Verdict::ok))));
}

TEST_F(LocalChecks, AFolderNeedsRoomAndAnOwner) {
    config_.trebuchet.min_free_disk = std::uint64_t{1} << 50;
    EXPECT_THAT(folders()[0], AllOf(is(Verdict::error), says("trebuchet.min_free_disk wants")));
    config_.trebuchet.min_free_disk = 1;
    fs::create_directory(config_.results_basedir);
    fs::permissions(config_.results_basedir, fs::perms(0777));
    EXPECT_THAT(folders()[1], AllOf(is(Verdict::error), says("can be written by every user")));
    config_.logging_basedir = folder_.write("file", "");
    EXPECT_THAT(folders()[2], AllOf(is(Verdict::error), says("file is not a folder")));
}

TEST_F(LocalChecks, MemoryForSecretsShouldBeLockable) {
    Findings findings;
    check_locked_memory(std::uint64_t{8} << 20, findings);
    check_locked_memory(std::uint64_t{64} << 20, findings);
    EXPECT_THAT(findings, ElementsAre(AllOf(is(Verdict::warning), says("only 8192 KiB"), says("LimitMEMLOCK=64M")),
                                      is(Verdict::ok)));
}

TEST_F(LocalChecks, EachPhaseNeedsItsProgram) {
    install("lock-device");
    config_.phase_commands = {{"setup", "lock-device now"}, {"test", "/nowhere/run-tests"}};
    const auto found = programs();
    EXPECT_THAT(found, Contains(AllOf(is(Verdict::ok), says("lock-device is "))));
    EXPECT_THAT(found, Contains(AllOf(is(Verdict::error), says("there is no program \"/nowhere/run-tests\""))));
}

TEST_F(LocalChecks, AConnectorNeedsSshUnlessItReachesNoDevice) {
    install("trebuchet-provision");
    config_.phase_commands = {{"test", "trebuchet-provision fake_connector runtest"}};
    EXPECT_THAT(programs(), SizeIs(1));
    config_.phase_commands = {{"test", "trebuchet-provision muxpi runtest"}};
    EXPECT_THAT(programs(), Contains(says("ssh")));
}

TEST_F(LocalChecks, WhatTheShellDoesItselfNeedsNoProgram) {
    config_.phase_commands = {{"setup", "cd /srv && ./x"},
                              {"provision", "A=1 b"},
                              {"test", "( a )"},
                              {"cleanup", ""},
                              {"reserve", "\"my tool\""}};
    EXPECT_THAT(programs(), SizeIs(0));
}

}  // namespace
}  // namespace trebuchet
