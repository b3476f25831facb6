// Who counts: how the quorum on record follows the specification, and what it never runs ahead of.
#include <functional>

#include "tests/unit/actors/mysql_topology/servers.hpp"

namespace troupe::mysql_topology::testing {
namespace {

// "db-0 db-1, 1 of 1": members, acknowledgements that count and that are waited for; "*": leaving.
std::string text_of(const Quorum& q) {
  std::string out;
  for (const auto& name : q.members) {
    const bool leaves = std::find(q.leaving.begin(), q.leaving.end(), name) != q.leaving.end();
    out += fmt::format("{}{}{}", out.empty() ? "" : " ", name, leaves ? "*" : "");
  }
  return fmt::format("{}, {} of {}", out, q.acks, q.waits_for);
}

std::string quorum(const Plan& plan) { return plan.record ? text_of(plan.record->quorum) : ""; }

// db-0 is on record with `counted` members; the rest was just added and follows it already.
Servers growing(int counted, int all) {
  auto servers = Servers::formed(all);
  for (int i = all - 1; i >= counted; --i) servers.take_out(i);
  servers[0].seen.semi_sync_source.clients = static_cast<std::uint32_t>(counted - 1);
  for (int i = counted; i < all; ++i) servers[i].seen.semi_sync_replica.enabled = false;
  return servers;
}

// What was recorded has been written, and members are seen to be as they were told.
void goes_on(Servers& servers) {
  const auto plan = servers.decide();
  if (plan.record) {
    servers.record() = *plan.record;
    return;
  }
  for (const auto& c : plan.commands) {
    auto& server = servers[c.member.back() - '0'];
    if (c.verb == Verb::Follow) {
      server.seen.semi_sync_replica.enabled = c.semi_sync;
      auto& clients = servers[0].seen.semi_sync_source.clients;
      if (c.semi_sync) clients = clients.value_or(0) + 1;
    }
    if (c.verb == Verb::Promote) {
      server.seen.semi_sync_source.enabled = c.semi_sync;
      if (c.semi_sync) server.seen.semi_sync_source.wait_for_replica_count = c.acks;
    }
    if (c.verb == Verb::StopReceiver) {
      server.did(c.verb, c.epoch.value);
      server.outcomes[c.verb].at = servers.now - seconds(4);
      server.seen.seen = servers.now - seconds(3);
      server.probe.seen = servers.now;
      auto& io = server.seen.replica->io;
      if (std::exchange(io, mysql::ThreadState::Off) == mysql::ThreadState::On)
        --*servers[0].seen.semi_sync_source.clients;
    }
    server.agent.highest_epoch = c.epoch;
  }
}

std::vector<std::string> story(Servers& servers) {
  std::vector<std::string> out;
  for (int i = 0; i < 40; ++i) {
    goes_on(servers);
    auto now = text_of(servers.record().quorum);
    if (out.empty() || out.back() != now) out.push_back(std::move(now));
  }
  return out;
}

// --- growing -------------------------------------------------------------------------------------

TEST(Quorum, GrowsMembersFirstThenAcknowledgementsThenWhatIsCountedOn) {
  auto servers = growing(3, 5);
  EXPECT_THAT(story(servers),
              ElementsAre("db-0 db-1 db-2 db-3, 1 of 1", "db-0 db-1 db-2 db-3 db-4, 1 of 1",
                          "db-0 db-1 db-2 db-3 db-4, 1 of 2", "db-0 db-1 db-2 db-3 db-4, 2 of 2"));
  EXPECT_TRUE(servers.decide().ready);
}

TEST(Quorum, GrowsFromOneMemberWithoutAMomentInWhichNobodyCouldAcknowledge) {
  auto servers = growing(1, 3);
  std::vector<std::uint32_t> attached;
  for (int i = 0; i < 40; ++i) {
    const auto plan = servers.decide();
    if (const auto c = command(plan, "db-0", Verb::Promote)) {
      const auto clients = std::count_if(servers.list.begin(), servers.list.end(), [](auto& s) {
        return s.seen.replica && s.seen.semi_sync_replica.enabled.value_or(false);
      });
      EXPECT_GE(clients, c->acks);
    }
    goes_on(servers);
  }
  EXPECT_EQ(text_of(servers.record().quorum), "db-0 db-1 db-2, 1 of 1");
}

TEST(Quorum, LetsNobodyAcknowledgeWhoDoesNotCount) {
  auto servers = growing(3, 4);
  servers[3].is_closed();
  servers[3].seen.seen -= milliseconds(20);
  const auto follow = command(servers.decide(), "db-3", Verb::Follow);
  ASSERT_TRUE(follow);
  EXPECT_FALSE(follow->semi_sync);
}

TEST(Quorum, WaitsForANewMemberToCatchUp) {
  auto servers = growing(3, 4);
  servers[3].has("db-0:1-5", "db-0:1-5");
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), ElementsAre("MemberJoining"));
}

