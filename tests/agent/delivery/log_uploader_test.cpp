#include "agent/delivery/log_uploader.hpp"

#include "common/base/text.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_job_server.hpp"
#include "tests/fakes/masked.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t fragment_limit = 512U << 10;

class LogUploaderTest : public testing::Test {
  protected:
    /// What it begins to send is durable then, and sent.
    void add(Phase phase, std::string_view text) {
        uploader_->add(phase, masked(text));
        settle();
    }
    void answer_log() {
        server_.answer_log();
        settle();
    }
    void settle() {
        bool done = false;
        worker_.run([] {}, [&] { done = true; });
        loop_.run_until([&] { return done; });
    }
    /// As after a crash: a new one over the files of the former.
    void restart(SpoolOptions options = {}) {
        uploader_.reset();
        spool_.emplace(worker_, folder_ / "job", "output", options);
        uploader_.emplace(loop_, clock_, server_, *spool_, LogSeries::output, "j1", [] { return no_waiting(); });
    }
    /// Lets so much time pass that the next fragment may go at once.
    void pass_time() { clock_.advance(milliseconds(200)); }
    void flush() {
        const auto flushed = uploader_->flush(std::chrono::seconds(60));
        EXPECT_TRUE(flushed) << flushed.error().message();
    }
    /// "0 test hello" for each fragment that arrived.
    [[nodiscard]] std::vector<std::string> arrived() const { return shown(server_.fragments); }
    static std::vector<std::string> shown(const std::vector<LogFragment>& fragments) {
        std::vector<std::string> all;
        for (const auto& fragment : fragments) {
            all.push_back(std::to_string(fragment.number) + " " + std::string(name_of(fragment.phase)) + " " +
                          std::string(fragment.text.bytes()));
        }
        return all;
    }

    EventLoop loop_;
    FakeClock clock_;
    FakeJobServer server_{loop_};
    TemporaryFolder folder_;
    Worker worker_{loop_};
    std::optional<Spool> spool_{std::in_place, worker_, folder_ / "job", "output", SpoolOptions()};
    std::optional<LogUploader> uploader_{
        std::in_place, loop_, clock_, server_, *spool_, LogSeries::output, "j1", [] { return no_waiting(); }};
};

TEST_F(LogUploaderTest, NumbersFragmentsFromZeroAcrossPhases) {
    add(Phase::setup, "one\n");
    flush();
    add(Phase::provision, "two\n");
    flush();
    add(Phase::test, "three\n");
    flush();
    EXPECT_THAT(arrived(), ElementsAre("0 setup one\n", "1 provision two\n", "2 test three\n"));
    EXPECT_EQ(server_.fragments[0].series, LogSeries::output);
    EXPECT_EQ(server_.fragments[0].timestamp, "2027-01-15T08:00:00.000000+00:00");
}

TEST_F(LogUploaderTest, NothingIsSentForNothing) {
    add(Phase::setup, "");
    flush();
    EXPECT_THAT(server_.attempts, IsEmpty());
}

TEST_F(LogUploaderTest, SendsTheFirstPieceAtOnce) {
    server_.hold_logs = true;
    add(Phase::test, "a");
    EXPECT_EQ(server_.held_logs(), 1U);
}

TEST_F(LogUploaderTest, TheFirstPieceWaitsForMoreIfToldTo) {
    uploader_.emplace(
        loop_, clock_, server_, *spool_, LogSeries::output, "j1", [] { return no_waiting(); }, milliseconds(5));
    uploader_->add(Phase::test, masked("banner\n"));
    uploader_->add(Phase::test, masked("output\n"));
    loop_.run_until([&] { return uploader_->is_done(); });
    EXPECT_THAT(arrived(), ElementsAre("0 test banner\noutput\n"));
}

