// The authority's rotation as a Unit goes through it: what is open stays, what is new is checked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/db/agent_unit.hpp"

namespace troupe::agent::testing {
namespace {

using namespace std::chrono_literals;
using mysql::testing::Client;

CertifiedKey authority(const std::string& name) {
  return *make_authority(name, SystemClock().wall());
}

void open(Unit& unit, Epoch epoch) {
  unit.must<Promoted>(epoch, Promote{.semi_sync = false});
  unit.must<Opened>(epoch, OpenForWrites{.semi_sync = false});
}

TEST(AgentCertificates, NewOnesAreShownToWhoConnectsAndNothingThatIsOpenIsCut) {
  Unit unit("db-0");
  unit.bring_up();
  open(unit, {1});
  const auto first = unit.authority().certificate;
  ASSERT_TRUE(unit.uses_certificates_of(first));
  Client session(unit.tls_login(first));
  const auto id = session.value("SELECT CONNECTION_ID()");
  const auto executed = session.value("SELECT @@gtid_executed");
  const auto before = *unit.seen();

  const auto next = authority("next");
  unit.certify(next, first + next.certificate);
  ASSERT_TRUE(unit.uses_certificates_of(first + next.certificate))
      << unit.seen()->certificates.error;
  EXPECT_EQ(session.value("SELECT CONNECTION_ID()"), id);

  EXPECT_EQ(Client(unit.tls_login(next.certificate)).value("SELECT 1"), "1");
  const auto refused = Client::try_connect(unit.tls_login(first));
  ASSERT_FALSE(refused) << "the server still shows its old certificate";
  EXPECT_EQ(refused.error().reachability, mysql::Reachability::TlsFailed);
  EXPECT_EQ(session.value("SELECT CONNECTION_ID()"), id);
  EXPECT_EQ(session.value("SELECT @@gtid_executed"), executed) << "reloading is no transaction";
  EXPECT_EQ(unit.seen()->since, before.since) << "the stream has never been away";
  EXPECT_EQ(unit.seen()->process.pid, before.process.pid);
}

TEST(AgentCertificates, WhatTheServerCannotTakeIsReportedAndTheOldOneStays) {
  Unit unit("db-0");
  unit.bring_up();
  open(unit, {1});
  const auto first = unit.authority().certificate;
  ASSERT_TRUE(unit.uses_certificates_of(first));
  unit.certify(unit.authority(), "nothing");
  EXPECT_TRUE(unit.becomes([](const auto& now) { return !now.certificates.error.empty(); }));
  EXPECT_EQ(Client(unit.tls_login(first)).value("SELECT 1"), "1");
  unit.certify(unit.authority(), first);
  EXPECT_TRUE(unit.becomes([](const auto& now) { return now.certificates.error.empty(); }));
}

TEST(AgentCertificates, AReplicaBelievesItsSourceThroughAWholeRotation) {
  const auto first = authority("first");
  const auto next = authority("next");
  const auto both = first.certificate + next.certificate;
  Unit a("db-0", first), b("db-1", first);
  for (auto* unit : {&a, &b}) unit->bring_up();
  open(a, {1});
  auto source = a.as_source();
  source.own_authorities = true;
  const Follow follow{.source = source, .semi_sync = false};
  b.must<Following>({1}, follow);

  const auto each = [&](const CertifiedKey& signer, const std::string& trusted) {
    for (auto* unit : {&a, &b}) unit->certify(signer, trusted);
    for (auto* unit : {&a, &b})
      ASSERT_TRUE(unit->uses_certificates_of(trusted)) << unit->seen()->certificates.error;
    b.must<ReceiverStopped>({1}, StopReceiver{});
    b.must<Following>({1}, follow);
  };
  each(first, both);
  each(next, both);
  each(next, next.certificate);

  b.certify(first, first.certificate);
  ASSERT_TRUE(b.uses_certificates_of(first.certificate));
  b.must<ReceiverStopped>({1}, StopReceiver{});
  EXPECT_FALSE(b.order({1}, follow, 3s)) << "a source of an authority that it does not trust";
}

}  // namespace
}  // namespace troupe::agent::testing
