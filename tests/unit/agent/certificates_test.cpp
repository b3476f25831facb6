#include "engines/agent/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::agent {
namespace {

using std::chrono::hours;
using testing::ElementsAre;

const WallTime kNow{std::chrono::seconds(1'800'000'000)};
constexpr auto kDay = hours(24);

const LeafRequest kLeaf{
    .common_name = "db-0", .dns_names = {"db-0.ns.unit.troupe"}, .ip_addresses = {"10.1.2.3"}};

TEST(Certificates, ALeafCarriesItsNamesAndLives90Days) {
  const auto authority = make_authority("troupe", kNow);
  ASSERT_TRUE(authority) << authority.error().message;
  const auto leaf = issue(*authority, kLeaf, kNow);
  ASSERT_TRUE(leaf) << leaf.error().message;
  const auto facts = *facts_of(leaf->certificate);
  EXPECT_EQ(facts.issuer, "troupe");
  EXPECT_THAT(facts.dns_names, ElementsAre("db-0.ns.unit.troupe"));
  EXPECT_THAT(facts.ip_addresses, ElementsAre("10.1.2.3"));
  EXPECT_EQ(facts.not_after, kNow + kDay * 90);
  EXPECT_LT(facts.not_before, kNow) << "another machine's clock may be a little behind";
}

TEST(Certificates, RenewalIsDueAtTwoThirds) {
  const auto authority = *make_authority("troupe", kNow);
  const auto facts = *facts_of(issue(authority, kLeaf, kNow)->certificate);
  EXPECT_FALSE(renewal_is_due(facts, kNow + kDay * 59));
  EXPECT_TRUE(renewal_is_due(facts, kNow + kDay * 60));
}

TEST(Certificates, OnlyTheIssuerHasSigned) {
  const auto one = *make_authority("one", kNow);
  const auto two = *make_authority("two", kNow);
  const auto leaf = *issue(one, kLeaf, kNow);
  EXPECT_TRUE(*is_signed_by(leaf.certificate, one.certificate));
  EXPECT_FALSE(*is_signed_by(leaf.certificate, two.certificate));
}

TEST(Certificates, NamesThatWouldMeanMoreAreRefused) {
  const auto authority = *make_authority("troupe", kNow);
  for (const auto* name : {"a,DNS:operator", "", "a\nb", "email:x"}) {
    auto leaf = kLeaf;
    leaf.dns_names = {name};
    EXPECT_EQ(issue(authority, leaf, kNow).error().code, Code::Invalid) << name;
  }
  EXPECT_EQ(issue(authority, {.common_name = "x"}, kNow).error().code, Code::Invalid);
}

TEST(Certificates, WhatIsNoPemIsAnError) {
  EXPECT_FALSE(facts_of("nothing"));
  EXPECT_FALSE(issue({"x", Secret("y")}, kLeaf, kNow));
}

// The whole life of a rotation, a day at a time.
TEST(Authorities, ASuccessorIsTrustedBeforeItSignsAndItsPredecessorUntilItsLeavesAreGone) {
  Authorities authorities{*make_authority("troupe", kNow), {}};
  const auto first = authorities.current.certificate;
  auto now = kNow;
  const auto step = [&](auto by) {
    now += by;
    authorities = *rotated(authorities, "troupe", now);
  };
  step(kDay * 365);
  EXPECT_FALSE(authorities.other) << "nothing is due in the first year";

  step(kDay * 366);
  ASSERT_TRUE(authorities.other);
  EXPECT_EQ(authorities.current.certificate, first) << "the new one must be trusted first";
  EXPECT_NE(authorities.bundle().find(authorities.other->certificate), std::string::npos);

  step(kDay * 2);
  ASSERT_TRUE(authorities.other);
  EXPECT_NE(authorities.current.certificate, first);
  EXPECT_EQ(authorities.other->certificate, first);

  step(kDay * 60);
  EXPECT_TRUE(authorities.other) << "leaves of the first may still be in use";
  step(kDay * 60);
  EXPECT_FALSE(authorities.other);
}

}  // namespace
}  // namespace troupe::agent
