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
  const auto due = renewal_time(*facts_of(issue(authority, kLeaf, kNow)->certificate));
  EXPECT_GT(due, kNow + kDay * 59);
  EXPECT_LE(due, kNow + kDay * 60);
}

TEST(Certificates, ALeafNeverOutlivesItsIssuer) {
  const auto authority = *make_authority("troupe", kNow, kDay * 100);
  const auto facts = *facts_of(issue(authority, kLeaf, kNow + kDay * 30)->certificate);
  EXPECT_EQ(facts.not_after, kNow + kDay * 100);
}

TEST(Certificates, AKeyOfAnotherCertificateIsRefused) {
  const auto one = *make_authority("one", kNow);
  const auto two = *make_authority("two", kNow);
  EXPECT_TRUE(is_pair(one));
  EXPECT_FALSE(is_pair({one.certificate, two.key}));
  EXPECT_FALSE(is_pair({"", Secret()}));
}

TEST(Certificates, ABundleIsTakenApart) {
  const auto one = make_authority("one", kNow)->certificate;
  const auto two = make_authority("two", kNow)->certificate;
  EXPECT_THAT(*certificates_in("# of old\n" + one + "\n" + two), ElementsAre(one, two));
  EXPECT_THAT(*certificates_in(""), ElementsAre());
  EXPECT_FALSE(certificates_in("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"));
  std::string many;
  for (std::size_t i = 0; i <= kMaxAuthorities; ++i) many += one;
  EXPECT_FALSE(certificates_in(many));
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

class AuthoritiesTest : public testing::Test {
 protected:
  const CertifiedKey first = *make_authority("first", kNow);
  const CertifiedKey second = *make_authority("second", kNow);
};

TEST_F(AuthoritiesTest, ASuccessorIsTrustedBeforeItSignsAndItsPredecessorUntilItIsRetired) {
  const auto both = first.certificate + second.certificate;
  auto authorities = founded(first, {});
  EXPECT_EQ(authorities.stage, AuthorityStage::Steady);
  EXPECT_EQ(authorities.bundle(), first.certificate);

  authorities = *introduced(authorities, second);
  EXPECT_EQ(authorities.signer.certificate, first.certificate)
      << "the new one must be trusted first";
  EXPECT_EQ(authorities.bundle(), both);

  authorities = *signing(authorities);
  EXPECT_EQ(authorities.signer.certificate, second.certificate);
  EXPECT_EQ(authorities.signer.key.reveal(), second.key.reveal());
  EXPECT_THAT(*certificates_in(authorities.bundle()),
              testing::UnorderedElementsAre(first.certificate, second.certificate));

  authorities = *retired(authorities);
  EXPECT_EQ(authorities.stage, AuthorityStage::Steady);
  EXPECT_EQ(authorities.bundle(), second.certificate);
}

TEST_F(AuthoritiesTest, OneThatTakesTheSeatOfALostOneIsIntroducedFirst) {
  auto authorities = founded(second, {first.certificate});
  EXPECT_EQ(authorities.stage, AuthorityStage::Introducing);
  EXPECT_EQ(authorities.bundle(), second.certificate + first.certificate);
  authorities = *signing(authorities);
  EXPECT_EQ(authorities.signer.certificate, second.certificate);
  EXPECT_EQ(retired(authorities)->bundle(), second.certificate);
}

TEST_F(AuthoritiesTest, AStepThatDoesNotFollowIsRefused) {
  const auto steady = founded(first, {});
  const auto introducing = *introduced(steady, second);
  const auto replacing = *signing(introducing);
  EXPECT_EQ(introduced(introducing, second).error().code, Code::Conflict);
  EXPECT_EQ(introduced(replacing, second).error().code, Code::Conflict);
  EXPECT_EQ(signing(steady).error().code, Code::Conflict);
  EXPECT_EQ(signing(replacing).error().code, Code::Conflict);
  EXPECT_EQ(retired(steady).error().code, Code::Conflict);
  EXPECT_EQ(retired(introducing).error().code, Code::Conflict);
}

}  // namespace
}  // namespace troupe::agent
