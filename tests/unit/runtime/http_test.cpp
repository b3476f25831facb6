#include "runtime/http.hpp"

#include <gtest/gtest.h>

namespace troupe::http {
namespace {

TEST(HttpTarget, DecodesPathAndParameters) {
  Request request;
  ASSERT_TRUE(parse_target("/api/actors?name=default%2Fdb%20a&kind=unit+set&name=second", request));
  EXPECT_EQ(request.path, "/api/actors");
  EXPECT_EQ(request.param("name"), "default/db a");
  EXPECT_EQ(request.param("kind"), "unit set");
  EXPECT_EQ(request.param("absent"), "");
}

TEST(HttpTarget, RefusesWhatIsNoPath) {
  Request request;
  EXPECT_FALSE(parse_target("http://elsewhere/", request));
  EXPECT_FALSE(parse_target("*", request));
  EXPECT_FALSE(parse_target("/a b", request));
}

TEST(HttpEtag, MatchesAnyOfAListAndIgnoresWeakness) {
  EXPECT_TRUE(etag_matches("\"a\", W/\"b\"", "\"b\""));
  EXPECT_TRUE(etag_matches("*", "\"b\""));
  EXPECT_FALSE(etag_matches("\"a\"", "\"b\""));
  EXPECT_FALSE(etag_matches("", "\"b\""));
  EXPECT_FALSE(etag_matches("\"\"", ""));
}

TEST(HttpFailure, KeepsTheMessageWholeInJson) {
  EXPECT_EQ(failure(400, "found \"x\"").body, "{\"error\":\"found \\\"x\\\"\"}\n");
}

}  // namespace
}  // namespace troupe::http
