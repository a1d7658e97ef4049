#include "tests/labserver/store/data_file.hpp"

#include "tests/fakes/temporary_folder.hpp"
#include "tests/labserver/api/server_fixture.hpp"

#include <optional>

#include <sys/stat.h>

namespace trebuchet::labserver {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

/// A server with a data file, which can be restarted.
class DataFileTest : public ServerTest {
  protected:
    DataFileTest() { start_again(); }

    /// Acts like a kill: the old server gets no warning. Adds the clients of ServerTest again.
    void start_again() {
        kept_.reset();
        data_.reset();
        auto opened = DataFile::open(path_);
        if (!opened) throw std::runtime_error(opened.error().message());
        data_.emplace(std::move(*opened));
        kept_.emplace(clock);
        const auto read = kept_->keep_in(*data_);
        if (!read) throw std::runtime_error(read.error().message());
        const auto added = kept_->add_clients(
            {{"alice", {{"secret_key", "alice-key"}}}, {"rig", {{"secret_key", "rig-key"}, {"role", "agent"}}}});
        if (!added) throw std::runtime_error(added.error().message());
        used = &*kept_;
    }

    Json log_of(const std::string& id) {
        return json_of(get("/v1/result/" + id + "/log/output?phase=test"))["output"]["test"];
    }
    void post_fragment(const std::string& id, int number, const std::string& text) {
        const Json fragment = {{"fragment_number", number},
                               {"timestamp", "2027-01-15T08:00:00+00:00"},
                               {"phase", "test"},
                               {"log_data", text}};
        EXPECT_EQ(post("/v1/result/" + id + "/log/output", fragment, as("rig")).status, 200);
    }

