#include "tests/labserver/api/server_fixture.hpp"
#include "tests/labserver/net/multipart.hpp"

namespace trebuchet::labserver {
namespace {

using namespace std::string_literals;

std::string form(const std::string& field, const std::string& bytes) {
    return "--b\r\nContent-Disposition: form-data; name=\"" + field +
           "\"; filename=\"x.tar.gz\"\r\nContent-Type: application/x-gzip\r\n\r\n" + bytes + "\r\n--b--\r\n";
}

class FileApi : public ServerTest {
  protected:
    Response upload(const std::string& target, const std::string& body, Sender by) {
        by.content_type = "multipart/form-data; boundary=b";
        return send("POST", target, body, by);
    }
    std::string submit_with_attachments() {
        return submit({{"job_queue", "q"}, {"test_data", {{"attachments", {{{"agent", "f"}}}}}}});
    }
    const std::string bytes = "\x1f\x8b\0\r\n--c\r\n"s;
};

TEST_F(FileApi, KeepsAnArtifactByteForByte) {
    const auto target = std::string("/v1/result/") + some_job_id + "/artifact";
    EXPECT_EQ(get(target).status, 204);
    EXPECT_EQ(upload(target, form("file", bytes), as("rig")).status, 200);
    EXPECT_EQ(get(target).body, bytes);
    EXPECT_EQ(upload(target, form("file", "newer"), as("rig")).status, 200);
    EXPECT_EQ(get(target).body, "newer");
}

TEST_F(FileApi, RefusesUploadsWithoutTheField) {
    const auto target = std::string("/v1/result/") + some_job_id + "/artifact";
    EXPECT_EQ(upload(target, form("other", bytes), as("rig")).status, 400);
    EXPECT_EQ(upload(target, "no form", as("rig")).status, 400);
    EXPECT_EQ(send("POST", target, bytes, as("rig")).status, 400);
    EXPECT_EQ(upload("/v1/result/42/artifact", form("file", bytes), as("rig")).status, 400);
    EXPECT_EQ(get("/v1/result/42/artifact").status, 400);
    EXPECT_EQ(get(target).status, 204);
}

TEST_F(FileApi, HoldsAJobBackUntilItsAttachmentsAreThere) {
    const auto id = submit_with_attachments();
    const auto target = "/v1/job/" + id + "/attachments";
    EXPECT_EQ(take().status, 204);
    EXPECT_EQ(get(target, as("rig")).status, 204);
    EXPECT_EQ(upload(target, form("other", bytes), {}).status, 400);
    EXPECT_EQ(take().status, 204);
    EXPECT_EQ(upload(target, form("file", bytes), {}).status, 200);
    EXPECT_EQ(upload(target, form("file", "later"), {}).status, 200);
    const auto job = json_of(take());
    EXPECT_EQ(job["attachments_status"], "complete");
    EXPECT_EQ(get(target, as("rig")).body, bytes);
    EXPECT_EQ(get(target, as("rig")).content_type, "application/gzip");
}

TEST_F(FileApi, RefusesAttachmentsForAJobThatDoesNotWaitForThem) {
    const auto plain = submit({{"job_queue", "q"}});
    EXPECT_EQ(upload("/v1/job/" + plain + "/attachments", form("file", bytes), {}).status, 422);
    EXPECT_EQ(upload(std::string("/v1/job/") + some_job_id + "/attachments", form("file", bytes), {}).status, 422);
    EXPECT_EQ(upload("/v1/job/42/attachments", form("file", bytes), {}).status, 400);
    EXPECT_EQ(get("/v1/job/42/attachments", as("rig")).status, 400);
    const auto cancelled = submit_with_attachments();
    ASSERT_EQ(post("/v1/job/" + cancelled + "/action", {{"action", "cancel"}}).status, 200);
    EXPECT_EQ(upload("/v1/job/" + cancelled + "/attachments", form("file", bytes), {}).status, 422);
}

TEST(Multipart, FindsAFieldAmongOthers) {
    const auto body =
        "preamble\r\n--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nno\r\n--b\r\n"
        "content-disposition: form-data; filename=f; name=file\r\n\r\nyes\r\n--b--"s;
    EXPECT_EQ(multipart_field("multipart/form-data; boundary=\"b\"", body, "file"), "yes");
    EXPECT_EQ(multipart_field("Multipart/Form-Data; charset=x; Boundary=b", body, "x"), "no");
    EXPECT_EQ(multipart_field("multipart/form-data; boundary=b",
                              "--b\r\nContent-Disposition: form-data; name=file\r\n\r\n\r\n--b--", "file"),
              "");
}

TEST(Multipart, FindsNothingInMalformedForms) {
    const auto type = "multipart/form-data; boundary=b"s;
    for (const auto& body :
         {""s, "--b"s, "--b--"s, "--b\r\n"s, "--b\r\n\r\n"s, "--b\r\n\r\n\r\n--b--"s, "--b\r\n--b\r\n--b"s,
          "--b\r\nContent-Disposition: form-data; name=file\r\n\r\nno end"s, "\r\n\r\n"s, "\0\0"s}) {
        EXPECT_EQ(multipart_field(type, body, "file"), std::nullopt) << body;
    }
    EXPECT_EQ(multipart_field("multipart/form-data", "--b", "file"), std::nullopt);
    EXPECT_EQ(multipart_field("text/plain; boundary=b", form("file", "x"), "file"), std::nullopt);
    EXPECT_EQ(multipart_field("multipart/form-data;;;=; boundary=", "--b", "file"), std::nullopt);
}

}  // namespace
}  // namespace trebuchet::labserver
