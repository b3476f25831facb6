// The authority's life, a stage a table; and one rotation of it together with a Unit.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "actors/authority/kind.hpp"
#include "actors/model/names.hpp"
#include "actors/unit/kind.hpp"
#include "tests/unit/actors/memory_cluster/memory_cluster.hpp"

namespace troupe::actors {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto kDay = std::chrono::hours(24);

class AuthorityTest : public ::testing::Test {
 protected:
  // With a certificate that the first authority signed, and a Pod.
  void unit(const std::string& name) {
    cluster.put<k8s::Unit>(name);
    cluster.carry_out(
        {"certificate", IssueCertificate{ref<k8s::SecretObject>(kNs, name + "-tls"), "[]", {}}});
    cluster.put<k8s::Pod>(name);
    cluster.run_pod(name);
    cluster.agent_of_pod(name).stream = agent::StreamState::Connected;
  }
  // As its actor would, and its node.
  void write_secret(const std::string& name, bool certificate) {
    const auto secret = ref<k8s::SecretObject>(kNs, name + "-tls");
    if (certificate)
      cluster.carry_out({"certificate", IssueCertificate{secret, "[]", {}}});
    else
      cluster.carry_out({"trust", TrustAuthorities{secret}});
  }
  void take_effect(const std::string& name) {
    cluster.agent_of_pod(name).certificates = {
        .trusted = annotation(name + "-tls", "trusted", kNs),
        .shown = annotation(name + "-tls", "certificate", kNs)};
  }
  std::string annotation(const std::string& secret, const std::string& name,
                         std::string_view ns = kOperatorNs) {
    return cluster.at<k8s::SecretObject>(secret, "/metadata/annotations/troupe.dev~1" + name, ns);
  }
  std::string stage() { return annotation(std::string(kAuthoritySecret), "stage"); }
  std::string signer() { return annotation(std::string(kAuthoritySecret), "signer"); }
  std::string trusted() { return annotation(std::string(kAuthoritySecret), "trusted"); }
  void order() {
    cluster.edit<k8s::SecretObject>(
        kAuthoritySecret, R"({"metadata": {"annotations": {"troupe.dev/rotate": "now"}}})",
        kOperatorNs);
  }
  void step(int times = 1) {
    for (int i = 0; i < times; ++i) authority.step();
  }

