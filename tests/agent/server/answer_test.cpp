#include "agent/server/answer.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

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

}  // namespace
}  // namespace trebuchet
