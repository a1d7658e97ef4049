#include "tests/integration/harness/lab_test.hpp"

#include <sys/stat.h>

namespace trebuchet::harness {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A lab with one tested repository, a real one on this machine.
class Repository : public LabTest {
  protected:
    static constexpr const char* secret = "s3cret-of-the-repository";

    Repository() {
        agent.on("test", R"sh(echo "TOKEN=[${TOKEN-unset}] A=[${A-unset}] HOW=[${TMT_CONTEXT_HOW-unset}]"
            python3 -c 'import json; print(json.load(open("testflinger.json"))["test_data"]["test_cmds"])' | sh)sh");
        agent.configure(
            {{"trebuchet",
              {{"secrets",
                {{"key_folder", folder / "keys"},
                 {"templates", true},
                 {"repositories", {{{"url", url()}, {"client_ids", {clients::submitter}}, {"queues", {queue}}}}}}}}}});
        git("git init -q -b main . && git config user.name t && git config user.email t@example.org && "
            "git config commit.gpgsign false");
    }
    [[nodiscard]] std::string url() const { return "file://" + repository.path().string(); }
    void git(const std::string& script) const {
        const auto ending = run({"/bin/sh", {"-c", script}, {}, repository.path()});
        ASSERT_EQ(ending.code, 0) << ending.err;
    }
    Ending tool(const std::vector<std::string>& arguments) {
        auto all = std::vector<std::string>{"secret"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        return run({TREBUCHET_AGENT, all, {}, folder.path()});
    }
    /// The block that `secret encrypt` prints for TOKEN.
    std::string encrypted(const std::string& user, const std::string& of_repository) {
        folder.write(
            "public.pem",
            tool({"keygen", "--key-folder", folder / "keys", "--repository", of_repository, "--user", user}).out);
        const auto made = run({"/bin/sh",
                               {"-c", std::string("printf %s '") + secret + "' | '" + TREBUCHET_AGENT +
                                          "' secret encrypt TOKEN --public-key public.pem --repository '" +
                                          of_repository + "' --user " + user},
                               {},
                               folder.path()});
        EXPECT_EQ(made.code, 0) << made.err;
        return made.out.substr(0, made.out.find("\n\n") + 1);
    }
    void commit(const std::string& text) {
        repository.write(".testing-farm.yaml", "version: 1\n" + text);
        git("git add . && git commit -q -m change");
    }
    static Json with_submitter(const std::string& script, Json fields = Json::object()) {
        fields["test_data"] = {{"test_cmds", script}, {"secrets", Json::object()}};
        return fields;
    }

    TemporaryFolder repository;
};

TEST_F(Repository, GivesItsSecretsToTheJobsOfItsSubmitter) {
    commit(encrypted(clients::submitter, url()) + "  variables: {A: from-the-file}\n  tmt: {context: {how: full}}\n");
    const auto id =
        run_job(with_submitter("echo \"<{{ secret('TOKEN') | base64encode }}>\"; echo {{ secret('token') }}"));
    EXPECT_THAT(server.log(id, "test"), AllOf(HasSubstr("TOKEN=[**"), HasSubstr("A=[from-the-file] HOW=[full]"),
                                              HasSubstr("<**"), Not(HasSubstr("unset")), Not(HasSubstr("WARNING"))));
    EXPECT_THAT(server.result(id).dump(), Not(HasSubstr(secret)));
    EXPECT_THAT(agent.files_holding(secret), IsEmpty());
    EXPECT_THAT(agent.log(), AllOf(Not(HasSubstr(secret)), HasSubstr("TOKEN, phase test: given")));
}

TEST_F(Repository, HasNothingForAFork) {
    commit(encrypted(clients::submitter, "https://git.example.org/fork"));
    const auto id = run_job(with_submitter("true"));
    EXPECT_THAT(server.log(id, "test"),
                AllOf(HasSubstr("TOKEN=[]"), HasSubstr("was it encrypted for another repository")));
}

TEST_F(Repository, IsNotReadForAJobWithoutItsSubmitter) {
    commit(encrypted(clients::submitter, url()));
    const auto id = run_job({{"test_data", {{"test_cmds", "true"}}}});
    EXPECT_THAT(server.log(id, "test"), HasSubstr("TOKEN=[unset]"));
    EXPECT_THAT(agent.log(), Not(HasSubstr("repository:")));
}

TEST_F(Repository, RefusesAJobThatWantsNoSecrets) {
    commit(encrypted(clients::submitter, url()));
    const auto id = run_job(with_submitter("true", {{"tags", {"TREBUCHET_NO_SECRETS"}}}));
    EXPECT_THAT(server.log(id, "setup"), HasSubstr("the tested repository has some for it"));
    EXPECT_THAT(server.log(id, "test"), IsEmpty());
}

TEST_F(Repository, DoesNotFillInATemplateThatIsWrong) {
    const auto id = run_job(with_submitter("echo {{ secret('NOPE') }}"));
    EXPECT_THAT(server.log(id, "test"), AllOf(HasSubstr("test_data.test_cmds"), HasSubstr("line 1, column 6")));
    EXPECT_EQ(server.result(id)["test_status"], 100);
}

TEST_F(Repository, IsCheckedBeforeAJobNeedsIt) {
    commit("environments: {}\n");
    agent.write_configuration();
    const auto check = [&] {
        return run({TREBUCHET_AGENT,
                    {"check-config", "--online", "-c", agent.folder() / "testflinger-agent.conf"},
                    {},
                    folder.path()})
            .out;
    };
    EXPECT_THAT(check(), HasSubstr("branch main: is at "));
    git("git branch -m other");
    EXPECT_THAT(check(), HasSubstr("the repository has no branch main"));
}

TEST_F(Repository, PublicKeysComeFromTheServer) {
    LabServer keys(folder / "keys-server", authority, 0, {"--keys", folder / "keys"});
    const auto target = "/v1/secrets/public-key?repository=git@git.example.org:a/b&user=team-a";
    EXPECT_EQ(keys.ask("", "GET", target).status, 401);
    const auto answer = keys.ask(clients::submitter, "GET", target);
    ASSERT_EQ(answer.status, 200) << answer.body;
    const auto own = tool(
        {"keygen", "--key-folder", folder / "keys", "--repository", "https://git.example.org/a/b", "--user", "team-a"});
    EXPECT_EQ(answer.json()["public_key"], own.out);
    EXPECT_EQ(keys.ask(clients::submitter, "GET", "/v1/secrets/public-key?repository=x&user=y").status, 422);
}

}  // namespace
}  // namespace trebuchet::harness