struct Doubt {
  std::string name;
  std::function<void(Servers&)> raise;
};
class NotCountedOn : public ::testing::TestWithParam<Doubt> {};

// Five members, the source has been told to wait for two; what was acknowledged before had one.
TEST_P(NotCountedOn, BeforeItIsCertain) {
  auto servers = Servers::formed(5);
  servers[0].seen.seen -= milliseconds(10);
  servers.record().quorum.acks = 1;
  EXPECT_EQ(quorum(servers.decide()), "db-0 db-1 db-2 db-3 db-4, 2 of 2");
  GetParam().raise(servers);
  EXPECT_EQ(quorum(servers.decide()), "");
  EXPECT_EQ(servers.told().quorum(), 4);
}

INSTANTIATE_TEST_SUITE_P(
    AnAcknowledgement, NotCountedOn,
    ::testing::Values(Doubt{"TheSourceWaitsForFewer",
                            [](Servers& s) {
                              s[0].seen.semi_sync_source.wait_for_replica_count = 1;
                            }},
                      Doubt{"AnOrderToWaitForFewerMayStillCome",
                            [](Servers& s) {
                              s.record().epoch = Epoch{2};
                              for (int i = 1; i < 5; ++i) s[i].agent.highest_epoch = Epoch{2};
                            }},
                      Doubt{"TooFewHaveWhatCameBefore",
                            [](Servers& s) {
                              for (int i = 2; i < 5; ++i) s[i].has("db-0:1-9", "db-0:1-9");
                            }},
                      Doubt{"TheOthersWereSeenBeforeTheSource",
                            [](Servers& s) { s[0].seen.seen = s.now + milliseconds(10); }}),
    [](const auto& tested) { return tested.param.name; });

// --- shrinking -----------------------------------------------------------------------------------

TEST(Quorum, LosesAMemberOnlyAfterItWasToldUnderAnEpochOfItsOwn) {
  auto servers = Servers::formed();
  servers[0].seen.seen -= milliseconds(10);
  servers[2].isolated = true;
  auto plan = servers.decide();
  EXPECT_EQ(quorum(plan), "db-0 db-1 db-2*, 1 of 1");
  EXPECT_EQ(plan.record->epoch, Epoch{2}) << "an order to follow that comes late is refused";
  servers.record() = *plan.record;
  plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-2 StopReceiver"));
  EXPECT_EQ(servers.told().quorum(), 2);
  goes_on(servers);
  EXPECT_EQ(quorum(servers.decide()), "db-0 db-1, 1 of 1");
}

// Probes of two servers come in turn: none of one is ever a second younger than one of the other.
TEST(Quorum, LosesAMemberThatIsProbedAsOftenAsItsSource) {
  auto servers = Servers::formed();
  servers[2].isolated = true;
  servers.record().quorum.leaving = {"db-2"};
  servers[2].did(Verb::StopReceiver, 1).seen.replica->io = mysql::ThreadState::Off;
  servers[2].outcomes[Verb::StopReceiver].at = servers.now - seconds(4);
  servers[0].seen.semi_sync_source.clients = 1;
  servers[0].seen.seen = servers.now - milliseconds(10);
  servers[1].seen.seen = servers[2].seen.seen = servers.now - milliseconds(5);
  EXPECT_EQ(quorum(servers.decide()), "db-0 db-1, 1 of 1");
  servers[2].outcomes[Verb::StopReceiver].at = servers.now - milliseconds(500);
  EXPECT_EQ(quorum(servers.decide()), "") << "what it acknowledged last may be on its way";
}

TEST(Quorum, ShrinksToOne) {
  auto servers = Servers::formed();
  servers[0].seen.seen -= milliseconds(10);
  servers[1].isolated = servers[2].isolated = true;
  EXPECT_THAT(story(servers), ElementsAre("db-0 db-1* db-2, 1 of 1", "db-0 db-1* db-2*, 1 of 1",
                                          "db-0 db-1* db-2*, 0 of 0", "db-0, 0 of 0"));
}

TEST(Quorum, OfAReplicationThatBecomesAsynchronousIsEmptyAndThatIsAWarning) {
  auto servers = Servers::formed();
  servers.topology.mode = Mode::Async;
  const auto plan = servers.decide();
  EXPECT_EQ(quorum(plan), "db-0 db-1 db-2, 0 of 0");
  ASSERT_THAT(plan.notes, ::testing::SizeIs(2));
  EXPECT_TRUE(plan.notes[1].warning);
  EXPECT_EQ(plan.notes[1].reason, "DurabilityLowered");
}

