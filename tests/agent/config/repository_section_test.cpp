#include "agent/config/load_config.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

tl::expected<LoadedConfig, std::vector<ConfigProblem>> with_secrets(const std::string& section) {
    return parse_config(
        "{agent_id: a, server_address: lab, job_queues: [q], trebuchet: {secrets:\n" + section + "\n}}\n", "a.conf");
}

std::string problems_of(const std::string& section) {
    std::string text;
    if (const auto loaded = with_secrets(section); !loaded) {
        for (const auto& problem : loaded.error()) text += problem.message() + "\n";
    }
    return text;
}

std::string problem_of(const std::string& keys) {
    return problems_of("{key_folder: /srv/keys, repositories: [{" + keys + "}]}");
}

TEST(RepositorySection, ReadsARepository) {
    const auto loaded = with_secrets(
        "{key_folder: /srv/keys, templates: true, repositories: [{url: 'git@git.example.org:a/b', branch: release/1,"
        " client_ids: [team-a], queues: rpi4, plans: by_job_name}, {url: https://git.example.org/c, client_ids: x, "
        "attachments: any}]}");
    ASSERT_TRUE(loaded) << loaded.error().front().message();
    const auto& secrets = loaded->config.trebuchet.secrets;
    EXPECT_TRUE(secrets.templates);
    EXPECT_EQ(secrets.key_folder, "/srv/keys");
    ASSERT_THAT(secrets.repositories, SizeIs(2));
    EXPECT_EQ(secrets.repositories[0].url, "git@git.example.org:a/b");
    EXPECT_EQ(secrets.repositories[0].branch, "release/1");
    EXPECT_THAT(secrets.repositories[0].queues, ElementsAre("rpi4"));
    EXPECT_TRUE(secrets.repositories[0].plans_by_job_name);
    EXPECT_EQ(secrets.repositories[1].branch, "main");
    EXPECT_THAT(secrets.repositories[1].queues, IsEmpty());
    EXPECT_FALSE(secrets.repositories[1].plans_by_job_name);
    EXPECT_FALSE(secrets.repositories[0].any_attachments);
    EXPECT_TRUE(secrets.repositories[1].any_attachments);
}

TEST(RepositorySection, IsEmptyAndWithoutTemplatesByDefault) {
    const auto loaded = with_secrets("{}");
    ASSERT_TRUE(loaded);
    EXPECT_FALSE(loaded->config.trebuchet.secrets.templates);
    EXPECT_THAT(loaded->config.trebuchet.secrets.repositories, IsEmpty());
}

TEST(RepositorySection, RefusesWhatCannotBe) {
    EXPECT_THAT(problem_of("url: https://git.example.org/a"), HasSubstr("client_ids"));
    EXPECT_THAT(problem_of("url: 'http://git.example.org/a', client_ids: x"), HasSubstr("by https or ssh"));
    EXPECT_THAT(problem_of("url: '--upload-pack=x', client_ids: x"), HasSubstr("url"));
    EXPECT_THAT(problem_of("url: https://git.example.org/a, client_ids: x, branch: '-x'"), HasSubstr("branch"));
    EXPECT_THAT(problem_of("url: https://git.example.org/a, client_ids: x, plans: always"), HasSubstr("by_job_name"));
    EXPECT_THAT(problem_of("url: https://git.example.org/a, client_ids: x, querys: x"), HasSubstr("querys"));
    EXPECT_THAT(problems_of("{repositories: [{url: https://git.example.org/a, client_ids: x}]}"),
                HasSubstr("key_folder"));
    EXPECT_THAT(problems_of("{repositories: x}"), HasSubstr("a list of repositories"));
}

TEST(RepositorySection, QuotesNoPassword) {
    EXPECT_THAT(problem_of("url: 'https://u:hunter2@git.example.org/a', client_ids: x"),
                testing::AllOf(HasSubstr("without a password"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(problem_of("url: 'https://ghp_hunter2@git.example.org/a', client_ids: x"),
                testing::AllOf(HasSubstr("without a password"), Not(HasSubstr("hunter2"))));
}

}  // namespace
}  // namespace trebuchet
