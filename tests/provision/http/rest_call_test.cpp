#include "provision/http/rest_call.hpp"

#include "tests/provision/support/fakes.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::Not;

class RestCallTest : public testing::Test {
  protected:
    /// The pieces of the body as curl puts them together.
    [[nodiscard]] std::vector<std::string> pieces() const {
        std::vector<std::string> found;
        std::istringstream lines(commands_.inputs.back());
        for (std::string line; std::getline(lines, line);) {
            for (const std::string option : {"json = \"", "data-raw = \""}) {
                if (!line.starts_with(option)) continue;
                std::string value;
                for (std::size_t i = option.size(); i + 1 < line.size(); ++i) {
                    if (line[i] == '\\') ++i;
                    value += line[i];
                }
                found.push_back(value);
            }
        }
        return found;
    }

    FakeCommandRunner commands_;
    RestCall call_{"POST", "https://me:hunter22@server/v1/job?key=s3cret"};
};

TEST_F(RestCallTest, ReturnsStatusAndBody) {
    commands_.results = {{CommandExited{0}, "line one\nline two\n201"}};
    const auto answer = call_rest(call_, commands_);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 201);
    EXPECT_EQ(answer->body, "line one\nline two");
}

TEST_F(RestCallTest, AFailureNamesWhatCurlSaysAndNothingOfTheAnswer) {
    commands_.results = {
        {CommandExited{28}, R"({"access_token": "t0ken"})", "curl: (28) Operation timed out after 15 s\n"}};
    const auto answer = call_rest(call_, commands_);
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().message, HasSubstr("Operation timed out"));
    for (const auto* secret : {"t0ken", "hunter22", "s3cret"})
        EXPECT_THAT(answer.error().message, Not(HasSubstr(secret)));
}

TEST_F(RestCallTest, NoPieceOfALongBodyIsTakenForTheNameOfAFile) {
    // Pieces have 40,000 bytes: the third begins with "@/etc/passwd".
    const auto body =
        nlohmann::json{{"text", std::string(80'000 - 9, 'x') + "@/etc/passwd" + std::string(50'000, '@')}}.dump();
    ASSERT_EQ(body.at(80'000), '@');
    call_.json = body;
    commands_.results = {{CommandExited{0}, "\n200"}};
    ASSERT_TRUE(call_rest(call_, commands_));
    std::string joined;
    for (const auto& piece : pieces()) {
        EXPECT_FALSE(piece.starts_with('@')) << piece.substr(0, 20);
        joined += piece;
    }
    EXPECT_EQ(nlohmann::json::parse(joined), nlohmann::json::parse(body));
}

TEST_F(RestCallTest, AShortBodyIsSentAsItIs) {
    call_.json = "@/etc/passwd";
    commands_.results = {{CommandExited{0}, "\n200"}};
    ASSERT_TRUE(call_rest(call_, commands_));
    EXPECT_THAT(commands_.inputs.back(), HasSubstr("data-raw = \"@/etc/passwd\""));
}

}  // namespace
}  // namespace trebuchet