    TemporaryFolder folder_;
    std::filesystem::path path_ = folder_ / "lab.db";
    std::optional<DataFile> data_;
    std::optional<Labserver> kept_;
};

TEST_F(DataFileTest, KeepsJobsAndTheirOrder) {
    const auto first = submit({{"job_queue", "q"}, {"name", "one"}});
    const auto second = submit({{"job_queue", "q"}});
    const auto third = submit({{"job_queue", "q"}, {"job_id", first}, {"name", "one again"}});
    ASSERT_EQ(third, first);
    start_again();
    EXPECT_EQ(json_of(take())["job_id"], second);
    start_again();
    const auto taken = json_of(take());
    EXPECT_EQ(taken["job_id"], first);
    EXPECT_EQ(taken["name"], "one again");
    EXPECT_EQ(take().status, 204);
}

TEST_F(DataFileTest, KeepsResultsAndTimings) {
    const auto id = submit({{"job_queue", "q"}});
    clock.advance(seconds(2));
    take();
    clock.advance(seconds(3));
    ASSERT_EQ(post("/v1/result/" + id,
                   {{"status", {{"test", 3}}}, {"device_info", {{"a", 1}}}, {"job_state", "complete"}}, as("rig"))
                  .status,
              200);
    const auto before = result_of(id);
    const auto timings = json_of(get("/control/timings/" + id));
    start_again();
    EXPECT_EQ(result_of(id), before);
    EXPECT_EQ(before["test_status"], 3);
    EXPECT_EQ(json_of(get("/control/timings/" + id)), timings);
    EXPECT_EQ(timings["taken_to_complete_ms"], 3000.0);
}

TEST_F(DataFileTest, ContinuesAnUnfinishedLog) {
    const auto id = submit({{"job_queue", "q"}});
    post_fragment(id, 0, "one ");
    post_fragment(id, 2, "three ");
    start_again();
    post_fragment(id, 1, "two ");
    post_fragment(id, 3, "four\xc3\xa4");
    EXPECT_EQ(log_of(id)["log_data"], "one two three four\xc3\xa4");
    start_again();
    EXPECT_EQ(log_of(id)["log_data"], "one two three four\xc3\xa4");
    EXPECT_EQ(log_of(id)["last_fragment_number"], 3);
}

TEST_F(DataFileTest, KeepsTokensAndTheKeyThatSignsThem) {
    const auto agent = as_agent();
    const auto refresh = json_of(post("/control/tokens", {{"client_id", "rig"}}))["refresh_token"];
    start_again();
    EXPECT_EQ(get("/v1/job?queue=q", agent).status, 204);
    EXPECT_EQ(post("/v1/oauth2/refresh", {{"refresh_token", refresh}}).status, 200);
    ASSERT_EQ(post("/control/keys/rotate", nullptr).status, 200);
    start_again();
    EXPECT_EQ(get("/v1/job?queue=q", agent).status, 403);
    EXPECT_EQ(post("/v1/oauth2/refresh", {{"refresh_token", refresh}}).status, 200);
    clock.advance(hours(7 * 24));
    start_again();
    EXPECT_EQ(post("/v1/oauth2/refresh", {{"refresh_token", refresh}}).status, 400);
}

TEST_F(DataFileTest, KeepsAgentsAndQueues) {
    ASSERT_EQ(post("/v1/agents/data/a1", {{"state", "offline"}, {"queues", {"q"}}, {"log", {"x"}}}, as("rig")).status,
              200);
    ASSERT_EQ(post("/v1/agents/queues", {{"q", "boards"}}, as("rig")).status, 200);
    ASSERT_EQ(post("/v1/agents/images", {{"q", {{"noble", "url: x"}}}}, as("rig")).status, 200);
    const auto before = json_of(get("/v1/agents/data/a1"));
    start_again();
    EXPECT_EQ(json_of(get("/v1/agents/data/a1")), before);
    EXPECT_EQ(json_of(get("/v1/agents/queues")), Json({{"q", "boards"}}));
    EXPECT_EQ(json_of(get("/v1/agents/images/q")), Json({{"noble", "url: x"}}));
}

TEST_F(DataFileTest, KeepsNamesThatAreNotUtf8) {
    ASSERT_EQ(post("/v1/agents/data/a%ff%00b", {{"state", "waiting"}}, as("rig")).status, 200);
    start_again();
    EXPECT_EQ(json_of(get("/v1/agents/data/a%ff%00b"))["state"], "waiting");
}

TEST_F(DataFileTest, KeepsSecretsAndForgetsThoseThatAreReadOnce) {
    ASSERT_EQ(put("/v1/secrets/alice/a", {{"value", "v1"}}, as("alice")).status, 200);
    ASSERT_EQ(put("/v1/secrets/alice/b", {{"value", "v2"}, {"ephemeral", true}}, as("alice")).status, 200);
    submit({{"job_queue", "q"}, {"test_data", {{"secrets", {{"A", "a"}, {"B", "b"}}}}}}, as("alice"));
    start_again();
    EXPECT_EQ(json_of(take())["test_data"]["secrets"], Json({{"A", "v1"}, {"B", "v2"}}));
    start_again();
    const Json again = {{"job_queue", "q"}, {"test_data", {{"secrets", {{"B", "b"}}}}}};
    EXPECT_EQ(post("/v1/job", again, as("alice")).status, 422);
}

TEST_F(DataFileTest, KeepsFilesOfAnyBytes) {
    const std::string bytes("\x1f\x8b\0\xff\n", 5);
    auto sender = as("rig");
    sender.content_type = "multipart/form-data; boundary=b";
    const auto id = submit({{"job_queue", "q"}});
    const auto target = "/v1/result/" + id + "/artifact";
    const auto body = "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + bytes + "\r\n--b--\r\n";
    ASSERT_EQ(send("POST", target, body, sender).status, 200);
    start_again();
    EXPECT_EQ(get(target).body, bytes);
}

TEST_F(DataFileTest, ForgetsWhatIsOldInTheFileToo) {
    const auto id = submit({{"job_queue", "q"}});
    post_fragment(id, 0, "text");
    clock.advance(hours(8 * 24));
    EXPECT_EQ(get("/v1").status, 200);
    for (const auto* table : {"jobs", "log fragments", "agents", "queues", "files"}) {
        std::size_t rows = 0;
        ASSERT_TRUE(data_->for_each(table, [&](const auto&, const auto&, auto) { ++rows; }).has_value());
        EXPECT_EQ(rows, 0U) << table;
    }
}

TEST_F(DataFileTest, IsReadAgainAtARestart) {
    const auto id = submit({{"job_queue", "q"}});
    const auto agent = as_agent();
    kept_->add_fault(*parse_fault("restart=5 GET /v1"));
    ASSERT_EQ(post("/control/settings", {{"anonymous", false}}).status, 200);
    const auto cut = kept_->cut("GET", "/v1");
    ASSERT_TRUE(cut.has_value());
    EXPECT_TRUE(cut->all);
    EXPECT_EQ(cut->away.count(), 5);
    EXPECT_EQ(result_of(id)["job_state"], "waiting") << "settings are not kept";
    EXPECT_EQ(json_of(get("/v1/job?queue=q", agent))["job_id"], id);
}

TEST_F(DataFileTest, IsForItsOwnerAlone) {
    for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
        struct stat about {};
        ASSERT_EQ(::stat(file.path().c_str(), &about), 0);
        EXPECT_EQ(about.st_mode & 0777U, 0600U) << file.path();
    }
}

TEST_F(DataFileTest, IsForOneServerAtATime) {
    const auto second = DataFile::open(path_);
    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().message().find(path_.string() + ": database is locked"), std::string::npos)
        << second.error().message();
}

TEST(DataFile, SaysWhyAFileCannotBeUsed) {
    const TemporaryFolder folder;
    const auto why = [](const std::filesystem::path& path) {
        const auto opened = DataFile::open(path);
        return opened ? std::string() : opened.error().message();
    };
    EXPECT_NE(why(folder / "none/lab.db").find("No such file"), std::string::npos);
    EXPECT_NE(why(folder.write("text", std::string(5000, 'x'))).find("not a database"), std::string::npos);
}

TEST(DataFile, SaysWhichRowIsMalformed) {
    const TemporaryFolder folder;
    auto data = DataFile::open(folder / "lab.db");
    ASSERT_TRUE(data.has_value()) << data.error().message();
    data->put("jobs", "some job", {{"data", 5}});
    ASSERT_TRUE(data->check().has_value());
    FakeClock clock;
    Labserver server(clock);
    const auto read = server.keep_in(*data);
    ASSERT_FALSE(read.has_value());
    EXPECT_NE(read.error().message().find("row \"some job\" of jobs"), std::string::npos) << read.error().message();
}

}  // namespace
}  // namespace trebuchet::labserver
