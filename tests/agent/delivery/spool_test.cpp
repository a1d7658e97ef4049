#include "agent/delivery/spool.hpp"

#include "common/base/text.hpp"
#include "common/mask/mask_set.hpp"
#include "tests/fakes/file_limit.hpp"
#include "tests/fakes/masked.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SpoolTest : public testing::Test {
  protected:
    void open(SpoolOptions options = {}) { spool_.emplace(worker_, folder_ / "job", "output", options); }
    /// As after a crash: nothing is told that it ends.
    void reopen(SpoolOptions options = {}) {
        spool_.reset();
        open(options);
    }
    void add(Phase phase, std::string_view text) { spool_->add(phase, masked(text)); }
    /// Takes the next piece; "test: text", or "none".
    std::string begin() {
        const auto piece = spool_->front(true);
        if (!piece) return "none";
        spool_->begin(*piece, spool_->state().next_number, "now");
        return std::string(name_of(piece->phase)) + ": " + std::string(piece->text.bytes());
    }
    void sync() {
        bool done = false;
        spool_->sync([&] { done = true; });
        loop_.run_until([&] { return done; });
    }
    void arrive() {
        sync();
        spool_->finish_fragment(spool_->state().under_way->end - spool_->state().confirmed);
    }
    /// All that is left, in pieces.
    std::vector<std::string> rest() {
        std::vector<std::string> pieces;
        for (auto piece = begin(); piece != "none"; piece = begin()) {
            pieces.push_back(piece);
            arrive();
        }
        return pieces;
    }
    [[nodiscard]] std::uintmax_t disk_use() const {
        std::uintmax_t total = 0;
        for (const auto& file : fs::directory_iterator(folder_ / "job")) total += fs::file_size(file);
        return total;
    }

    TemporaryFolder folder_;
    EventLoop loop_;
    Worker worker_{loop_};
    std::optional<Spool> spool_;
};

TEST_F(SpoolTest, GivesBackWhatCameInOrderAndByPhase) {
    open();
    add(Phase::setup, "one ");
    add(Phase::setup, "two");
    add(Phase::test, "three");
    EXPECT_EQ(spool_->waiting_bytes(), 12U);
    EXPECT_THAT(rest(), ElementsAre("setup: one two", "test: three"));
    EXPECT_TRUE(spool_->is_empty());
    EXPECT_EQ(spool_->waiting_bytes(), 0U);
}

TEST_F(SpoolTest, NothingIsWrittenForNothing) {
    open();
    add(Phase::setup, "");
    EXPECT_FALSE(fs::exists(folder_ / "job"));
}

TEST_F(SpoolTest, GoesOnAfterACrashWhereItWas) {
    open();
    add(Phase::setup, "one");
    EXPECT_EQ(begin(), "setup: one");
    arrive();
    add(Phase::test, "two");
    add(Phase::test, "three");
    reopen();
    EXPECT_FALSE(spool_->state().under_way);
    EXPECT_EQ(spool_->state().next_number, 1U);
    EXPECT_EQ(spool_->state().shown_bytes_of(Phase::setup), 3U);
    EXPECT_THAT(rest(), ElementsAre("test: twothree"));
}

TEST_F(SpoolTest, AFragmentWhoseArrivalIsUnknownIsThereAgainAfterACrash) {
    open();
    add(Phase::test, "one");
    EXPECT_EQ(begin(), "test: one");
    add(Phase::test, "two");
    reopen();
    ASSERT_TRUE(spool_->state().under_way);
    EXPECT_EQ(spool_->state().under_way->number, 0U);
    EXPECT_EQ(spool_->take_text_under_way().bytes(), "one");
    spool_->finish_fragment(3);
    EXPECT_THAT(rest(), ElementsAre("test: two"));
    EXPECT_EQ(spool_->state().next_number, 2U);
}

