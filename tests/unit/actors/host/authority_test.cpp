// The authority's keys, from one Secret to the next; the Secret is read back as a watch brings it.
#include "actors/host/authority.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "actors/model/names.hpp"
#include "engines/agent/model/digest.hpp"
#include "runtime/clock.hpp"
#include "tests/unit/actors/memory_cluster/memory_cluster.hpp"

namespace troupe::actors {
namespace {

using agent::AuthorityStep;

constexpr auto kDay = std::chrono::hours(24);

class AuthorityKeys : public ::testing::Test {
 protected:
  ObjectRef secret() const { return ref<k8s::SecretObject>(kOperatorNs, kAuthoritySecret); }
  k8s::ObjectPtr<k8s::SecretObject> live() {
    return cluster.find<k8s::SecretObject>(kAuthoritySecret, kOperatorNs);
  }
  void store(Authority& by, std::vector<std::string> trusted = {}) {
    const auto body = by.to_store({secret(), std::move(trusted)});
    ASSERT_TRUE(body) << body.error().message;
    cluster.put<k8s::SecretObject>(kAuthoritySecret, *body, kOperatorNs);
    ASSERT_TRUE(by.take(*live()));
  }
  void advance(Authority& by, AuthorityStep step) {
    const auto patch = by.to_advance({secret(), step, live()->metadata.resourceVersion});
    ASSERT_TRUE(patch) << patch.error().message;
    cluster.edit<k8s::SecretObject>(kAuthoritySecret, *patch, kOperatorNs);
    ASSERT_TRUE(by.take(*live()));
  }
  std::string annotation(std::string_view name) {
    return live()->metadata.annotations.get(name).str();
  }
  std::string text(std::string_view key) {
    return agent::base64_decode(live()->data.get(key)).value_or("");
  }
  // What a Unit's Secret would hold.
  std::string issued(const Authority& by, const char* key) {
    const auto body = by.certificate({ref<k8s::SecretObject>(kNs, "db-0-tls"), "[]", {"db-0"}});
    const auto json = boost::json::parse(*body);
    return *agent::base64_decode(std::string_view(json.at("data").at(key).as_string()));
  }