TEST_F(LogUploaderTest, HasOneFragmentUnderWayAndPutsTogetherWhatComesMeanwhile) {
    server_.hold_logs = true;
    add(Phase::test, "a");
    for (const auto* text : {"b", "c", "d"}) {
        pass_time();
        add(Phase::test, text);
        EXPECT_EQ(server_.held_logs(), 1U);
    }
    answer_log();
    EXPECT_EQ(server_.held_logs(), 1U);
    answer_log();
    EXPECT_EQ(server_.held_logs(), 0U);
    EXPECT_THAT(arrived(), ElementsAre("0 test a", "1 test bcd"));
}

TEST_F(LogUploaderTest, DoesNotSendMoreOftenThanItsPace) {
    server_.hold_logs = true;
    add(Phase::test, "a");
    answer_log();
    clock_.advance(milliseconds(199));
    add(Phase::test, "b");
    EXPECT_EQ(server_.held_logs(), 0U);
    loop_.run_until([&] { return server_.held_logs() == 1; });
}

TEST_F(LogUploaderTest, ABigPieceDoesNotWaitForThePace) {
    server_.hold_logs = true;
    add(Phase::test, "a");
    answer_log();
    add(Phase::test, std::string(fragment_limit, 'b'));
    EXPECT_EQ(server_.held_logs(), 1U);
}

TEST_F(LogUploaderTest, APhaseNeverSharesAFragmentWithAnother) {
    server_.hold_logs = true;
    add(Phase::setup, "a");
    add(Phase::setup, "b");
    add(Phase::provision, "c");
    add(Phase::test, "d");
    server_.hold_logs = false;
    answer_log();
    flush();
    EXPECT_THAT(arrived(), ElementsAre("0 setup a", "1 setup b", "2 provision c", "3 test d"));
}

TEST_F(LogUploaderTest, NoCharacterIsCut) {
    server_.hold_logs = true;
    add(Phase::test, "price: \xE2\x82");
    ASSERT_EQ(server_.held_logs(), 1U);
    answer_log();
    add(Phase::test, "\xAC!");
    loop_.run_until([&] { return server_.held_logs() == 1; });
    answer_log();
    EXPECT_THAT(arrived(), ElementsAre("0 test price: ", "1 test \xE2\x82\xAC!"));
}

TEST_F(LogUploaderTest, TheStartOfACharacterAloneIsNotSentUntilItIsWhole) {
    server_.hold_logs = true;
    add(Phase::test, "\xC3");
    EXPECT_EQ(server_.held_logs(), 0U);
    add(Phase::test, "\xA9");
    ASSERT_EQ(server_.held_logs(), 1U);
    answer_log();
    EXPECT_THAT(arrived(), ElementsAre("0 test \xC3\xA9"));
}

TEST_F(LogUploaderTest, FlushingSendsTheStartOfACharacterToo) {
    add(Phase::test, "a\xC3");
    flush();
    EXPECT_EQ(server_.output_of(Phase::test), "a\xC3");
    add(Phase::test, "\xE2\x82");
    flush();
    EXPECT_EQ(server_.output_of(Phase::test), "a\xC3\xE2\x82");
}

TEST_F(LogUploaderTest, TheStartOfACharacterIsSentWhenAnotherPhaseFollows) {
    add(Phase::setup, "\xC3");
    add(Phase::provision, "b");
    flush();
    EXPECT_THAT(arrived(), ElementsAre("0 setup \xC3", "1 provision b"));
}

TEST_F(LogUploaderTest, FragmentsAreBoundedAndCutBetweenCharacters) {
    std::string text = "x";
    while (text.size() < 3 * fragment_limit) text += "\xE2\x82\xAC";
    add(Phase::test, text);
    flush();
    std::string joined;
    EXPECT_EQ(server_.fragments.size(), 4U);
    for (const auto& fragment : server_.fragments) {
        EXPECT_LE(fragment.text.size(), fragment_limit);
        EXPECT_EQ(incomplete_utf8_tail(fragment.text.bytes()), 0U);
        joined += fragment.text.bytes();
    }
    EXPECT_TRUE(joined == text);
}

TEST_F(LogUploaderTest, BytesThatAreNoCharactersDoNotStopIt) {
    const std::string text(fragment_limit + 10, '\xBF');
    add(Phase::test, text);
    flush();
    EXPECT_TRUE(server_.output_of(Phase::test) == text);
}

