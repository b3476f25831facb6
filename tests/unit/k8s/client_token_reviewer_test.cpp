#include "k8s/client/token_reviewer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/unit/k8s/client_fakes.hpp"

namespace troupe::k8s {
namespace {

using testing::HasSubstr;
using testing::Not;
using Verdict = http::Decision::Verdict;

class TokenReviewerTest : public testing::Test {
 protected:
  TokenReviewerTest() {
    reviewer_.review({Secret("s3cr3t"), http::Method::Get, "/api/actors"},
                     [this](http::Decision d) { told_ = std::move(d); });
  }
  void authenticate() {
    transport_.respond("tokenreviews", 201, R"({"kind":"TokenReview","status":{
        "authenticated":true,
        "user":{"username":"jane","uid":"7","groups":["dev"],"extra":{"a":["b"]}}}})");
  }
  Verdict verdict() const { return told_ ? told_->verdict : Verdict{99}; }

  test::FakeTransport transport_;
  TokenReviewer reviewer_{transport_};
  std::optional<http::Decision> told_;
};

TEST_F(TokenReviewerTest, AsksWhoseTheTokenIsThenWhetherThatUserMay) {
  EXPECT_EQ(boost::json::parse(transport_.request("tokenreviews").body),
            boost::json::parse(R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview",
                                   "spec":{"token":"s3cr3t"}})"));
  authenticate();
  EXPECT_EQ(boost::json::parse(transport_.request("subjectaccessreviews").body),
            boost::json::parse(R"({"apiVersion":"authorization.k8s.io/v1",
                "kind":"SubjectAccessReview",
                "spec":{"user":"jane","uid":"7","groups":["dev"],"extra":{"a":["b"]},
                        "nonResourceAttributes":{"path":"/api/actors","verb":"get"}}})"));
  EXPECT_FALSE(told_);
  transport_.respond("subjectaccessreviews", 201, R"({"status":{"allowed":true}})");
  EXPECT_EQ(verdict(), Verdict::Allowed);
}

TEST_F(TokenReviewerTest, AnUnknownTokenIsNotAskedAboutFurther) {
  transport_.respond("tokenreviews", 201,
                     R"({"status":{"authenticated":false,"error":"bad s3cr3t"}})");
  EXPECT_EQ(verdict(), Verdict::Unauthenticated);
  EXPECT_THAT(told_->message, Not(HasSubstr("s3cr3t")));
  EXPECT_EQ(transport_.size(), 0u);
}

TEST_F(TokenReviewerTest, AUserWhoMayNotIsForbidden) {
  authenticate();
  transport_.respond("subjectaccessreviews", 201,
                     R"({"status":{"allowed":false,"denied":true,"reason":"no"}})");
  EXPECT_EQ(verdict(), Verdict::Forbidden);
}

TEST_F(TokenReviewerTest, AnApiServerThatIsAwayIsNoVerdict) {
  transport_.fail("tokenreviews", Code::Retry, false);
  EXPECT_EQ(verdict(), Verdict::Unavailable);
  EXPECT_THAT(told_->message, HasSubstr("could not be asked for a TokenReview"));
}

TEST_F(TokenReviewerTest, AnApiServerWithoutReviewsSaysSo) {
  authenticate();
  transport_.respond("subjectaccessreviews", 404, "{}");
  EXPECT_EQ(verdict(), Verdict::Unavailable);
  EXPECT_THAT(told_->message, HasSubstr("SubjectAccessReview: it does not serve this API"));
}

TEST_F(TokenReviewerTest, AnOperatorThatMayNotAskNamesItsRules) {
  transport_.respond("tokenreviews", 403, "{}");
  EXPECT_EQ(verdict(), Verdict::Unavailable);
  EXPECT_THAT(told_->message, HasSubstr("config/rbac"));
}

TEST_F(TokenReviewerTest, AnAnswerOfAnotherShapeLetsNobodyIn) {
  transport_.respond("tokenreviews", 200, R"({"status":"yes"})");
  EXPECT_EQ(verdict(), Verdict::Unavailable);
}

}  // namespace
}  // namespace troupe::k8s
