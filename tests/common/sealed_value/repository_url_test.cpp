#include "common/sealed_value/repository_url.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

std::string url(std::string_view text) {
    return repository_url(text).value_or("refused");
}

TEST(RepositoryUrl, HasOneForm) {
    EXPECT_EQ(url("https://git.example.org/team/app"), "https://git.example.org/team/app");
    EXPECT_EQ(url("https://git.example.org/team/app/"), "https://git.example.org/team/app");
    EXPECT_EQ(url("git@Git.Example.org:team/App.git"), "https://git.example.org/team/App.git");
    EXPECT_EQ(url("git.example.org:/team/app"), "https://git.example.org/team/app");
    EXPECT_EQ(url("ssh://git@git.example.org:2222/team/app.git"), "https://git.example.org/team/app.git");
    EXPECT_EQ(url("https://git.example.org:8443/a@b"), "https://git.example.org:8443/a@b");
    EXPECT_EQ(url("/srv/git/app.git"), "file:///srv/git/app.git");
    EXPECT_EQ(url("file:///srv/git/app.git/"), "file:///srv/git/app.git");
}

TEST(RepositoryUrl, RefusesCredentialsWithoutQuotingThem) {
    for (const auto* text : {"https://hunter2@git.example.org/a", "https://user:hunter2@git.example.org/a",
                             "HTTPS://:hunter2@git.example.org", "ssh://git:hunter2@git.example.org/a"}) {
        const auto refused = repository_url(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_NE(refused.error().message().find("found a user, token or password"), std::string::npos) << text;
        EXPECT_EQ(refused.error().message().find("hunter2"), std::string::npos);
    }
}

TEST(RepositoryUrl, RefusesWhatNamesNoRepository) {
    for (const auto* text : {"", "app", "../app", "-oProxyCommand=x:y", "ext::sh -c x", "https://", "ftp://h/a",
                             "https://h/a b", "https://h/\n", "ssh://-oProxyCommand=x/a", "a/b:c", "file://host/a"}) {
        EXPECT_EQ(url(text), "refused") << text;
    }
}

}  // namespace
}  // namespace trebuchet
