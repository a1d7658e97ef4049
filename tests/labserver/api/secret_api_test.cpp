#include "tests/fakes/temporary_folder.hpp"
#include "tests/labserver/api/server_fixture.hpp"

#include <filesystem>

namespace trebuchet::labserver {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class SecretApi : public ServerTest {
  protected:
    void store(const std::string& path, const Json& body) {
        ASSERT_EQ(put("/v1/secrets/alice/" + path, body, as("alice")).status, 200);
    }
    std::string submit_with(const Json& secrets) {
        return submit({{"job_queue", "q"}, {"test_data", {{"test_cmds", "true"}, {"secrets", secrets}}}}, as("alice"));
    }
    Json taken_secrets() { return json_of(take())["test_data"]["secrets"]; }
};

TEST_F(SecretApi, GivesTheValuesToTheAgentThatTakesTheJob) {
    store("lab/token", {{"value", "s3cret\xC3\xA9"}});
    const auto id = submit_with({{"TOKEN", "lab/token"}});
    EXPECT_EQ(json_of(get("/v1/job/" + id))["test_data"]["secrets"], Json({{"TOKEN", "lab/token"}}));
    const auto job = json_of(take());
    EXPECT_EQ(job["test_data"]["secrets"], Json({{"TOKEN", "s3cret\xC3\xA9"}}));
    EXPECT_EQ(job["client_id"], "alice");
    EXPECT_EQ(json_of(get("/v1/job/" + id))["test_data"]["secrets"], Json({{"TOKEN", "lab/token"}}));
}

TEST_F(SecretApi, GivesTheEmptyStringForASecretThatNoLongerExists) {
    store("gone", {{"value", "v"}});
    store("expires", {{"value", "v"}, {"expire_after", 60}});
    submit_with({{"GONE", "gone"}, {"EXPIRED", "expires"}});
    ASSERT_EQ(remove("/v1/secrets/alice/gone", as("alice")).status, 200);
    advance_clock(seconds(61));
    EXPECT_EQ(taken_secrets(), Json({{"GONE", ""}, {"EXPIRED", ""}}));
}

TEST_F(SecretApi, DeletesAnEphemeralSecretAtTheFirstRead) {
    EXPECT_EQ(json_of(put("/v1/secrets/alice/once", {{"value", "v"}, {"ephemeral", true}}, as("alice")))["expires_at"],
              Json());
    submit_with({{"A", "once"}});
    submit_with({{"B", "once"}});
    EXPECT_EQ(taken_secrets(), Json({{"A", "v"}}));
    EXPECT_EQ(taken_secrets(), Json({{"B", ""}}));
    EXPECT_EQ(post("/v1/job", {{"job_queue", "q"}, {"test_data", {{"secrets", {{"C", "once"}}}}}}, as("alice")).status,
              422);
}

TEST_F(SecretApi, KeepsASecretForAYearUnlessToldOtherwise) {
    const auto expires = [&](const Json& body) {
        return json_of(put("/v1/secrets/alice/p", body, as("alice")))["expires_at"];
    };
    EXPECT_EQ(expires({{"value", "v"}}), "2028-01-15T08:00:00.000000+00:00");
    EXPECT_EQ(expires({{"value", "v"}, {"expire_after", 100}}), "2027-01-15T08:01:40.000000+00:00");
    EXPECT_EQ(expires({{"value", "v"}, {"expire_after", nullptr}}), Json());
    advance_clock(hours(24 * 3000));
    submit_with({{"KEPT", "p"}});
    EXPECT_EQ(taken_secrets(), Json({{"KEPT", "v"}}));
}

TEST_F(SecretApi, LetsOnlyTheClientItselfStoreAndDelete) {
    const Json body = {{"value", "v"}};
    EXPECT_EQ(put("/v1/secrets/alice/p", body, as("bob")).status, 403);
    EXPECT_EQ(put("/v1/secrets/alice/p", body, as("root")).status, 403);
    EXPECT_EQ(put("/v1/secrets/rig/p", body, as("rig")).status, 403);
    EXPECT_EQ(put("/v1/secrets/alice/p", body).status, 401);
    EXPECT_EQ(remove("/v1/secrets/alice/p", as("bob")).status, 403);
    EXPECT_EQ(remove("/v1/secrets/alice/p").status, 401);
    EXPECT_EQ(remove("/v1/secrets/alice/p", as("alice")).status, 200);
    EXPECT_EQ(get("/v1/secrets/alice/p", as("alice")).status, 405);
}

TEST_F(SecretApi, RefusesBadPathsAndBadBodies) {
    for (const auto* path : {"a//b", "a%20b", "a.b", "%2Fa", "a%0A"}) {
        EXPECT_EQ(put(std::string("/v1/secrets/alice/") + path, {{"value", "v"}}, as("alice")).status, 422) << path;
    }
    for (const auto* body : {R"({})", R"({"value": ""})", R"({"value": 5})", R"({"value": "v", "expire_after": 0})",
                             R"({"value": "v", "expire_after": 5, "ephemeral": true})", R"({"value": "v", "ttl": 5})",
                             R"({"value": "v", "ephemeral": "perhaps"})"}) {
        EXPECT_EQ(send("PUT", "/v1/secrets/alice/p", body, as("alice")).status, 422) << body;
    }
}

TEST_F(SecretApi, RefusesAJobWhoseSecretsItsClientDoesNotOwn) {
    store("mine", {{"value", "v"}});
    const Json job = {{"job_queue", "q"},
                      {"test_data", {{"secrets", {{"B", "zz/no"}, {"A", "aa-no"}, {"C", "mine"}}}}}};
    const auto response = post("/v1/job", job, as("alice"));
    EXPECT_EQ(response.status, 422);
    EXPECT_EQ(json_of(response)["message"], "Inaccessible secret paths: aa-no, zz/no");
    const Json of_alice = {{"job_queue", "q"}, {"test_data", {{"secrets", {{"C", "mine"}}}}}};
    EXPECT_EQ(post("/v1/job", of_alice, as("bob")).status, 422);
    EXPECT_EQ(post("/v1/job", of_alice).status, 422);
    EXPECT_EQ(take().status, 204);
}

TEST_F(SecretApi, ChecksNamesAndPathsAndTakesSecretsInTestDataOnly) {
    store("mine", {{"value", "v"}});
    const auto status = [&](const Json& job) { return post("/v1/job", job, as("alice")).status; };
    EXPECT_EQ(status({{"job_queue", "q"}, {"test_data", {{"secrets", {{"1A", "mine"}}}}}}), 422);
    EXPECT_EQ(status({{"job_queue", "q"}, {"test_data", {{"secrets", {{"A-B", "mine"}}}}}}), 422);
    EXPECT_EQ(status({{"job_queue", "q"}, {"test_data", {{"secrets", {{"A", "mi ne"}}}}}}), 422);
    EXPECT_EQ(status({{"job_queue", "q"}, {"test_data", {{"secrets", {{"A", 5}}}}}}), 422);
    EXPECT_EQ(status({{"job_queue", "q"}, {"secrets", {{"A", "mine"}}}}), 422);
    EXPECT_EQ(status({{"job_queue", "q"}, {"reserve_data", {{"secrets", {{"A", "mine"}}}}}}), 422);
    EXPECT_EQ(status({{"job_queue", "q"}, {"test_data", {{"secrets", {{"_a1", "mine"}}}}}}), 200);
}

TEST_F(SecretApi, CanBeWithoutAStore) {
    store("mine", {{"value", "v"}});
    submit_with({{"A", "mine"}});
    ASSERT_EQ(post("/control/settings", {{"secrets_store", false}}).status, 200);
    EXPECT_EQ(put("/v1/secrets/alice/p", {{"value", "v"}}, as("alice")).status, 400);
    EXPECT_EQ(post("/v1/job", {{"job_queue", "q"}, {"test_data", {{"secrets", {{"A", "mine"}}}}}}, as("alice")).status,
              422);
    EXPECT_EQ(taken_secrets(), Json({{"A", ""}}));
}

TEST_F(SecretApi, MakesOnlyAFewPairsForACaller) {
    const TemporaryFolder keys;
    server.serve_keys_of(keys / "keys");
    const auto status = [&](const std::string& user, const std::string& by) {
        return get("/v1/secrets/public-key?repository=https://git.example.org/a&user=" + user, as(by)).status;
    };
    // A pair takes a second: these look as if they were made.
    for (int i = 0; i < 1000; ++i) std::filesystem::create_directories(keys / "keys" / std::to_string(i));
    std::filesystem::permissions(keys / "keys", std::filesystem::perms(0700));
    EXPECT_EQ(status("u", "alice"), 429);
    std::filesystem::remove(keys / "keys" / "0");
    EXPECT_EQ(status("u", "alice"), 200);
    EXPECT_EQ(status("u", "bob"), 200) << "it is there";
    EXPECT_EQ(status("v", "bob"), 429);
}

}  // namespace
}  // namespace trebuchet::labserver
