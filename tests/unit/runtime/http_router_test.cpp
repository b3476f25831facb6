#include "runtime/http_router.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace troupe::http {
namespace {

void nothing(const Request&, Responder) {}

TEST(HttpRouter, LongestPrefixWins) {
  Router router;
  router.add(Method::Get, "/api/", Access::Open, nothing);
  router.add(Method::Get, "/api/actors/", Access::Open, nothing);
  router.add(Method::Get, "/api/actors", Access::Open, nothing);
  EXPECT_EQ(router.find(Method::Get, "/api/actors/7").route->prefix, "/api/actors/");
  EXPECT_EQ(router.find(Method::Get, "/api/actors").route->prefix, "/api/actors");
  EXPECT_EQ(router.find(Method::Get, "/api/summary").route->prefix, "/api/");
}

TEST(HttpRouter, OnlyAPrefixThatEndsInASlashMatchesWhatIsUnderIt) {
  Router router;
  router.add(Method::Get, "/healthz", Access::Open, nothing);
  EXPECT_EQ(router.find(Method::Get, "/healthz/extra").route, nullptr);
  EXPECT_EQ(router.find(Method::Get, "/healthzz").route, nullptr);
  router.add(Method::Get, "/", Access::Open, nothing);
  EXPECT_EQ(router.find(Method::Get, "/").route->prefix, "/");
  EXPECT_EQ(router.find(Method::Get, "/nowhere").route, nullptr);
}

TEST(HttpRouter, SaysWhatAPathAccepts) {
  Router router;
  router.add(Method::Get, "/a", Access::Open, nothing);
  router.add(Method::Post, "/a", Access::Open, nothing);
  router.add(Method::Post, "/b", Access::Open, nothing);
  EXPECT_EQ(router.allowed("/a"), "GET, HEAD, POST");
  EXPECT_EQ(router.find(Method::Get, "/b").allow, "POST");
  EXPECT_EQ(router.find(Method::Get, "/c").allow, "");
}

TEST(HttpRouter, NamesEachPrefixOnceInOrder) {
  Router router;
  router.add(Method::Get, "/b/", Access::Guarded, nothing);
  router.add(Method::Get, "/a", Access::Open, nothing);
  router.add(Method::Post, "/a", Access::Open, nothing);
  EXPECT_EQ(router.prefixes(), "/a, /b/");
}

TEST(HttpRouter, RefusesTwoHandlersForOnePath) {
  Router router;
  router.add(Method::Get, "/a", Access::Open, nothing);
  EXPECT_THROW(router.add(Method::Get, "/a", Access::Open, nothing), std::logic_error);
}

}  // namespace
}  // namespace troupe::http
