#include "agent/job/added_masks.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AddMaskFilterTest : public testing::Test {
  protected:
    /// "text[value]text" of a stream that comes in these pieces.
    std::string filtered(const std::vector<std::string>& pieces) {
        for (const auto& piece : pieces) filter_.write(piece);
        filter_.finish();
        return std::exchange(seen_, {});
    }

    std::string seen_;
    AddMaskFilter filter_{[this](std::string_view text) { seen_ += text; },
                          [this](std::string_view value) { seen_ += "[" + std::string(value) + "]"; }};
};

TEST_F(AddMaskFilterTest, TakesTheLinesOutAndHandsTheValuesOver) {
    EXPECT_EQ(filtered({"before\n::add-mask::hunter22\nafter hunter22\n"}), "before\n[hunter22]after hunter22\n");
    EXPECT_EQ(filtered({"::add-mask::first\n"}), "[first]");
    EXPECT_EQ(filtered({"::add-mask::a b\r\n::add-mask::c\nx"}), "[a b][c]x");
    EXPECT_EQ(filtered({"::add-mask::"}), "[]");
    EXPECT_EQ(filtered({"::add-mask::\n"}), "[]");
    EXPECT_EQ(filtered({"x\n::add-mask::without an end"}), "x\n[without an end]");
}

TEST_F(AddMaskFilterTest, LeavesEverythingElseAsItIs) {
    for (const std::string text : {"", "\n", "plain\n", "a ::add-mask::x\n", "::add-mas", "::\n", ":", "::add-mask:x\n",
                                   "\n\n:\n", "::ADD-MASK::x\n", " ::add-mask::x\n", ":::add-mask::x\n"}) {
        EXPECT_EQ(filtered({text}), text);
    }
}

TEST_F(AddMaskFilterTest, DoesNotMindWhereThePiecesEnd) {
    const std::string text = "a\n::add-mask::val\nb\n::add-x\n::add-mask::w\r\nend ::add-mask::no";
    const std::string expected = "a\n[val]b\n::add-x\n[w]end ::add-mask::no";
    for (std::size_t one = 0; one <= text.size(); ++one) {
        for (std::size_t two = one; two <= text.size(); ++two) {
            ASSERT_EQ(filtered({text.substr(0, one), text.substr(one, two - one), text.substr(two)}), expected)
                << one << " " << two;
        }
    }
    std::vector<std::string> bytes;
    for (const char c : text) bytes.emplace_back(1, c);
    EXPECT_EQ(filtered(bytes), expected);
}

TEST_F(AddMaskFilterTest, HoldsBackOnlyWhatMayBecomeACommand) {
    filter_.write("login: ");
    EXPECT_EQ(seen_, "login: ");
    filter_.write("\n::add");
    EXPECT_EQ(seen_, "login: \n");
    filter_.write("ress");
    EXPECT_EQ(seen_, "login: \n::address");
}

TEST_F(AddMaskFilterTest, KeepsNoMoreOfAnEndlessLineThanAValueMayHave) {
    std::size_t longest = 0;
    AddMaskFilter filter([](std::string_view) {}, [&](std::string_view value) { longest = value.size(); });
    filter.write("::add-mask::");
    for (int i = 0; i < 100; ++i) filter.write(std::string(100'000, 'x'));
    filter.write("\nnext\n");
    EXPECT_GT(longest, AddedMaskLimits().value_length) << "so that it is refused";
    EXPECT_LT(longest, AddedMaskLimits().value_length + 100);
}

class MaskFifoTest : public testing::Test {
  protected:
    MaskFifoTest() { fifo_.emplace(std::move(*MaskFifo::make(folder_ / "fifo"))); }
    void write(const std::string& text) const {
        const FileDescriptor fd(::open((folder_ / "fifo").c_str(), O_WRONLY | O_NONBLOCK));
        ASSERT_TRUE(fd);
        ASSERT_TRUE(write_all(fd.get(), text));
    }
    std::vector<std::string> drained() {
        std::vector<std::string> values;
        fifo_->drain([&](std::string_view value) { values.emplace_back(value); });
        return values;
    }

    std::vector<std::string> unfinished() {
        std::vector<std::string> values;
        fifo_->take_unfinished([&](std::string_view value) { values.emplace_back(value); });
        return values;
    }

    TemporaryFolder folder_;
    std::optional<MaskFifo> fifo_;
};

TEST_F(MaskFifoTest, HandsOverWholeLines) {
    EXPECT_THAT(drained(), IsEmpty());
    write("first\nsecond\r\nthi");
    EXPECT_THAT(drained(), ElementsAre("first", "second"));
    write("rd\n");
    EXPECT_THAT(drained(), ElementsAre("third"));
}

TEST_F(MaskFifoTest, AtTheEndAlsoALineWithoutOne) {
    write("first\nsecond");
    EXPECT_THAT(drained(), ElementsAre("first"));
    EXPECT_THAT(unfinished(), ElementsAre("second"));
    EXPECT_THAT(unfinished(), IsEmpty());
}

TEST_F(MaskFifoTest, OfALineThatWentOnTheWholeIsAValueAndWhatCame) {
    write("one");
    EXPECT_THAT(drained(), IsEmpty());
    EXPECT_THAT(unfinished(), ElementsAre("one"));
    write("two");
    EXPECT_THAT(drained(), IsEmpty());
    EXPECT_THAT(unfinished(), ElementsAre("onetwo", "two"));
    write("three\nnext\n");
    EXPECT_THAT(drained(), ElementsAre("onetwothree", "three", "next"));
    EXPECT_THAT(unfinished(), IsEmpty());
}

TEST_F(MaskFifoTest, ReturnsThoughSomebodyGoesOnWriting) {
    write("first\n");
    int values = 0;
    fifo_->drain([&](std::string_view) {
        if (++values < 100) write("more\n");
    });
    EXPECT_EQ(values, 1);
    EXPECT_THAT(drained(), ElementsAre("more"));
}

TEST_F(MaskFifoTest, KnowsThatSomethingElseStandsInItsPlace) {
    EXPECT_FALSE(fifo_->is_replaced());
    std::filesystem::remove(folder_ / "fifo");
    EXPECT_TRUE(fifo_->is_replaced());
    folder_.write("fifo", "a value");
    EXPECT_TRUE(fifo_->is_replaced());
}

TEST_F(MaskFifoTest, IsPrivateAndTakesThePlaceOfWhatStandsThere) {
    struct stat info {};
    ASSERT_EQ(::stat((folder_ / "fifo").c_str(), &info), 0);
    EXPECT_TRUE(S_ISFIFO(info.st_mode));
    EXPECT_EQ(info.st_mode & 07777U, 0600U);
    folder_.write("file", "x");
    EXPECT_TRUE(MaskFifo::make(folder_ / "file"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "file")) << "gone with its object";
    EXPECT_TRUE(MaskFifo::make(folder_ / "missing" / "fifo"));
    folder_.write("no folder", "x");
    EXPECT_FALSE(MaskFifo::make(folder_ / "no folder" / "fifo"));
}

}  // namespace
}  // namespace trebuchet
