// A source that answers and whose replicas do not reach it, and acknowledgements that got lost.
#include <functional>

#include "tests/unit/actors/mysql_topology/servers.hpp"

namespace troupe::mysql_topology::testing {
namespace {

Servers cut_off_for(Duration time) {
  auto servers = Servers::formed();
  for (const int replica : {1, 2}) servers[replica].cannot_reach_its_source(time);
  return servers;
}

TEST(CutOff, IsASourceThatAQuorumOfReplicasHasNotReachedForTenSeconds) {
  const auto plan = cut_off_for(seconds(10)).decide();
  EXPECT_EQ(recorded(plan), "Failover StopReceivers from db-0, epoch 2");
  EXPECT_THAT(plan.record->operation->reason, HasSubstr("db-1, db-2 have not heard from it"));
  EXPECT_EQ(roles(plan), "db-0=None");
}

TEST(CutOff, IsClosedByForceByTheFailover) {
  auto servers = cut_off_for(seconds(10));
  servers.record() = *servers.decide().record;
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-0 Close", "db-1 StopReceiver", "db-2 StopReceiver"));
  EXPECT_TRUE(command(plan, "db-0", Verb::Close)->kill_if_blocked);
}

struct NotCutOff {
  std::string name;
  std::function<void(Servers&)> though;
};
class Reached : public ::testing::TestWithParam<NotCutOff> {};

TEST_P(Reached, SourcesAreNotReplaced) {
  auto servers = cut_off_for(seconds(10));
  GetParam().though(servers);
  EXPECT_THAT(recorded(servers.decide()), ::testing::Not(HasSubstr("Failover")));
}

INSTANTIATE_TEST_SUITE_P(
    Sources, Reached,
    ::testing::Values(
        NotCutOff{"ForAMoment",
                  [](Servers& s) { s[2].cannot_reach_its_source(milliseconds(9999)); }},
        NotCutOff{"WithinTheGrace", [](Servers& s) { s.topology.failover.grace = seconds(11); }},
        NotCutOff{"ByOneThatHears",
                  [](Servers& s) { s[2].seen.replica->last_queued_age = seconds(1); }},
        NotCutOff{"ByOneThatIsNotThere", [](Servers& s) { s[2].is_killed(); }},
        NotCutOff{"ByOneWhoseReceiverIsOff",
                  [](Servers& s) { s[2].seen.replica->io = mysql::ThreadState::Off; }},
        NotCutOff{"ByOneThatHasNotTriedYet", [](Servers& s) { s[2].seen.replica->io_error = {}; }},
        NotCutOff{"ByOneWhoseAccountIsRefused",
                  [](Servers& s) { s[2].seen.replica->io_error.number = 1045; }},
        NotCutOff{"ByOneThatHasHeardNothingSinceItStarted",
                  [](Servers& s) {
                    s[2].seen.replica->heartbeat_age.reset();
                    s[2].seen.replica->last_queued_age.reset();
                  }},
        NotCutOff{"ByOneThatIsConnectedAndHeldUp",
                  [](Servers& s) {
                    s[2].seen.replica->io = mysql::ThreadState::On;
                    s[2].seen.replica->io_error = {};
                  }},
        // With the certificates of all members, say.
        NotCutOff{"ByOneThatWasPointedThereAMomentAgo",
                  [](Servers& s) {
                    s[2].did(Verb::Follow, 1).was_asked_now();
                    s[2].seen.replica->heartbeat_age.reset();
                  }},
        NotCutOff{"ByOneThatHeardTheOldSourceLast",
                  [](Servers& s) { s[2].did(Verb::Follow, 1).was_asked_now(); }},
        NotCutOff{"ByOneOfWhomNobodyKnowsSinceWhenItTries",
                  [](Servers& s) { s[2].seen.replica->heartbeat_age.reset(); }},
        NotCutOff{"ByOneThatDoesNotCount", [](Servers& s) { s[2].former = true; }},
        NotCutOff{"ThoughAsynchronous",
                  [](Servers& s) {
                    s.topology.mode = Mode::Async;
                    s.record().quorum.acks = s.record().quorum.waits_for = 0;
                    s[0].is_source(0, 2).has("db-0:1-10");
                  }}),
    [](const auto& tested) { return tested.param.name; });

TEST(CutOff, IsSaidWhereNobodyMayFailOver) {
  auto servers = cut_off_for(seconds(10));
  servers.topology.failover.enabled = false;
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(held_by(plan), Contains("SourceCutOff"));
  EXPECT_EQ(roles(plan), "db-0=Source db-1=None db-2=None") << "it can be read";
}

// --- acknowledgements that got lost --------------------------------------------------------------

Servers stalled_for(Duration time) {
  auto servers = Servers::formed();
  servers[0].seen.semi_sync_source.wait_sessions = 3;
  servers[0].seen.stalled_since = servers.now - time;
  return servers;
}

TEST(Stalled, CommitsAreWaitedForAMoment) {
  const auto servers = stalled_for(milliseconds(2900));
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_LE(plan.wake, servers.now + milliseconds(100));
}

TEST(Stalled, A25CommitsHaveTheReceiversConnectAgainOneAfterTheOther) {
  auto servers = stalled_for(seconds(4));
  auto plan = servers.decide();
  EXPECT_THAT(asked(plan), ElementsAre("db-1 StopReceiver"));
  EXPECT_THAT(text_of(plan, "AcknowledgementLost"), HasSubstr("3 commits of db-0"));

  servers[1].did(Verb::StopReceiver, 1);
  plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty()) << "it is looked at first";
  EXPECT_THAT(plan.probe, Contains("db-1"));
  servers[1].seen.replica->io = mysql::ThreadState::Off;
  servers[0].was_asked_now();
  servers[1].was_asked_now();
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-1 Follow db-0"));

  servers[1].seen.replica->io = mysql::ThreadState::On;
  EXPECT_THAT(asked(servers.decide()), ElementsAre("db-2 StopReceiver"));
  servers[2].did(Verb::StopReceiver, 1).was_asked_now();
  EXPECT_THAT(asked(servers.decide()), IsEmpty()) << "each has its turn once";
}

TEST(Stalled, CommitsOfTooFewReplicasAreAnotherMatter) {
  auto servers = stalled_for(seconds(4));
  servers[0].seen.semi_sync_source.clients = 0;
  EXPECT_THAT(asked(servers.decide()), IsEmpty());
}

}  // namespace
}  // namespace troupe::mysql_topology::testing