  ManualClock clock;
  MemoryCluster cluster;
  Authority authority{clock};
};

TEST_F(AuthorityKeys, WithoutASecretNothingIsHeldAndNothingSigned) {
  EXPECT_FALSE(authority.holds());
  EXPECT_EQ(authority.identity().error().code, Code::Retry);
  EXPECT_EQ(authority.certificate({{}, "[]", {"x"}}).error().code, Code::Retry);
}

TEST_F(AuthorityKeys, AFirstOneIsMadeAndSaysWhatItIs) {
  store(authority);
  EXPECT_EQ(annotation(kStageAnnotation), "steady");
  EXPECT_EQ(annotation(kSignerAnnotation), agent::sha256_hex(text("tls.crt")));
  EXPECT_EQ(annotation(kTrustedAnnotation), agent::sha256_hex(text("ca.crt")));
  EXPECT_EQ(annotation(kExpiresAnnotation), to_rfc3339(clock.wall() + kDay * 1095));
}

TEST_F(AuthorityKeys, AnotherProcessReadsTheSameOneFromTheSecret) {
  store(authority);
  Authority other(clock);
  ASSERT_TRUE(other.take(*live()));
  EXPECT_EQ(other.ca_pem(), authority.ca_pem());
  EXPECT_TRUE(*agent::is_signed_by(issued(other, "tls.crt"), text("tls.crt")));
}

TEST_F(AuthorityKeys, WhatIsHeldIsWrittenBackWhenTheSecretIsGone) {
  store(authority);
  advance(authority, AuthorityStep::Introduce);
  const auto before = live();
  cluster.remove<k8s::SecretObject>(kAuthoritySecret, kOperatorNs);
  store(authority, {"whatever Units trust"});
  for (const auto* key : {"tls.crt", "tls.key", "next.crt", "next.key", "ca.crt"})
    EXPECT_EQ(live()->data.get(key), before->data.get(key)) << key;
  EXPECT_EQ(annotation(kStageAnnotation), "introducing");
}

TEST_F(AuthorityKeys, WhereTheKeysAreLostANewOneIsIntroducedBesideWhatUnitsTrust) {
  Authority lost(clock);
  store(lost);
  const auto old = text("tls.crt");
  cluster.remove<k8s::SecretObject>(kAuthoritySecret, kOperatorNs);
  store(authority, {old, old, "no certificate"});
  EXPECT_EQ(annotation(kStageAnnotation), "introducing");
  EXPECT_NE(text("tls.crt"), old);
  EXPECT_EQ(text("ca.crt"), text("tls.crt") + old);
  advance(authority, AuthorityStep::Sign);
  EXPECT_EQ(text("ca.crt"), text("tls.crt") + old);
  advance(authority, AuthorityStep::Retire);
  EXPECT_EQ(text("ca.crt"), text("tls.crt"));
}

TEST_F(AuthorityKeys, ARotationLeavesOnlyTheNewOne) {
  store(authority);
  const auto first = text("tls.crt");
  cluster.edit<k8s::SecretObject>(kAuthoritySecret,
                                  R"({"metadata": {"annotations": {"troupe.dev/rotate": "now"}}})",
                                  kOperatorNs);
  advance(authority, AuthorityStep::Introduce);
  EXPECT_EQ(annotation(kRotateAnnotation), "") << "the order is taken";
  EXPECT_TRUE(*agent::is_signed_by(issued(authority, "tls.crt"), first));
  const auto second = text("next.crt");
  EXPECT_EQ(issued(authority, "ca.crt"), first + second);

  advance(authority, AuthorityStep::Sign);
  EXPECT_EQ(text("tls.crt"), second);
  EXPECT_TRUE(*agent::is_signed_by(issued(authority, "tls.crt"), second));
  EXPECT_EQ(text("next.key"), "");

  advance(authority, AuthorityStep::Retire);
  EXPECT_EQ(text("ca.crt"), second);
  EXPECT_EQ(text("others.crt"), "");
}

TEST_F(AuthorityKeys, ASecretWhoseKeyIsAnotherCertificatesIsNotTaken) {
  store(authority);
  const auto before = authority.ca_pem();
  Authority other(clock);
  store(other);
  cluster.edit<k8s::SecretObject>(kAuthoritySecret, R"({"data": {"tls.key": "eA=="}})",
                                  kOperatorNs);
  EXPECT_FALSE(authority.take(*live()));
  EXPECT_EQ(authority.ca_pem(), before);
}

TEST_F(AuthorityKeys, TheOperatorsIdentityIsRenewedAtTwoThirds) {
  EXPECT_FALSE(authority.identity_is_due()) << "nobody could sign it";
  store(authority);
  EXPECT_TRUE(authority.identity_is_due());
  const auto first = authority.identity()->certificate;
  EXPECT_FALSE(authority.identity_is_due());
  EXPECT_EQ(authority.identity()->certificate, first);
  clock.advance(kDay * 59);
  EXPECT_FALSE(authority.identity_is_due());
  clock.advance(kDay);
  EXPECT_TRUE(authority.identity_is_due());
  EXPECT_NE(authority.identity()->certificate, first);
  EXPECT_FALSE(authority.identity_is_due());
}

TEST_F(AuthorityKeys, TheOperatorsIdentityFollowsTheAuthorities) {
  store(authority);
  const auto first = authority.identity()->certificate;
  advance(authority, AuthorityStep::Introduce);
  EXPECT_EQ(authority.identity()->authorities, text("ca.crt"));
  EXPECT_TRUE(*agent::is_signed_by(authority.identity()->certificate, text("tls.crt")));
  advance(authority, AuthorityStep::Sign);
  EXPECT_FALSE(*agent::is_signed_by(first, text("tls.crt")));
  EXPECT_TRUE(*agent::is_signed_by(authority.identity()->certificate, text("tls.crt")));
}

TEST_F(AuthorityKeys, CertificatesThatAreIssuedAtOnceAreRenewedOneAfterAnother) {
  store(authority);
  std::set<std::string> times;
  for (int i = 0; i < 4; ++i) {
    const auto body = boost::json::parse(
        *authority.certificate({ref<k8s::SecretObject>(kNs, "db-0-tls"), "[]", {"db-0"}}));
    const auto& annotations = body.at("metadata").at("annotations").as_object();
    const auto at = k8s::parse_rfc3339(annotations.at(kRenewAfterAnnotation).as_string());
    EXPECT_GE(*at, clock.wall() + kDay * 57);
    EXPECT_LE(*at, clock.wall() + kDay * 60);
    times.emplace(annotations.at(kRenewAfterAnnotation).as_string());
  }
  EXPECT_GT(times.size(), 1U);
}

}  // namespace
}  // namespace troupe::actors