TEST(Quorum, WaitsForNobodyWhoLeavesBeforeItSilencesThem) {
  auto servers = Servers::formed(5);
  servers[0].seen.seen -= milliseconds(10);
  servers[3].isolated = servers[4].isolated = true;
  servers.record().quorum.leaving = {"db-3", "db-4"};
  auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_EQ(quorum(plan), "db-0 db-1 db-2 db-3* db-4*, 1 of 1");
  servers.record() = *plan.record;
  EXPECT_EQ(servers.told().quorum(), 4)
      << "what was acknowledged may be on the source and one more";
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-0 Promote"));
  goes_on(servers);
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-3 StopReceiver", "db-4 StopReceiver"));
}

TEST(Quorum, KeepsAMemberThatIsGoneUntilOthersHaveWhatItHad) {
  auto servers = Servers::formed();
  servers[0].seen.seen -= milliseconds(10);
  servers[0].seen.semi_sync_source.clients = 1;
  servers.list.pop_back();
  servers[1].has("db-0:1-9", "db-0:1-9");
  EXPECT_EQ(quorum(servers.decide()), "");
  servers[1].has("db-0:1-10", "db-0:1-10");
  EXPECT_EQ(quorum(servers.decide()), "db-0 db-1, 1 of 1");
}

TEST(Quorum, OfADeadSourceDoesNotShrink) {
  auto servers = Servers::formed();
  servers.list.pop_back();
  servers[0].is_killed();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(plan.guards.front().text, HasSubstr("1 of 2 needed"));
  EXPECT_THAT(plan.guards.front().text, HasSubstr("db-2 is gone"));
}

TEST(Quorum, CountsAFormerMemberAmongTheStoppedAndDoesNotChooseIt) {
  auto servers = Servers::formed();
  servers.begin(OperationType::Failover, Step::StopReceivers, "db-0", "");
  servers[0].is_killed();
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-10", "db-0:1-10");
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-10", "db-0:1-10").former = true;
  EXPECT_EQ(recorded(servers.decide()), "Failover Promote from db-0 to db-1, epoch 2");
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-11", "db-0:1-11");
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), Contains("HeldByFormerMember"));
}

TEST(Quorum, GivesAFailoverUpThatAFormerMemberHoldsBackWhileTheSourceLives) {
  auto servers = Servers::formed();
  servers.begin(OperationType::Failover, Step::StopReceivers, "db-0", "");
  servers[1].did(Verb::StopReceiver, 2, "db-0:1-10", "db-0:1-10");
  servers[2].did(Verb::StopReceiver, 2, "db-0:1-11", "db-0:1-11").former = true;
  for (int i : {1, 2}) servers[i].outcomes[Verb::StopReceiver].at = servers.now - seconds(10);
  EXPECT_EQ(recorded(servers.decide()), "idle: db-0, epoch 2");
}

TEST(Quorum, SaysForWhomItWaits) {
  auto servers = Servers::formed();
  servers[2].is_killed().former = true;
  servers.record().quorum.leaving = {"db-2"};
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("MemberLeaving"));
  EXPECT_TRUE(plan.ready) << "all that are to have a role have it";
}

struct Leaver {
  std::string name;
  void (*leave)(Server&);
};
class WhoLeaves : public ::testing::TestWithParam<Leaver> {};

// --- who has lost its data

Servers with_empty_replica() {
  auto servers = Servers::formed();
  servers[2] = Server(2, servers.now);
  servers[2].has("");
  return servers;
}

TEST(WhoRecovers, IsWrittenDownBeforeItFollows) {
  auto servers = with_empty_replica();
  const auto plan = servers.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_THAT(plan.record->quorum.recovering, ElementsAre("db-2"));
  EXPECT_THAT(asked(plan), IsEmpty());
  servers.record() = *plan.record;
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 Follow db-0"));
}

TEST(WhoRecovers, IsNobodyWhereThereAreNoDataYet) {
  auto servers = with_empty_replica();
  servers[0].has("");
  servers[1].has("");
  EXPECT_FALSE(servers.decide().record);
}

TEST(WhoRecovers, IsWrittenDownAlsoWhileTheSourceIsOutOfSight) {
  auto servers = with_empty_replica();
  servers[0].is_silent(seconds(1));
  const auto plan = servers.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_THAT(plan.record->quorum.recovering, ElementsAre("db-2"));
}

// It may be a new server, and the source have got its first writes since.
TEST(WhoRecovers, DoesNotFollowBeforeItIsKnownWhatTheSourceHas) {
  auto servers = with_empty_replica();
  servers[0].has("");
  servers[1].has("");
  servers[2].seen.known_since = servers[0].seen.seen + milliseconds(1);
  auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_THAT(plan.probe, Contains("db-0"));
  servers[0].seen.seen = servers[2].seen.known_since;
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 Follow db-0"));
}

