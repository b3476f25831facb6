#include "runtime/http_access.hpp"

#include <gtest/gtest.h>

namespace troupe::http {
namespace {

using Kind = Admission::Kind;

Origin local() {
  Origin origin;
  origin.peer = "127.0.0.1";
  origin.host = "localhost:8080";
  return origin;
}

TEST(HttpAccess, TrustsOnlyTheLoopbackAddressesOfPortForwarding) {
  EXPECT_TRUE(is_trusted_loopback("127.0.0.1"));
  EXPECT_TRUE(is_trusted_loopback("::1"));
  EXPECT_TRUE(is_trusted_loopback("::ffff:127.0.0.1"));
  EXPECT_FALSE(is_trusted_loopback("127.0.0.6"));  // a service mesh's sidecar
  EXPECT_FALSE(is_trusted_loopback("10.0.0.1"));
  EXPECT_FALSE(is_trusted_loopback("nonsense"));
}

TEST(HttpAccess, LoopbackPeerNeedsNoToken) {
  EXPECT_EQ(admit(local(), Method::Get).kind, Kind::Trusted);
  auto v6 = local();
  v6.peer = "::1";
  v6.host = "[::1]:8080";
  EXPECT_EQ(admit(v6, Method::Post).kind, Kind::Trusted);
}

TEST(HttpAccess, AnotherPeerNeedsAToken) {
  auto origin = local();
  origin.peer = "10.0.0.1";
  const auto admission = admit(origin, Method::Get);
  EXPECT_EQ(admission.kind, Kind::Refused);
  EXPECT_EQ(admission.status, 401u);
  EXPECT_NE(admission.message.find("port-forward"), std::string::npos);
}

TEST(HttpAccess, ATokenIsAlwaysAskedFor) {
  auto origin = local();
  origin.authorization = "Bearer abc";
  const auto admission = admit(origin, Method::Get);
  EXPECT_EQ(admission.kind, Kind::AskAuthorizer);
  EXPECT_EQ(admission.token.reveal(), "abc");
}

TEST(HttpAccess, TheSchemesCaseDoesNotMatterAndAnEmptyTokenIsNone) {
  auto origin = local();
  origin.peer = "10.0.0.1";
  origin.authorization = "bearer abc";
  EXPECT_EQ(admit(origin, Method::Get).token.reveal(), "abc");
  for (const char* none : {"Bearer ", "Bearer", "Basic abc"}) {
    origin.authorization = none;
    EXPECT_EQ(admit(origin, Method::Get).status, 401u) << none;
  }
}

TEST(HttpAccess, WhoNeedsATokenIsToldSoInTheHeader) {
  auto origin = local();
  origin.peer = "10.0.0.1";
  const auto response = refusal(admit(origin, Method::Get));
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0].first, "WWW-Authenticate");
}

TEST(HttpAccess, ANameThatWasReboundToLoopbackIsNotTrusted) {
  auto origin = local();
  origin.host = "evil.example:8080";
  EXPECT_EQ(admit(origin, Method::Get).status, 401u);
}

TEST(HttpAccess, WhatAProxyPassedOnIsNotTrusted) {
  auto origin = local();
  origin.forwarded = "for=10.0.0.9";
  EXPECT_EQ(admit(origin, Method::Get).status, 401u);
}

TEST(HttpAccess, AnotherSitesPageCannotChangeAnything) {
  auto origin = local();
  origin.fetch_site = "cross-site";
  EXPECT_EQ(admit(origin, Method::Post).status, 403u);
  EXPECT_EQ(admit(origin, Method::Get).kind, Kind::Trusted);
  origin.fetch_site = "same-origin";
  EXPECT_EQ(admit(origin, Method::Post).kind, Kind::Trusted);
}

TEST(HttpAccess, AnOlderBrowsersOriginMustBeThisHost) {
  auto origin = local();
  origin.origin = "http://localhost:8080";
  EXPECT_EQ(admit(origin, Method::Post).kind, Kind::Trusted);
  origin.origin = "http://localhost:9999";
  EXPECT_EQ(admit(origin, Method::Post).status, 403u);
  EXPECT_EQ(admit(origin, Method::Get).status, 403u) << "a script of another site";
  origin.origin = "null";
  EXPECT_EQ(admit(origin, Method::Post).status, 403u);
}

TEST(HttpAccess, RefusalsSayWhatToDo) {
  for (const auto verdict : {Decision::Verdict::Unauthenticated, Decision::Verdict::Forbidden,
                             Decision::Verdict::Unavailable}) {
    const auto response = refusal({verdict, {}});
    EXPECT_NE(response.body.find("kubectl port-forward"), std::string::npos) << response.status;
  }
  EXPECT_EQ(refusal({Decision::Verdict::Unauthenticated, {}}).status, 401u);
  EXPECT_EQ(refusal({Decision::Verdict::Forbidden, {}}).status, 403u);
  EXPECT_EQ(refusal({Decision::Verdict::Unavailable, {}}).status, 503u);
}

}  // namespace
}  // namespace troupe::http