TEST_F(LogUploaderTest, WhatWasRefusedIsSentAgainBeforeAnythingElse) {
    int refusals = 3;
    server_.is_down = [&](const std::string&) { return refusals-- > 0; };
    add(Phase::test, "a");
    add(Phase::test, "b");
    flush();
    EXPECT_THAT(shown(server_.attempts), ElementsAre("0 test a", "0 test a", "0 test a", "0 test a", "1 test b"));
    EXPECT_THAT(arrived(), ElementsAre("0 test a", "1 test b"));
}

TEST_F(LogUploaderTest, ARefusedFragmentIsSentAgainUnchanged) {
    bool down = true;
    server_.is_down = [&](const std::string&) { return down; };
    add(Phase::test, "a");
    loop_.run_until([&] { return server_.attempts.size() >= 2; });
    clock_.advance(std::chrono::hours(1));
    add(Phase::test, "b");
    down = false;
    flush();
    EXPECT_EQ(server_.fragments.at(0).timestamp, "2027-01-15T08:00:00.000000+00:00");
    EXPECT_THAT(arrived(), ElementsAre("0 test a", "1 test b"));
}

TEST_F(LogUploaderTest, FlushingGivesUpAfterItsLimitAndLosesNothing) {
    bool down = true;
    server_.is_down = [&](const std::string&) { return down; };
    add(Phase::test, "1234567");
    add(Phase::test, "890");
    const auto flushed = uploader_->flush(milliseconds(20));
    ASSERT_FALSE(flushed);
    EXPECT_EQ(flushed.error().message(), "job j1: 10 bytes of the log are not sent yet");
    down = false;
    flush();
    EXPECT_EQ(server_.output_of(Phase::test), "1234567890");
}

TEST_F(LogUploaderTest, FlushingNothingReturnsAtOnce) {
    EXPECT_TRUE(uploader_->flush(milliseconds(0)));
}

TEST_F(LogUploaderTest, FlushingDoesNotWaitForThePace) {
    server_.hold_logs = true;
    add(Phase::test, "a");
    answer_log();
    add(Phase::test, "b");
    EXPECT_EQ(server_.held_logs(), 0U);
    server_.hold_logs = false;
    flush();
    EXPECT_EQ(server_.output_of(Phase::test), "ab");
}