  MemoryCluster cluster;
  Subject<AuthorityKind> authority{cluster, ref<k8s::SecretObject>(kOperatorNs, kAuthoritySecret)};
};

// ---- Steady ------------------------------------------------------------------------------------

TEST_F(AuthorityTest, TheFirstOneIsMadeAndThenRests) {
  authority.settle();
  EXPECT_EQ(stage(), "steady");
  EXPECT_EQ(authority.decide().wake, cluster.now + kDay * 730) << "two thirds of its life";
  EXPECT_THAT(authority.decide().guards, IsEmpty());
}

TEST_F(AuthorityTest, ASuccessorIsMadeWhenTwoThirdsAreOver) {
  authority.settle();
  cluster.now += kDay * 730;
  EXPECT_THAT(keys_of(authority.decide()), Contains("introduce authority"));
}

TEST_F(AuthorityTest, AnOrderIsTakenOnce) {
  authority.settle();
  order();
  EXPECT_THAT(keys_of(authority.decide()), Contains("introduce authority"));
  authority.settle();
  EXPECT_EQ(stage(), "steady") << "without Units there is nothing to wait for";
  EXPECT_EQ(signer(), "A2");
  EXPECT_EQ(trusted(), "A2");
}

TEST_F(AuthorityTest, ASecretThatSaysNothingOfItselfIsDescribed) {
  cluster.put<k8s::SecretObject>(
      kAuthoritySecret, R"({"data": {"tls.crt": "eA==", "tls.key": "eA=="}})", kOperatorNs);
  EXPECT_THAT(keys_of(authority.decide()), ElementsAre("describe authority"));
  authority.settle();
  EXPECT_EQ(stage(), "steady");
}

TEST_F(AuthorityTest, ASecretWithoutKeysIsLeftToAPerson) {
  cluster.put<k8s::SecretObject>(kAuthoritySecret, "{}", kOperatorNs);
  const auto decision = authority.decide();
  EXPECT_THAT(decision.effects, IsEmpty());
  EXPECT_THAT(guard_text(decision, "AuthorityUnreadable"), HasSubstr("or delete it"));
}

// ---- Introducing -------------------------------------------------------------------------------

class Introducing : public AuthorityTest {
 protected:
  Introducing() {
    authority.settle();
    unit("a");
    take_effect("a");
    order();
    step();
  }
};

TEST_F(Introducing, TheNewOneIsTrustedAndTheOldOneSigns) {
  EXPECT_EQ(stage(), "introducing");
  EXPECT_EQ(signer(), "A1");
  EXPECT_EQ(trusted(), "A1+A2");
  EXPECT_THAT(cluster.events(), Contains(HasSubstr("AuthorityIntroduced")));
}

TEST_F(Introducing, NothingGoesOnBeforeTheUnitsSecretIsWritten) {
  const auto decision = authority.decide();
  EXPECT_THAT(decision.effects, IsEmpty());
  EXPECT_EQ(guard_text(decision, "UnitsBehind"),
            "1 of 1 Units: prod/a (its Secret is not written yet)");
  EXPECT_LE(decision.wake, cluster.now + std::chrono::seconds(1));
}

TEST_F(Introducing, NothingGoesOnBeforeTheUnitHasReadIt) {
  write_secret("a", false);
  EXPECT_THAT(guard_text(authority.decide(), "UnitsBehind"), HasSubstr("has not read its Secret"));
  cluster.agent_of_pod("a").certificates.error = "the server refuses: no key";
  EXPECT_THAT(guard_text(authority.decide(), "UnitsBehind"), HasSubstr("the server refuses"));
  cluster.agent_of_pod("a").stream = agent::StreamState::Lost;
  take_effect("a");
  EXPECT_THAT(guard_text(authority.decide(), "UnitsBehind"), HasSubstr("not connected"));
}

TEST_F(Introducing, TheNewOneSignsOnceEveryUnitTrustsIt) {
  write_secret("a", false);
  take_effect("a");
  EXPECT_THAT(keys_of(authority.decide()), Contains("sign authority"));
}

TEST_F(Introducing, AUnitWithoutAPodReadsItsSecretWhenItStarts) {
  write_secret("a", false);
  cluster.remove<k8s::Pod>("a");
  EXPECT_THAT(keys_of(authority.decide()), Contains("sign authority"));
}

TEST_F(Introducing, AUnitWithoutACertificateHasNothingToRenew) {
  cluster.put<k8s::Unit>("new");
  write_secret("a", false);
  take_effect("a");
  EXPECT_THAT(keys_of(authority.decide()), Contains("sign authority"));
}

TEST_F(Introducing, AnAuthorityThatIsAboutToEndIsNotWaitedFor) {
  cluster.now += kDay * 1004;
  EXPECT_THAT(authority.decide().effects, IsEmpty());
  cluster.now += kDay;
  EXPECT_THAT(keys_of(authority.decide()), Contains("sign authority"))
      << "less than a certificate's life is left of it";
}

TEST_F(Introducing, ManyUnitsAreCountedAndAFewNamed) {
  for (const auto* name : {"b", "c", "d", "e", "f", "g"}) {
    unit(name);
    write_secret(name, false);
  }
  EXPECT_THAT(guard_text(authority.decide(), "UnitsBehind"), HasSubstr("7 of 7 Units: prod/a"));
  EXPECT_THAT(guard_text(authority.decide(), "UnitsBehind"), Not(HasSubstr("prod/f")));
}

// ---- Replacing ---------------------------------------------------------------------------------

class Replacing : public Introducing {
 protected:
  Replacing() {
    write_secret("a", false);
    take_effect("a");
    step();
  }
};

TEST_F(Replacing, TheNewOneSignsAndTheOldOneIsTrusted) {
  EXPECT_EQ(stage(), "replacing");
  EXPECT_EQ(signer(), "A2");
  EXPECT_EQ(trusted(), "A1+A2");
}

TEST_F(Replacing, TheOldOneIsTrustedUntilNothingOfItIsShown) {
  EXPECT_THAT(guard_text(authority.decide(), "UnitsBehind"), HasSubstr("Secret is not written"));
  write_secret("a", true);
  EXPECT_THAT(guard_text(authority.decide(), "UnitsBehind"), HasSubstr("has not read its Secret"));
  take_effect("a");
  EXPECT_THAT(keys_of(authority.decide()), Contains("retire authority"));
  authority.settle();
  EXPECT_EQ(stage(), "steady");
  EXPECT_EQ(trusted(), "A2");
}

TEST_F(Replacing, TheOldOneIsDroppedWhenAllThatItSignedHasExpired) {
  cluster.now += kDay * 89;
  EXPECT_THAT(authority.decide().effects, IsEmpty());
  cluster.now += kDay;
  EXPECT_THAT(keys_of(authority.decide()), Contains("retire authority"));
}

TEST_F(Replacing, AnOrderThatCameMeanwhileIsDoneWithThis) {
  order();
  write_secret("a", true);
  take_effect("a");
  authority.settle();
  EXPECT_EQ(signer(), "A2");
}

// ---- The Secret is gone ------------------------------------------------------------------------

TEST_F(AuthorityTest, ALostSecretIsWrittenAgainAndWhatUnitsTrustIsTrustedUntilTheyTrustTheNewOne) {
  authority.settle();
  unit("a");
  cluster.remove<k8s::SecretObject>(kAuthoritySecret, kOperatorNs);
  const auto decision = authority.step();
  EXPECT_THAT(guard_text(decision, "AuthorityMissing"), HasSubstr("do not restart the operator"));
  EXPECT_EQ(stage(), "introducing");
  EXPECT_EQ(trusted(), "A2+A1");
  EXPECT_THAT(authority.decide().effects, IsEmpty()) << "its agent does not trust it yet";
  write_secret("a", false);
  take_effect("a");
  step();
  write_secret("a", true);
  take_effect("a");
  authority.settle();
  EXPECT_EQ(stage(), "steady");
  EXPECT_EQ(trusted(), "A2");
}

// ---- With a Unit -------------------------------------------------------------------------------

class Rotation : public AuthorityTest {
 protected:
  Rotation() {
    authority.settle();
    cluster.put<k8s::Unit>("db", R"({"spec": {"template": {"spec": {"containers": [
        {"name": "mysql", "image": "mysql:9.7"}]}}}})");
    unit_actor.settle();
    cluster.run_pod("db");
    cluster.agent_of_pod("db").stream = agent::StreamState::Connected;
    unit_actor.settle();
    take_effect("db");
  }
  std::string of_unit(const std::string& name) { return annotation("db-tls", name, kNs); }

  Subject<UnitKind> unit_actor{cluster, "db"};
};

