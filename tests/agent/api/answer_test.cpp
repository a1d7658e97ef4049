#include "agent/api/answer.hpp"

#include "common/log/log.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(ApiMessages, NameACallWithoutItsQuery) {
    HttpRequest request;
    request.target = "/v1/job?queue=a";
    EXPECT_EQ(name_of_call(request), "GET /v1/job");
    request.method = HttpRequest::Method::post;
    EXPECT_EQ(name_of_call(request), "POST /v1/job");
}

TEST(ApiMessages, QuoteTheStartOfARefusal) {
    const HttpResponse answer{422, {}, WipedString("bad\nfield\x1b[31m" + std::string(10'000, 'x'))};
    const auto message = refusal("POST /v1/x", answer).message();
    EXPECT_THAT(message, HasSubstr("the server answered 422 to POST /v1/x: \"bad\\x0afield\\x1b[31m"));
    EXPECT_LT(message.size(), 400U);
}

TEST(ApiMessages, AreMaskedBeforeTheyAreCut) {
    std::vector<NamedSecret> secrets;
    secrets.push_back({"TOKEN", SecretString(std::string(100, 's'))});
    set_log_masks(*MaskSet::build(std::move(secrets)));
    const HttpResponse answer{500, {}, WipedString(std::string(150, 'x') + std::string(100, 's') + "end")};
    const auto message = refusal("POST /v1/x", answer).message();
    set_log_masks(nullptr);
    EXPECT_THAT(message, AllOf(Not(HasSubstr("ss")), HasSubstr("end")));
}

TEST(ApiMessages, ShowNoJobWithItsSecrets) {
    const HttpResponse answer{500, {}, WipedString(R"({"job_id": "j", "test_data": {"secrets": {"T": "swordfish"}}})")};
    EXPECT_THAT(refusal("GET /v1/job", answer).message(), Not(HasSubstr("swordfish")));
}

TEST(ApiMessages, DoNotRepeatCredentialsThatTheServerRepeats) {
    const auto after_hiding = [](int status) {
        HttpResult answer = HttpResponse{status, {}, WipedString("no: swordfish, c3dvcmRmaXNo")};
        hide_in_refusal(answer, {"swordfish"});
        return std::string(std::string_view(answer->body));
    };
    EXPECT_THAT(after_hiding(403), AllOf(HasSubstr("no: **"), Not(HasSubstr("swordfish")), Not(HasSubstr("c3dv"))));
    EXPECT_EQ(after_hiding(200), "no: swordfish, c3dvcmRmaXNo");
}

}  // namespace
}  // namespace trebuchet