// What was seen of it then says nothing of what it has now.
TEST(WhoRecovers, IsNobodyWhoWasNotAskedForLong) {
  auto servers = with_empty_replica();
  servers[2].is_silent(seconds(20));
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_FALSE(command(plan, "db-2", Verb::Follow));
}

TEST(WhoRecovers, IsNobodyWhoFollowedInThisEpochAndWasNotAskedSince) {
  auto servers = with_empty_replica();
  servers[2].did(Verb::Follow, 1).with_peer("db-0");
  EXPECT_FALSE(servers.decide().record);
}

// It has just begun to follow, as all do when a topology forms.
TEST(WhoRecovers, IsNobodyWhoFollowsAlready) {
  auto servers = Servers::formed();
  servers[2].has("");
  EXPECT_FALSE(servers.decide().record);
}

TEST(WhoRecovers, VouchesAgainOnceItHasAllThatTheSourceHas) {
  auto servers = Servers::formed();
  servers.record().quorum.recovering = {"db-2"};
  servers[2].has("db-0:1-9");
  auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(testing::text_of(plan, kJoining), HasSubstr("db-2"));
  EXPECT_TRUE(plan.ready);

  servers[2].has("db-0:1-9", "db-0:10");
  plan = servers.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_THAT(plan.record->quorum.recovering, IsEmpty());
  EXPECT_EQ(text_of(plan.record->quorum), "db-0 db-1 db-2, 1 of 1");
}

TEST(WhoRecovers, IsNotMadeTheSource) {
  auto servers = Servers::formed();
  servers.record().quorum.recovering = {"db-2"};
  servers[2].has("db-0:1-9");
  servers.topology.wanted = "db-2";
  EXPECT_THAT(refused_by(servers.decide()), ::testing::Contains("CandidateJoining"));
}

TEST(WhoJoins, SaysHowMuchItHasToReceive) {
  auto servers = Servers::formed();
  servers.take_out(2);
  servers[2].has("db-0:1-3", "db-0:1-4");
  EXPECT_THAT(testing::text_of(servers.decide(), kJoining),
              ::testing::EndsWith("it has 6 transactions to receive"));
}

TEST_P(WhoLeaves, IsNeverMadeTheSource) {
  for (const auto step : {Step::Close, Step::CatchUp}) {
    auto servers = Servers::formed();
    servers.begin(OperationType::Switchover, step, "db-0", "db-2");
    GetParam().leave(servers[2]);
    EXPECT_EQ(recorded(servers.decide()), "Switchover Reopen from db-0 to db-2, epoch 2");
  }
  auto servers = Servers::formed();
  GetParam().leave(servers[2]);
  servers.record().quorum.leaving = {"db-2"};
  servers.topology.order_by_note = "db-2";
  EXPECT_THAT(refused_by(servers.decide()), ElementsAre("OrderWithdrawn"));
}

TEST_P(WhoLeaves, IsNotRebuilt) {
  auto servers = Servers::formed();
  servers.begin(OperationType::Rebuild, Step::Clone, "", "db-2");
  GetParam().leave(servers[2]);
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 2");
  EXPECT_TRUE(plan.record->last->undone);
}

INSTANTIATE_TEST_SUITE_P(As, WhoLeaves,
                         ::testing::Values(Leaver{"Former", [](Server& s) { s.former = true; }},
                                           Leaver{"Isolated",
                                                  [](Server& s) { s.isolated = true; }}),
                         [](const auto& tested) { return tested.param.name; });

TEST(Quorum, WaitsForACandidateThatWasTakenOutWhileItWasPromoted) {
  auto servers = Servers::formed();
  servers.begin(OperationType::Failover, Step::Promote, "db-0", "db-1");
  servers[1].former = true;
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), ElementsAre("CandidateGone"));
  EXPECT_THAT(asked(plan), IsEmpty()) << "nobody knows its host";
}

// --- unknown -------------------------------------------------------------------------------------

TEST(Quorum, OfARecordThatDoesNotTellIsWhatIsSeenAtTheSource) {
  auto servers = Servers::formed();
  servers[0].seen.seen -= milliseconds(10);
  servers.record().quorum = {};
  EXPECT_THAT(story(servers), ElementsAre("db-0 db-1 db-2, 0 of 1", "db-0 db-1 db-2, 1 of 1"));
}

TEST(Quorum, OfAnAdoptedSourceIsCountedOnOnlyWhenItWaits) {
  auto servers = Servers::formed();
  servers.record() = {};
  servers[0].seen.semi_sync_source.enabled = false;
  const auto plan = servers.decide();
  EXPECT_EQ(quorum(plan), "db-0 db-1 db-2, 0 of 1");
}

}  // namespace
}  // namespace troupe::mysql_topology::testing