TEST_F(SpoolTest, WhatIsNotSentYetLiesOnDiskAndNotInMemory) {
    open();
    const std::string line(1000, 'x');
    for (int i = 0; i < 3000; ++i) add(Phase::test, line);
    EXPECT_EQ(spool_->waiting_bytes(), 3'000'000U);
    std::string all;
    for (auto piece = begin(); piece != "none"; piece = begin()) {
        all += piece.substr(6);
        EXPECT_LE(piece.size(), Spool::piece_limit + 6);
        arrive();
    }
    EXPECT_EQ(all, std::string(3'000'000, 'x'));
}

TEST_F(SpoolTest, NoCharacterIsCutWhereTwoWritesMeetAtTheEndOfAPiece) {
    std::string text = "x";
    while (text.size() < 3 * Spool::piece_limit) text += "\xE2\x82\xAC";
    // With all of it there, as of a phase that prints faster than it is sent; and from the disk, after a crash.
    for (const bool crash : {false, true}) {
        open();
        for (std::size_t at = 0; at < text.size(); at += 65536) add(Phase::test, text.substr(at, 65536));
        add(Phase::cleanup, "clean");
        if (crash) reopen();
        std::string all;
        for (const auto& piece : rest()) {
            if (piece.starts_with("test: ")) all += to_valid_utf8(piece.substr(6));
        }
        EXPECT_TRUE(all == text);
        spool_->remove();
    }
}

TEST_F(SpoolTest, FilesAreRemovedWhenTheirTextArrived) {
    open({std::uint64_t{16} << 20, SpoolFull::wait});
    for (int i = 0; i < 8; ++i) add(Phase::test, std::string(std::size_t{1} << 20, 'x'));
    EXPECT_GT(disk_use(), std::uintmax_t{8} << 20);
    static_cast<void>(rest());
    sync();
    EXPECT_LT(disk_use(), std::uintmax_t{2} << 20);
}

