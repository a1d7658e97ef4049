#include "agent/secrets/local_sources.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class LocalSourcesTest : public testing::Test {
  protected:
    std::filesystem::path secret_file(const std::string& name, std::string_view text, mode_t mode = 0600) const {
        const auto path = folder_.write(name, text);
        EXPECT_EQ(::chmod(path.c_str(), mode), 0);
        return path;
    }
    /// The value, or "KIND: text".
    [[nodiscard]] std::string read(const std::string& reference) const {
        std::vector<const char*> pointers;
        for (const auto& entry : environment_) pointers.push_back(entry.c_str());
        pointers.push_back(nullptr);
        const LocalSources sources(config_, {pointers.data(), config_.env_file, credentials_});
        const auto value = sources.read(*parse_secret_reference(reference));
        if (value) return std::string(value->reveal());
        return std::string(name_of(value.error().kind)) + ": " + value.error().text;
    }

    TemporaryFolder folder_;
    SecretsConfig config_;
    std::vector<std::string> environment_{"PATH=/bin", "SECRET_Token=Zm9vYmFy", "SECRET_BAD=no base64",
                                          "LAB_TOKEN=plain"};
    std::filesystem::path credentials_;
};

TEST_F(LocalSourcesTest, DecodeVariablesWithoutRegardToCase) {
    EXPECT_EQ(read("env:Token"), "foobar");
    EXPECT_EQ(read("env:TOKEN"), "foobar");
    EXPECT_EQ(read("env:token"), "foobar");
}

TEST_F(LocalSourcesTest, ReadNoOtherVariables) {
    EXPECT_THAT(read("env:PATH"), StartsWith("missing: "));
    EXPECT_THAT(read("env:SECRET_Token"), StartsWith("missing: "));
    EXPECT_THAT(read("env:LAB_TOKEN"), StartsWith("missing: "));
    config_.environment = {"LAB_TOKEN"};
    EXPECT_EQ(read("env:LAB_TOKEN"), "plain");
    EXPECT_THAT(read("env:lab_token"), StartsWith("missing: "));
}

TEST_F(LocalSourcesTest, NameAVariableThatIsNotBase64AndQuoteNothing) {
    EXPECT_THAT(read("env:BAD"), StartsWith("unreachable: the value of SECRET_BAD"));
    EXPECT_THAT(read("env:BAD"), Not(HasSubstr("no base64")));
}

TEST_F(LocalSourcesTest, ReadAFileOfVariables) {
    config_.env_file =
        secret_file("env", "SECRET_OTHER=Zm9v\nSECRET_MACRO={{ 'bar' | base64encode }}\nPLAIN=x\nSECRET_TOKEN=Zg");
    EXPECT_EQ(read("env:OTHER"), "foo");
    EXPECT_EQ(read("env:macro"), "bar");
    EXPECT_EQ(read("env:TOKEN"), "foobar") << "the environment wins";
    EXPECT_THAT(read("env:PLAIN"), StartsWith("missing: "));
    ASSERT_EQ(::chmod(config_.env_file.c_str(), 0644), 0);
    EXPECT_THAT(read("env:OTHER"), StartsWith("denied: "));
}

TEST_F(LocalSourcesTest, ReadFilesWithAllTheirBytes) {
    const auto path = secret_file("key", "BEGIN\nEND\n");
    EXPECT_EQ(read("file:" + path.string()), "BEGIN\nEND\n");
    EXPECT_THAT(read("file:" + (folder_ / "none").string()), StartsWith("missing: there is no file"));
    secret_file("key", "x", 0644);
    EXPECT_THAT(read("file:" + path.string()), StartsWith("denied: others may use"));
}

TEST_F(LocalSourcesTest, ReadCredentialsOfSystemd) {
    secret_file("token", "t0ken", 0440);
    EXPECT_THAT(read("credential:token"), HasSubstr("LoadCredential=token"));
    credentials_ = folder_.path();
    EXPECT_EQ(read("credential:token"), "t0ken");
    EXPECT_THAT(read("credential:none"), StartsWith("missing: "));
}

}  // namespace
}  // namespace trebuchet