TEST_F(LogUploaderTest, SaysOnceWhenThereIsRoomAgain) {
    restart({std::uint64_t{1} << 20, SpoolFull::wait});
    server_.hold_logs = true;
    int told = 0;
    for (int i = 0; i < 17; ++i) add(Phase::test, std::string(65'000, 'x'));
    EXPECT_TRUE(uploader_->is_full());
    uploader_->on_room([&] { ++told; });
    answer_log();
    EXPECT_EQ(told, 0);
    while (told == 0 && server_.held_logs() > 0) answer_log();
    EXPECT_EQ(told, 1);
    EXPECT_FALSE(uploader_->is_full());
    while (server_.held_logs() > 0) answer_log();
    EXPECT_EQ(told, 1);
}

TEST_F(LogUploaderTest, SaysThatThereIsRoomWhenTheDiskTakesItAlthoughTheServerIsAway) {
    folder_.write("job", "in the way");
    restart({std::uint64_t{1} << 30, SpoolFull::wait, 100'000});
    server_.is_down = [](const std::string&) { return true; };
    for (int i = 0; i < 12; ++i) add(Phase::test, std::string(65'536, 'x'));
    ASSERT_TRUE(uploader_->is_full());
    bool told = false;
    uploader_->on_room([&] { told = true; });
    std::filesystem::remove(folder_ / "job");
    const auto tries = server_.attempts.size();
    loop_.run_until([&] { return told || server_.attempts.size() > tries + 20; });
    EXPECT_TRUE(told);
}

TEST_F(LogUploaderTest, CanBeDestroyedWithAFragmentUnderWay) {
    server_.hold_logs = true;
    add(Phase::test, "a");
    uploader_.reset();
    answer_log();
    EXPECT_THAT(arrived(), ElementsAre("0 test a"));
}

TEST_F(LogUploaderTest, EachSeriesHasItsOwnNumbers) {
    Spool serial_spool(worker_, folder_ / "job", "serial", {});
    LogUploader serial(loop_, clock_, server_, serial_spool, LogSeries::serial, "j1", [] { return no_waiting(); });
    add(Phase::test, "out");
    serial.add(Phase::test, masked("boot"));
    flush();
    EXPECT_TRUE(serial.flush(std::chrono::seconds(60)));
    ASSERT_EQ(server_.fragments.size(), 2U);
    EXPECT_EQ(server_.fragments[1].series, LogSeries::serial);
    EXPECT_EQ(server_.fragments[1].number, 0U);
}

TEST_F(LogUploaderTest, SendsNothingTwiceThatArrivedAlthoughItsAnswerWasLost) {
    server_.lost_logs = {{2, LostLog::with_fragment}};
    for (const auto* text : {"one\n", "two\n", "three\n"}) {
        add(Phase::test, text);
        flush();
    }
    EXPECT_THAT(arrived(), ElementsAre("0 test one\n", "1 test two\n", "2 test three\n"));
    EXPECT_EQ(server_.attempts.size(), 3U);
    EXPECT_EQ(uploader_->doubtful(), 0U);
}

TEST_F(LogUploaderTest, SendsAgainWhatDidNotArriveWhenTheAnswerWasLost) {
    server_.lost_logs = {{2, LostLog::without_fragment}, {3, LostLog::without_fragment}};
    for (const auto* text : {"one\n", "one\n", "one\n"}) {
        add(Phase::test, text);
        flush();
    }
    EXPECT_THAT(arrived(), ElementsAre("0 test one\n", "1 test one\n", "2 test one\n"));
    EXPECT_EQ(server_.attempts.size(), 5U);
}

TEST_F(LogUploaderTest, CountsThePhasesLogsApartWhenAnAnswerWasLost) {
    server_.lost_logs = {{3, LostLog::with_fragment}};
    add(Phase::setup, "set up\n");
    flush();
    add(Phase::test, "one\n");
    flush();
    add(Phase::cleanup, "clean\n");
    flush();
    EXPECT_THAT(arrived(), ElementsAre("0 setup set up\n", "1 test one\n", "2 cleanup clean\n"));
}

TEST_F(LogUploaderTest, ComparesWhatIsShownAsUtf8) {
    server_.lost_logs = {{2, LostLog::with_fragment}};
    add(Phase::test, "\xFF\xFE caf\xC3\xA9\n");
    flush();
    add(Phase::test, "\xFF again\n");
    flush();
    EXPECT_EQ(server_.attempts.size(), 2U);
}

TEST_F(LogUploaderTest, GoesOnAskingAServerThatIsAwayWhetherTheFragmentArrived) {
    server_.lost_logs = {{1, LostLog::with_fragment}};
    server_.is_down = [this](const std::string& call) { return call == "read_log" && server_.calls[call] <= 20; };
    add(Phase::test, "one\n");
    flush();
    EXPECT_THAT(arrived(), ElementsAre("0 test one\n"));
    EXPECT_EQ(server_.calls["read_log"], 21);
}

TEST_F(LogUploaderTest, RatherSendsTwiceThanNotAtAllIfTheServerWillNotSay) {
    server_.lost_logs = {{1, LostLog::without_fragment}};
    server_.read_log_is_away = false;
    server_.is_down = [](const std::string& call) { return call == "read_log"; };
    add(Phase::test, "one\n");
    flush();
    EXPECT_THAT(arrived(), ElementsAre("0 test one\n"));
    EXPECT_EQ(server_.calls["read_log"], 5);
    EXPECT_EQ(uploader_->doubtful(), 1U);
}

TEST_F(LogUploaderTest, RatherSendsTwiceThanNotAtAllIfSomethingElseIsShown) {
    add(Phase::test, "one\n");
    flush();
    server_.fragments.push_back({LogSeries::output, 7, "", Phase::test, masked("somebody else's")});
    server_.lost_logs = {{2, LostLog::without_fragment}};
    add(Phase::test, "two\n");
    flush();
    EXPECT_EQ(uploader_->doubtful(), 1U);
    EXPECT_EQ(arrived().back(), "1 test two\n");
}

TEST_F(LogUploaderTest, LeavesOutWhatTheServerRefusesForGood) {
    add(Phase::test, "one\n");
    flush();
    server_.lost_logs = {{2, LostLog::invalid}, {3, LostLog::invalid}, {4, LostLog::invalid}, {5, LostLog::invalid}};
    add(Phase::test, "two\n");
    flush();
    add(Phase::test, "three\n");
    flush();
    EXPECT_THAT(arrived(), ElementsAre("0 test one\n", "2 test three\n",
                                       "3 test \n[4 bytes of log left out: the server did not accept them]\n"));
}

TEST_F(LogUploaderTest, TriesARefusedFragmentAFewTimes) {
    server_.lost_logs = {{1, LostLog::invalid}, {2, LostLog::invalid}};
    add(Phase::test, "one\n");
    flush();
    EXPECT_THAT(arrived(), ElementsAre("0 test one\n"));
}

TEST_F(LogUploaderTest, GoesOnAfterACrashWithoutLossOrDouble) {
    server_.hold_logs = true;
    add(Phase::test, "one\n");
    answer_log();
    pass_time();
    add(Phase::test, "two\n");
    add(Phase::cleanup, "three\n");
    restart();
    server_.hold_logs = false;
    flush();
    EXPECT_THAT(arrived(), ElementsAre("0 test one\n", "1 test two\n", "2 cleanup three\n"));
    EXPECT_EQ(uploader_->doubtful(), 0U);
}

TEST_F(LogUploaderTest, AsksAfterACrashWhetherTheLastFragmentArrived) {
    add(Phase::setup, "set up\n");
    flush();
    server_.lost_logs = {{2, LostLog::with_fragment}};
    server_.is_down = [](const std::string& call) { return call == "read_log"; };
    add(Phase::test, "arrived, but who knows \xFF\n");
    loop_.run_until([&] { return server_.attempts.size() == 2; });
    add(Phase::test, "waits\n");
    restart();
    server_.is_down = [](const std::string&) { return false; };
    flush();
    EXPECT_THAT(arrived(), ElementsAre("0 setup set up\n", "1 test arrived, but who knows \xFF\n", "2 test waits\n"));
}

TEST_F(LogUploaderTest, SendsNothingAfterACrashBeforeTheServerSaysWhatItHas) {
    server_.lost_logs = {{1, LostLog::with_fragment}};
    server_.is_down = [this](const std::string& call) { return call == "read_log" && server_.calls[call] <= 3; };
    add(Phase::test, "arrived, but who knows\n");
    loop_.run_until([&] { return server_.attempts.size() == 1; });
    restart();
    loop_.run_until([&] { return server_.calls["read_log"] >= 1; });
    flush();
    EXPECT_THAT(arrived(), ElementsAre("0 test arrived, but who knows\n"));
    EXPECT_EQ(server_.calls["read_log"], 4);
}

TEST_F(LogUploaderTest, TellsWhenAllHasArrived) {
    int told = 0;
    uploader_->on_done([&] { ++told; });
    uploader_->add(Phase::test, masked("one\n"));
    EXPECT_FALSE(uploader_->is_done());
    loop_.run_until([&] { return told == 1; });
    EXPECT_TRUE(uploader_->is_done());
    EXPECT_THAT(arrived(), ElementsAre("0 test one\n"));
}

TEST_F(LogUploaderTest, NothingIsPostedThatIsNotDurable) {
    server_.hold_logs = true;
    uploader_->add(Phase::test, masked("one\n"));
    EXPECT_EQ(server_.held_logs(), 0U);
    settle();
    EXPECT_EQ(server_.held_logs(), 1U);
}

}  // namespace
}  // namespace trebuchet