TEST_F(SpoolTest, IsFullWhenTheLimitIsReachedUntilEnoughArrived) {
    open({std::uint64_t{1} << 20, SpoolFull::wait});
    for (int i = 0; i < 16; ++i) add(Phase::test, std::string(65'000, 'x'));
    EXPECT_FALSE(spool_->is_full());
    add(Phase::test, std::string(65'000, 'x'));
    EXPECT_TRUE(spool_->is_full());
    EXPECT_NE(begin(), "none");
    arrive();
    sync();
    EXPECT_FALSE(spool_->is_full());
}

TEST_F(SpoolTest, MayCutTheMiddleInsteadOfWaiting) {
    open({std::uint64_t{1} << 20, SpoolFull::cut});
    std::string all;
    for (int i = 0; i < 1000; ++i) {
        const auto line = "line " + std::to_string(i) + std::string(10'000, '.') + "\n";
        add(Phase::test, line);
        all += line;
    }
    EXPECT_FALSE(spool_->is_full());
    EXPECT_LT(disk_use(), std::uintmax_t{2} << 20);
    std::string got;
    std::size_t notes = 0;
    for (const auto& piece : rest()) {
        got += piece.substr(6);
        if (piece.find("bytes of log left out") != std::string::npos) ++notes;
    }
    EXPECT_EQ(notes, 1U);
    const auto note = got.find("\n[");
    ASSERT_NE(note, std::string::npos);
    const auto after = got.find("]\n", note) + 2;
    EXPECT_GT(note, 400'000U);
    EXPECT_GT(got.size() - after, 200'000U);
    EXPECT_EQ(got.substr(0, note), all.substr(0, note));
    EXPECT_TRUE(all.ends_with(got.substr(after)));
    const auto missing = all.size() - note - (got.size() - after);
    EXPECT_THAT(got.substr(note, after - note), HasSubstr("[" + std::to_string(missing) + " bytes of log left out"));
}

TEST_F(SpoolTest, WhatTheDiskRefusesIsKeptInMemoryAndGoesToDiskLater) {
    open();
    add(Phase::test, "before ");
    {
        const FileLimit full(200);
        for (int i = 0; i < 100; ++i) add(Phase::test, std::string(10'000, 'x'));
        EXPECT_FALSE(spool_->is_full());
        EXPECT_LT(disk_use(), 300U);
    }
    add(Phase::test, " after");
    EXPECT_GT(disk_use(), 1'000'000U);
    reopen();
    std::string all;
    for (const auto& piece : rest()) all += piece.substr(6);
    EXPECT_EQ(all, "before " + std::string(1'000'000, 'x') + " after");
}

TEST_F(SpoolTest, WhatIsUnderWayGoesToDiskLaterToo) {
    open();
    {
        const FileLimit full(0);
        add(Phase::test, "one");
        EXPECT_EQ(begin(), "test: one");
        EXPECT_FALSE(spool_->is_on_disk());
    }
    spool_->retry_disk();
    EXPECT_TRUE(spool_->is_on_disk());
    reopen();
    ASSERT_TRUE(spool_->state().under_way);
    EXPECT_EQ(spool_->take_text_under_way().bytes(), "one");
}

TEST_F(SpoolTest, WhatTheDiskRefusesIsSentFromMemory) {
    open();
    std::string all;
    const FileLimit full(200);
    for (int i = 0; i < 100; ++i) {
        add(Phase::test, "line " + std::to_string(i) + std::string(10'000, 'x'));
        all += "line " + std::to_string(i) + std::string(10'000, 'x');
    }
    std::string got;
    for (const auto& piece : rest()) got += piece.substr(6);
    EXPECT_TRUE(got == all);
}

TEST_F(SpoolTest, HoldsUpWhoWritesWhenDiskAndMemoryAreFull) {
    open({std::uint64_t{1} << 30, SpoolFull::wait, 100'000});
    const FileLimit full(0);
    add(Phase::test, std::string(Spool::piece_limit, 'x'));
    add(Phase::test, std::string(100'000, 'x'));
    EXPECT_FALSE(spool_->is_full());
    add(Phase::test, "x");
    EXPECT_TRUE(spool_->is_full());
    EXPECT_NE(begin(), "none");
    spool_->finish_fragment(1);
    EXPECT_NE(begin(), "none");
    EXPECT_FALSE(spool_->is_full());
}

TEST_F(SpoolTest, OfADamagedFileTheRestIsSentWithANoteOfWhatIsMissing) {
    open();
    for (const auto* text : {"one ", "two ", "three "}) add(Phase::test, text);
    spool_.reset();
    auto content = text_of(folder_ / "job/output.0");
    content.at(content.find("two")) = 'T';
    folder_.write("job/output.0", content);
    open();
    EXPECT_THAT(rest(), ElementsAre("test: one ", "test: \n[4 bytes of log left out: they could not be stored]\n",
                                    "test: three "));
    EXPECT_TRUE(fs::exists(folder_ / "job/output.0.damaged"));
}

TEST_F(SpoolTest, AMissingFileDoesNotStopIt) {
    open({std::uint64_t{1} << 20, SpoolFull::wait});
    for (int i = 0; i < 10; ++i) add(Phase::test, std::string(60'000, static_cast<char>('a' + i)));
    spool_.reset();
    fs::remove(folder_ / "job/output.2");
    open({std::uint64_t{1} << 20, SpoolFull::wait});
    std::string all;
    for (const auto& piece : rest()) all += piece;
    EXPECT_THAT(all, HasSubstr("bytes of log left out"));
    EXPECT_EQ(std::count(all.begin(), all.end(), 'j'), 60'000);
}

TEST_F(SpoolTest, RemovesItsFiles) {
    open();
    add(Phase::test, "one");
    spool_->remove();
    EXPECT_THAT(std::vector<fs::path>(fs::directory_iterator(folder_ / "job"), {}), IsEmpty());
}

}  // namespace
}  // namespace trebuchet