TEST_F(Rotation, ReplacesTheCertificateOnceAndNeverThePod) {
  const auto pod = cluster.find<k8s::Pod>("db")->metadata.uid.str();
  const auto first = of_unit("certificate");
  order();
  step();
  unit_actor.settle();
  EXPECT_EQ(of_unit("trusted"), "A1+A2");
  EXPECT_EQ(of_unit("certificate"), first) << "nobody may be shown the new one yet";
  take_effect("db");
  step();
  unit_actor.settle();
  EXPECT_EQ(of_unit("signer"), "A2");
  EXPECT_NE(of_unit("certificate"), first);
  const auto second = of_unit("certificate");
  take_effect("db");
  step();
  unit_actor.settle();
  EXPECT_EQ(of_unit("trusted"), "A2");
  EXPECT_EQ(of_unit("certificate"), second);
  EXPECT_EQ(cluster.find<k8s::Pod>("db")->metadata.uid.str(), pod);
  EXPECT_THAT(authority.decide().effects, IsEmpty());
  EXPECT_THAT(unit_actor.decide().effects, IsEmpty());
}

TEST_F(Rotation, WaitsForAUnitThatIsBeingDeletedUntilItsPodIsGone) {
  cluster.remove<k8s::Unit>("db");
  order();
  step();
  EXPECT_THAT(keys_of(unit_actor.decide()), Contains("trust authorities"));
}

TEST_F(Rotation, AUnitIsToldAlsoWhileWhatItNamesIsMissing) {
  cluster.edit<k8s::Unit>("db", R"({"spec": {"configTemplateName": "gone"}})");
  order();
  step();
  EXPECT_THAT(keys_of(unit_actor.decide()), Contains("trust authorities"));
}

}  // namespace
}  // namespace troupe::actors
