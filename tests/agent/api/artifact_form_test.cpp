#include "agent/api/http_job_server.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_http_client.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

TEST(ArtifactForm, SaysThatTheFileIsAGzippedArchive) {
    EventLoop loop;
    const FakeClock clock;
    const TemporaryFolder folder;
    const Config config;
    FakeHttpClient::Script script;
    ApiClient api{loop, clock, std::make_unique<FakeHttpClient>(loop, script), {folder / "no token", "", {}}, [] {
                      return no_waiting();
                  }};
    const auto server = make_http_job_server(config, api);
    folder.write("a.tar.gz", "archive");
    ASSERT_TRUE(server->post_artifacts("j1", folder / "a.tar.gz"));

    const auto& request = script.requests.back();
    EXPECT_THAT(request.content_type, HasSubstr("multipart/form-data; boundary="));
    ASSERT_TRUE(request.file);
    EXPECT_THAT(request.file->before, HasSubstr("Content-Disposition: form-data; name=\"file\"; filename=\""));
    EXPECT_THAT(request.file->before, HasSubstr("\r\nContent-Type: application/x-gzip\r\n\r\n"));
}

}  // namespace
}  // namespace trebuchet
