// A topology whose data come from a server outside: it is never opened, follows that server, and
// is on its own again when it is told so.
#include <fmt/format.h>

#include "tests/unit/actors/mysql_topology/servers.hpp"

namespace troupe::mysql_topology::testing {
namespace {

constexpr std::string_view kDonor = "outside-9";  // whose transactions are "outside-9:1-5"

// What a server that was asked lately found out there.
struct Found {
  std::string_view executed = "outside-9:1-10";
  std::string_view purged = "";
  std::string_view version = "9.7.4";
  bool by_gtids = true;
  std::string uuid = mysql::to_string(uuid_of(kDonor));
};
void asked_outside(Servers& servers, int ordinal, const Found& found = {}) {
  auto& server = servers[ordinal];
  server.did(Verb::InspectSource, servers.record().epoch.value)
      .with_peer(kOutside, "donor.example:3306");
  auto& o = server.outcomes[Verb::InspectSource];
  o.accounts = 1;
  o.at = servers.now;
  o.outside = Outside{.server_uuid = found.uuid,
                      .version = std::string(found.version),
                      .executed = gtids(found.executed),
                      .purged = gtids(found.purged),
                      .by_gtids = found.by_gtids};
}

External donor() {
  return {.name = "donor", .host = "donor.example", .port = 3306, .revision = 1, .problem = {}};
}

Server& follows_donor(Server& server) {
  server.is_closed();
  server.seen.offline_mode = false;
  server.seen.replica = mysql::ReplicaStatus{.source_host = "donor.example",
                                             .source_port = 3306,
                                             .io = mysql::ThreadState::On,
                                             .sql = mysql::ThreadState::On,
                                             .auto_position = true,
                                             .seconds_behind = 0,
                                             .heartbeat_age = milliseconds(500)};
  return server;
}

// All run, empty and closed; the annotation has been there from the beginning.
Servers fresh() {
  auto servers = Servers::fresh();
  servers.topology.external = donor();
  return servers;
}

// Of which db-0 is about to be made the source.
Servers attaching(Step step) {
  auto servers = fresh();
  servers.record() = {.epoch = Epoch{0}, .current = "db-0", .honored = "db-0"};
  for (const auto& server : servers.list) servers.record().quorum.members.push_back(server.name);
  servers.record().external = "donor";
  servers.begin(OperationType::Attach, step, "", "db-0");
  for (auto& server : servers.list) server.agent.highest_epoch = servers.record().epoch;
  return servers;
}

// db-0 follows the donor, the others follow it.
Servers fed() {
  auto servers = Servers::formed();
  servers.topology.external = donor();
  servers.record().external = "donor";
  servers.record().quorum.acks = servers.record().quorum.waits_for = 0;
  follows_donor(servers[0]).has("outside-9:1-10", "outside-9:1-10");
  for (int i = 1; i < 3; ++i)
    servers[i].is_replica_of(servers[0]).has("outside-9:1-10", "outside-9:1-10");
  return servers;
}

// --- a new one -----------------------------------------------------------------------------------

TEST(External, ANewTopologyIsOnRecordAsFedBeforeAnybodyIsAsked) {
  const auto plan = fresh().decide();
  EXPECT_EQ(recorded(plan), "Attach Close to db-0, epoch 1");
  EXPECT_EQ(plan.record->external, "donor");
  EXPECT_EQ(plan.record->quorum.waits_for, 0u);
  EXPECT_THAT(asked(plan), IsEmpty());
}

TEST(External, ASecretThatCannotBeReadFormsNothing) {
  auto servers = fresh();
  servers.topology.external->problem = "Secret donor: PORT is missing";
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "ExternalSourceInvalid"), HasSubstr("PORT is missing"));
}

TEST(External, AMemberThatFollowsItAlreadyIsTheSource) {
  auto servers = fed();
  servers.record() = {};
  servers.topology.wanted = "db-1";
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Attach Close to db-0, epoch 2");
  EXPECT_EQ(plan.record->external, "donor");
}

TEST(External, IsAskedWhatItHasBeforeItIsFollowed) {
  auto servers = attaching(Step::Close);
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 Close"));
  servers[0].did(Verb::Close, 1).was_asked_now();
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(asked(plan), Contains("db-0 InspectSource @outside"));
}

TEST(External, AnEmptySourceIsClonedFromIt) {
  auto servers = attaching(Step::Close);
  servers[0].did(Verb::Close, 1).was_asked_now();
  asked_outside(servers, 0);
  EXPECT_EQ(recorded(servers.decide()), "Attach Clone to db-0, epoch 1");

  servers = attaching(Step::Clone);
  const auto plan = servers.decide();
  const auto clone = command(plan, "db-0", Verb::Clone);
  ASSERT_TRUE(clone);
  EXPECT_EQ(clone->peer, kOutside);
  EXPECT_EQ(roles(plan), "db-0=None") << "half a clone serves nobody";
  servers[0].did(Verb::Clone, 1, "outside-9:1-10");
  EXPECT_EQ(recorded(servers.decide()), "Attach Follow to db-0, epoch 2")
      << "a copy of that order that comes late is refused";
}

TEST(External, ACloneThatAnEarlierOperatorAskedForIsFound) {
  auto servers = attaching(Step::Clone);
  servers[0].has("outside-9:1-10");
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 InspectSource @outside"));
  EXPECT_FALSE(command(servers.decide(), "db-0", Verb::Clone)) << "it is asked first";
  asked_outside(servers, 0, {.purged = "outside-9:1-4"});
  EXPECT_EQ(recorded(servers.decide()), "Attach Follow to db-0, epoch 2");
  servers[0].agent.data = agent::DataState::ClonePartial;
  EXPECT_TRUE(command(servers.decide(), "db-0", Verb::Clone)) << "cut short: it is made again";
}

TEST(External, ACloneIsNotAskedForBeforeItIsKnownThatThereIsNone) {
  auto servers = attaching(Step::Clone);
  servers[0].probed = false;  // by an operator that has just started
  EXPECT_FALSE(command(servers.decide(), "db-0", Verb::Clone));
  servers[0].probed = true;
  servers[0].refuses_password();  // the accounts are those of the donor
  EXPECT_FALSE(command(servers.decide(), "db-0", Verb::Clone));
}

TEST(External, ACloneThatFailedSaysWhyAndIsTriedAgain) {
  auto servers = attaching(Step::Clone);
  servers[0].failed(Verb::Clone, 1, "the donor has no clone plugin").was_asked_now();
  const auto plan = servers.decide();
  EXPECT_THAT(text_of(plan, "CloneFailed"), HasSubstr("no clone plugin"));
  EXPECT_TRUE(command(plan, "db-0", Verb::Clone));
}

TEST(External, ACloneThatIsCutShortWhenItWasTakenForDoneIsMadeAgain) {
  auto servers = attaching(Step::Follow);
  servers[0].is_killed().agent.data = agent::DataState::ClonePartial;
  EXPECT_EQ(recorded(servers.decide()), "Attach Clone to db-0, epoch 1");
}

TEST(External, AnOrderToCloneThatIsUnderWayIsEndedWhereTheAnnotationIsTakenAway) {
  for (const auto step : {Step::Clone, Step::Follow}) {
    auto servers = attaching(step);
    servers.topology.external.reset();
    auto plan = servers.decide();
    EXPECT_EQ(recorded(plan), "Attach Reopen to db-0, epoch 2");
    servers.record() = *plan.record;
    plan = servers.decide();
    EXPECT_FALSE(plan.record);
    EXPECT_THAT(asked(plan), ElementsAre("db-0 Close")) << "its agent has to see the epoch";
    servers[0].did(Verb::Close, 2).was_asked_now();
    EXPECT_EQ(recorded(servers.decide()), "idle: db-0, epoch 2");
    servers.topology.external = donor();
    EXPECT_EQ(recorded(servers.decide()), "Attach Close to db-0, epoch 2") << "it is there again";
  }
}

TEST(External, WhatIsLeftOfACloneIsThrownAwayBeforeTheAttachIsGivenUp) {
  auto servers = attaching(Step::Reopen);
  servers.topology.external.reset();
  servers[0].did(Verb::Close, 1).is_killed().agent.data = agent::DataState::ClonePartial;
  EXPECT_FALSE(servers.decide().record);
  EXPECT_THAT(held_by(servers.decide()), Contains("ClonePartial"));
  servers[0].has_lost_its_agent();  // so it may be, for all that is known
  EXPECT_FALSE(servers.decide().record);
  EXPECT_THAT(held_by(servers.decide()), Contains("SourceUnusable"));
}

// The server outside may have purged what would come next.
TEST(External, AfterACloneTheOthersVouchForNothingBeforeTheyHaveIt) {
  auto servers = attaching(Step::Clone);
  servers[0].did(Verb::Clone, 1, "outside-9:1-10");
  auto plan = servers.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_THAT(plan.record->quorum.recovering, ElementsAre("db-1", "db-2"));

  servers = attaching(Step::Reopen);
  servers.topology.external.reset();
  servers[0].did(Verb::Close, 1).has("outside-9:1-10").was_asked_now();
  plan = servers.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_THAT(plan.record->quorum.recovering, ElementsAre("db-1", "db-2"));
}

TEST(External, WhoHasAllAgainVouchesAlsoWhileTheServerOutsideIsLeft) {
  auto servers = fed();
  servers.topology.external.reset();
  servers.record().quorum.recovering = {"db-2"};
  servers.begin(OperationType::Detach, Step::CatchUp, "", "db-0");
  const auto plan = servers.decide();
  ASSERT_TRUE(plan.record);
  EXPECT_THAT(plan.record->quorum.recovering, IsEmpty());
  EXPECT_EQ(recorded(plan), "Detach CatchUp to db-0, epoch 2");
}

TEST(External, AnAttachThatHasOnlyClosedItsSourceIsGivenUpWhateverHasBecomeOfThat) {
  auto servers = attaching(Step::Close);
  servers.topology.external.reset();
  servers[0].is_killed().agent.data = agent::DataState::ClonePartial;
  EXPECT_EQ(recorded(servers.decide()), "idle: db-0, epoch 1");
}

// It was given up before it was cloned, and the annotation is there again.
Servers still_empty() {
  auto servers = fed();
  servers[0].is_closed().has("").was_asked_now();
  for (int i = 1; i < 3; ++i) servers[i].is_closed().has("");
  asked_outside(servers, 0, {.purged = "outside-9:1-4"});
  return servers;
}

TEST(External, ASourceThatIsStillEmptyWhenTheAnnotationIsThereAgainIsClonedAfterAll) {
  auto servers = still_empty();
  EXPECT_EQ(recorded(servers.decide()), "Attach Close to db-0, epoch 2");
  // Following gives it the rest.
  asked_outside(servers, 0);
  EXPECT_FALSE(servers.decide().record);
}

TEST(External, ASourceOfWhichItIsNotKnownThatItIsStillEmptyIsNotCloned) {
  auto has_some = still_empty();
  has_some[0].has("outside-9:1-2");
  EXPECT_FALSE(has_some.decide().record);
  auto may_have_some = still_empty();
  may_have_some[0].failed(Verb::Clone, 1, "no answer");
  may_have_some[0].outcomes[Verb::Clone].at = may_have_some.now + milliseconds(1);
  EXPECT_FALSE(may_have_some.decide().record);
  auto of_another = still_empty();
  of_another[0].outcomes[Verb::InspectSource].address = "other.example:3306";
  EXPECT_FALSE(of_another.decide().record);
  auto not_described = still_empty();
  not_described.topology.external->problem = "Secret donor: PORT is missing";
  EXPECT_FALSE(not_described.decide().record);
}

TEST(External, WhereNoCloneCanBeMadeItSaysWhatIsNeeded) {
  auto servers = attaching(Step::Close);
  servers[0].did(Verb::Close, 1).was_asked_now();
  asked_outside(servers, 0, {.version = "8.4.6"});
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "ExternalOfAnotherSeries"), HasSubstr("runs MySQL 8.4.6"));
}

TEST(External, DataThatItHasTooAreKeptAndFollowOn) {
  auto servers = attaching(Step::Close);
  servers[0].has("outside-9:1-4").did(Verb::Close, 1).was_asked_now();
  asked_outside(servers, 0, {.version = "8.4.6"});
  EXPECT_EQ(recorded(servers.decide()), "Attach Follow to db-0, epoch 1");
}

struct Refusal {
  std::string_view rule;
  std::string_view has;
  Found found;
};

TEST(External, WhatMustNotBeFollowedIsNot) {
  const Refusal table[] = {
      {"ExternalLacksTransactions", "outside-9:1-11", {}},
      {"ExternalLacksTransactions", "outside-9:1-4 db-0:1", {}},
      {"ExternalWithoutGtids", "outside-9:1-4", {.by_gtids = false}},
      {"ExternalIsMember", "outside-9:1-4", {.uuid = mysql::to_string(uuid_of("db-1"))}},
  };
  for (const auto& row : table) {
    auto servers = attaching(Step::Close);
    servers[0].has(row.has).did(Verb::Close, 1).was_asked_now();
    asked_outside(servers, 0, row.found);
    const auto plan = servers.decide();
    EXPECT_FALSE(plan.record) << row.rule;
    EXPECT_THAT(held_by(plan), Contains(row.rule));
  }
}

TEST(External, AnAnswerFromBeforeTheSourceWasReadTellsNothing) {
  auto servers = attaching(Step::Close);
  servers[0].did(Verb::Close, 1).was_asked_now();
  asked_outside(servers, 0);
  servers[0].outcomes[Verb::InspectSource].at = servers.now - milliseconds(10);
  EXPECT_FALSE(servers.decide().record);
}

TEST(External, IsFollowedWithoutAcknowledgementsAndByItsReplicasToo) {
  auto servers = attaching(Step::Follow);
  servers[0].has("outside-9:1-10").was_asked_now();
  asked_outside(servers, 0, {.purged = "outside-9:1-3"});
  auto plan = servers.decide();
  const auto follow = command(plan, "db-0", Verb::Follow);
  ASSERT_TRUE(follow);
  EXPECT_EQ(follow->peer, kOutside);
  EXPECT_EQ(follow->address, "donor.example:3306");
  EXPECT_FALSE(follow->semi_sync);
  EXPECT_EQ(follow->gtids, gtids("outside-9:1-3"));
  const auto other = command(plan, "db-1", Verb::Follow);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->peer, "db-0");
  EXPECT_FALSE(other->semi_sync);

  servers[0].did(Verb::Follow, 1).with_peer(kOutside, "donor.example:3306");
  servers[0].outcomes[Verb::Follow].accounts = 1;
  servers[0].outcomes[Verb::Follow].at = servers.now + milliseconds(1);
  plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 1");
  EXPECT_EQ(plan.record->external, "donor");
}

// --- one that is fed -----------------------------------------------------------------------------

TEST(Fed, IsReadyAndAsksForNothing) {
  const auto plan = fed().decide();
  EXPECT_TRUE(plan.ready) << ::testing::PrintToString(held_by(plan));
  EXPECT_FALSE(plan.writable);
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_EQ(roles(plan), "db-0=Source db-1=Replica db-2=Replica");
}

TEST(Fed, NobodyIsEverOpened) {
  for (const bool is_asked_for : {true, false}) {
    auto servers = fed();
    if (!is_asked_for) servers.topology.external.reset();
    servers[0].is_closed();
    const auto plan = servers.decide();
    for (const auto verb : {Verb::Open, Verb::Promote})
      EXPECT_FALSE(command(plan, "db-0", verb)) << to_string(verb);
  }
}

TEST(Fed, ASourceThatSomebodyOpenedIsClosed) {
  auto servers = fed();
  servers[0].seen.read_only = servers[0].seen.super_read_only = false;
  const auto plan = servers.decide();
  EXPECT_TRUE(command(plan, "db-0", Verb::Close));
  EXPECT_THAT(held_by(plan), Contains("SourceWritable"));
}

TEST(Fed, A32ADonorThatIsAwayIsWaitedForByTheServerItself) {
  auto servers = fed();
  servers[0].seen.replica->io = mysql::ThreadState::Connecting;
  servers[0].seen.replica->io_error = {2003, "cannot connect"};
  const auto plan = servers.decide();
  EXPECT_THAT(asked(plan), IsEmpty());
  EXPECT_FALSE(plan.ready);
  EXPECT_THAT(text_of(plan, "ExternalSourceUnreachable"), HasSubstr("cannot connect"));
}

TEST(Fed, A32ASourceThatRestartedIsMadeToFollowAgain) {
  auto servers = fed();
  servers[0].seen.replica->io = servers[0].seen.replica->sql = mysql::ThreadState::Off;
  servers[0].seen.offline_mode = true;
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 InspectSource @outside"));
  servers[0].was_asked_now();
  asked_outside(servers, 0);
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 Follow @outside"));
}

TEST(Fed, APasswordThatIsRefusedIsHandedOverAnew) {
  auto servers = fed();
  servers[0].seen.replica->io = mysql::ThreadState::Connecting;
  servers[0].seen.replica->io_error = {1045, "Access denied"};
  servers[0].was_asked_now();
  asked_outside(servers, 0);
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 Follow @outside"));
}

TEST(Fed, ASourceThatCouldNotBeMadeToFollowSaysWhyAndIsToldAgain) {
  auto servers = fed();
  servers[0].failed(Verb::Follow, 1, "no such user").with_peer(kOutside, "donor.example:3306");
  servers[0].outcomes[Verb::Follow].accounts = 1;
  servers[0].was_asked_now();
  asked_outside(servers, 0);
  const auto plan = servers.decide();
  EXPECT_THAT(text_of(plan, "ExternalSourceNotFollowed"), HasSubstr("no such user"));
  EXPECT_THAT(asked(plan), Contains("db-0 Follow @outside"));
}

TEST(Fed, ASourceThatLacksWhatIsPurgedOutsideIsNotToldToFollow) {
  auto servers = fed();
  for (auto& server : servers.list) server.is_closed().has("outside-9:1-2").was_asked_now();
  asked_outside(servers, 0, {.purged = "outside-9:1-4"});
  const auto plan = servers.decide();
  EXPECT_THAT(text_of(plan, "PurgedOutside"), HasSubstr("db-0 lacks 2 transactions"));
  EXPECT_FALSE(command(plan, "db-0", Verb::Follow));
}

TEST(Fed, AnotherAddressIsFollowedOnceItIsKnownToHaveAll) {
  auto servers = fed();
  servers.topology.external->host = "other.example";
  servers[0].was_asked_now();
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 InspectSource @outside"));
  asked_outside(servers, 0, {.executed = "outside-9:1-9"});
  servers[0].outcomes[Verb::InspectSource].address = "other.example:3306";
  const auto plan = servers.decide();
  EXPECT_THAT(held_by(plan), Contains("ExternalLacksTransactions"));
  EXPECT_FALSE(command(plan, "db-0", Verb::Follow));
}

TEST(Fed, A32ASourceThatDiedIsReplacedByWhoeverHasMost) {
  auto servers = fed();
  servers[0].is_killed();
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2");

  servers.begin(OperationType::Failover, Step::StopReceivers, "db-0", "");
  servers[1].did(Verb::StopReceiver, 2, "outside-9:1-8", "outside-9:1-12");
  servers[2].did(Verb::StopReceiver, 2, "outside-9:1-10", "outside-9:1-10");
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Failover Promote from db-0 to db-1, epoch 2");
  EXPECT_EQ(plan.record->external, "donor");
}

TEST(Fed, OneReplicaIsEnoughToGoOnWithAlsoWithoutAcknowledgements) {
  for (const auto mode : {Mode::SemiSync, Mode::Async}) {
    auto servers = fed();
    servers.topology.mode = mode;
    servers[0].is_killed();
    servers[2].is_killed();
    EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2");
  }
}

TEST(Fed, A32TheNewSourceFollowsTheDonorAndIsNotOpened) {
  auto servers = fed();
  servers.begin(OperationType::Failover, Step::Promote, "db-0", "db-1");
  servers[0].is_killed();
  servers[1].was_asked_now();
  asked_outside(servers, 1);
  auto plan = servers.decide();
  EXPECT_THAT(asked(plan), Contains("db-1 Follow @outside"));
  EXPECT_FALSE(command(plan, "db-1", Verb::Promote));

  // A donor that is away holds nothing else up.
  servers[1].failed(Verb::InspectSource, 2, "refused").with_peer(kOutside, "donor.example:3306");
  servers[1].outcomes[Verb::InspectSource].accounts = 1;
  plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-1, epoch 2");
}

TEST(Fed, WhatAReplicaGotEarlierIsNotErrantIfTheDonorHasIt) {
  auto servers = fed();
  servers[1].has("outside-9:1-12", "outside-9:1-12");
  servers[0].was_asked_now();
  auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(asked(plan), Contains("db-1 InspectSource @outside"));
  asked_outside(servers, 1, {.executed = "outside-9:1-15"});
  EXPECT_FALSE(servers.decide().record);
  asked_outside(servers, 1, {.executed = "outside-9:1-11"});
  plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Rebuild Save to db-1, epoch 2");
  EXPECT_EQ(plan.record->operation->gtids, gtids("outside-9:12").to_string());
}

TEST(Fed, ASourceThatGoesOnHasLostNothing) {
  auto servers = fed();
  for (int i : {1, 2}) servers[i].has("outside-9:1-12", "outside-9:1-12");
  EXPECT_FALSE(servers.decide().record);
  servers[0].has("");
  EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2")
      << "its volume is gone";
}

TEST(Fed, ASwitchoverStopsTheSourceWhereItIs) {
  auto servers = fed();
  servers.topology.order_by_note = "db-2";
  EXPECT_EQ(recorded(servers.decide()), "Switchover Close from db-0 to db-2, epoch 2");
  servers.begin(OperationType::Switchover, Step::Close, "db-0", "db-2");
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 StopReceiver"));
  servers[0].did(Verb::StopReceiver, 2, "outside-9:1-10", "outside-9:9-12");
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Switchover CatchUp from db-0 to db-2, epoch 2");
  EXPECT_EQ(plan.record->operation->gtids, gtids("outside-9:1-12").to_string());
}

// --- one that took writes ------------------------------------------------------------------------

TEST(External, ATopologyThatHasMoreIsNotTouched) {
  auto servers = Servers::formed();
  servers.topology.external = donor();
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 InspectSource @outside"));
  asked_outside(servers, 0);
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_TRUE(plan.writable);
  EXPECT_THAT(refused_by(plan), Contains("ExternalLacksTransactions"));
  EXPECT_THAT(plan.order, HasSubstr("ExternalLacksTransactions"));
}

TEST(External, ATopologyWhoseDataItHasIsClosedAndJudgedAgain) {
  auto servers = Servers::formed();
  servers.topology.external = donor();
  asked_outside(servers, 0, {.executed = "db-0:1-10 outside-9:1-5"});
  auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Attach Close to db-0, epoch 2");
  EXPECT_EQ(plan.record->external, "") << "it may have to be opened again";
  EXPECT_EQ(plan.record->quorum.acks, 1u);

  servers.begin(OperationType::Attach, Step::Close, "", "db-0");
  servers[0].is_closed().has("db-0:1-11").did(Verb::Close, 2).was_asked_now();
  asked_outside(servers, 0, {.executed = "db-0:1-10 outside-9:1-5"});
  plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 2") << "something was written meanwhile";
  EXPECT_TRUE(plan.record->last->undone);

  asked_outside(servers, 0, {.executed = "db-0:1-11 outside-9:1-5"});
  plan = servers.decide();
  EXPECT_FALSE(plan.record) << "whoever is chosen next must have it";
  EXPECT_THAT(text_of(plan, "ReplicasBehind"), HasSubstr("db-1 lacks some of it"));

  for (int i : {1, 2}) servers[i].has("db-0:1-10", "db-0:1-11");
  plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Attach Follow to db-0, epoch 2");
  EXPECT_EQ(plan.record->external, "donor");
  EXPECT_EQ(plan.record->quorum.acks, 0u);
}

// Or else the status would come and go with each question.
TEST(External, WhatStandsInTheWayIsToldAlsoWhileTheServerOutsideIsAskedAnew) {
  auto refused = Servers::formed();
  refused.topology.external = donor();
  asked_outside(refused, 0);
  const auto told = refused.decide().order;
  refused[0].outcomes[Verb::InspectSource].at = refused.now - seconds(10);
  auto plan = refused.decide();
  EXPECT_THAT(asked(plan), Contains("db-0 InspectSource @outside"));
  EXPECT_THAT(refused_by(plan), ElementsAre("ExternalLacksTransactions"));
  EXPECT_EQ(plan.order, told);
  refused[0].outcomes[Verb::InspectSource].epoch = Epoch{0};
  EXPECT_THAT(refused_by(refused.decide()), IsEmpty()) << "that was another time";
  refused[0].outcomes[Verb::InspectSource].epoch = Epoch{1};
  refused[0].outcomes[Verb::InspectSource].at = refused.now - seconds(15);
  EXPECT_THAT(refused_by(refused.decide()), IsEmpty()) << "that was too long ago";

  auto new_one = attaching(Step::Close);
  new_one[0].did(Verb::Close, 1).was_asked_now();
  asked_outside(new_one, 0, {.version = "8.4.6"});
  new_one[0].outcomes[Verb::InspectSource].at = new_one.now - seconds(1);
  EXPECT_THAT(held_by(new_one.decide()), ElementsAre("ExternalOfAnotherSeries"));

  auto fed_once = fed();
  for (auto& server : fed_once.list) server.is_closed().has("outside-9:1-2").was_asked_now();
  asked_outside(fed_once, 0, {.purged = "outside-9:1-4"});
  fed_once[0].outcomes[Verb::InspectSource].at = fed_once.now - seconds(1);
  EXPECT_THAT(held_by(fed_once.decide()), Contains("PurgedOutside"));
  asked_outside(fed_once, 0);
  fed_once[0].failed(Verb::Follow, 1, "no such user").with_peer(kOutside, "donor.example:3306");
  fed_once[0].outcomes[Verb::Follow].accounts = 1;
  fed_once[0].outcomes[Verb::InspectSource].at = fed_once.now - seconds(1);
  EXPECT_THAT(held_by(fed_once.decide()), Contains("ExternalSourceNotFollowed"));
}

// What is done is done by what it says now.
TEST(External, NothingIsBegunWhileTheServerOutsideIsAskedAnew) {
  auto servers = Servers::formed();
  servers.topology.external = donor();
  asked_outside(servers, 0, {.executed = "db-0:1-10 outside-9:1-5"});
  servers[0].outcomes[Verb::InspectSource].at = servers.now - seconds(10);
  EXPECT_FALSE(servers.decide().record);
}

TEST(External, ATopologyThatCannotAskItSaysSoAndGoesOn) {
  auto servers = Servers::formed();
  servers.topology.external = donor();
  servers[0].failed(Verb::InspectSource, 1, "refused").with_peer(kOutside, "donor.example:3306");
  servers[0].outcomes[Verb::InspectSource].accounts = 1;
  const auto plan = servers.decide();
  EXPECT_TRUE(plan.writable);
  EXPECT_THAT(refused_by(plan), ElementsAre("ExternalSourceUnreachable"));
  EXPECT_THAT(plan.order, HasSubstr("refused"));
}

TEST(External, ASourceIsOpenedAgainWhereAReplicaStaysBehind) {
  auto servers = Servers::formed();
  servers.topology.external = donor();
  servers.begin(OperationType::Attach, Step::Close, "", "db-0");
  servers[0].is_closed().has("db-0:1-11").did(Verb::Close, 2).was_asked_now();
  servers[0].outcomes[Verb::Close].at = servers.now - seconds(11);
  asked_outside(servers, 0, {.executed = "db-0:1-11"});
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 2");
  EXPECT_EQ(plan.record->external, "");
}

TEST(External, WhatWasGivenUpIsNotTriedAgainForAMinute) {
  auto servers = Servers::formed();
  servers.topology.external = donor();
  servers.record().last = Finished{.type = OperationType::Attach,
                                   .candidate = "db-0",
                                   .epoch = Epoch{1},
                                   .undone = true,
                                   .text = "db-1 lacks some of it"};
  servers[0].did(Verb::Close, 1).was_asked_now();
  const auto plan = servers.decide();
  EXPECT_THAT(refused_by(plan), ElementsAre("ExternalSourceGivenUp"));
  EXPECT_THAT(plan.order, HasSubstr("db-1 lacks some of it"));
  EXPECT_FALSE(command(plan, "db-0", Verb::InspectSource));
  EXPECT_LE(plan.wake, servers.now + minutes(1));
  servers[0].outcomes[Verb::Close].at = servers.now - minutes(1);
  EXPECT_TRUE(command(servers.decide(), "db-0", Verb::InspectSource));
}

// --- the end -------------------------------------------------------------------------------------

Servers detaching(Step step) {
  auto servers = fed();
  servers.topology.external.reset();
  servers.begin(OperationType::Detach, step, "", "db-0");
  if (step != Step::Promote) return servers;
  servers.record().external.clear();
  servers.record().quorum.acks = servers.record().quorum.waits_for = 1;
  return servers;
}

TEST(Detach, A33BeginsWhenTheAnnotationIsGone) {
  auto servers = fed();
  servers.topology.external.reset();
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Detach CatchUp to db-0, epoch 2");
  EXPECT_EQ(plan.record->external, "donor");
}

TEST(Detach, A33StopsTheReceiverAndDrains) {
  auto servers = detaching(Step::CatchUp);
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 StopReceiver"));
  servers[0].did(Verb::StopReceiver, 2, "outside-9:1-9", "outside-9:1-12");
  EXPECT_THAT(asked(servers.decide()), Contains("db-0 Drain"));
}

TEST(Detach, A33WaitsUntilAsManyReplicasHaveAllOfItAsAnyWriteWouldNeed) {
  auto servers = detaching(Step::CatchUp);
  servers[0].did(Verb::StopReceiver, 2, "outside-9:1-12", "outside-9:1-12");
  servers[0].did(Verb::Drain, 2, "outside-9:1-12");
  auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "ReplicasBehind"), HasSubstr("0 of 1"));

  servers[2].has("outside-9:1-10", "outside-9:1-12");
  plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Detach Promote to db-0, epoch 2");
  EXPECT_EQ(plan.record->external, "");
  EXPECT_EQ(plan.record->quorum.acks, 1u);
  EXPECT_EQ(plan.record->quorum.waits_for, 1u);
}

TEST(Detach, DoesNotWaitForReplicasThatHaveToBeClonedFirst) {
  auto servers = detaching(Step::CatchUp);
  servers[0].has("outside-9:1-12").has_purged("outside-9:1-4");
  servers[0].did(Verb::StopReceiver, 2, "outside-9:1-12", "outside-9:1-12");
  servers[0].did(Verb::Drain, 2, "outside-9:1-12");
  EXPECT_FALSE(servers.decide().record) << "they come to have it";
  servers[1].has("");
  EXPECT_EQ(recorded(servers.decide()), "idle: db-0, epoch 2") << "and goes on when it is rebuilt";
  servers[1].has("outside-9:1-10").agent.data = agent::DataState::ClonePartial;
  EXPECT_EQ(recorded(servers.decide()), "idle: db-0, epoch 2");
}

TEST(Detach, WaitsForReplicasOfWhichNobodyKnowsThatTheyHaveToBeCloned) {
  auto servers = detaching(Step::CatchUp);
  servers[0].has("outside-9:1-12").has_purged("outside-9:1-4");
  servers[0].did(Verb::StopReceiver, 2, "outside-9:1-12", "outside-9:1-12");
  servers[0].did(Verb::Drain, 2, "outside-9:1-12");
  servers[1].has("");
  auto away = servers;
  away[1].is_killed();
  EXPECT_THAT(held_by(away.decide()), Contains("ReplicasBehind"));
  auto changed = servers;
  changed[1].did(Verb::Follow, 2);
  changed[1].outcomes[Verb::Follow].at = changed.now + milliseconds(1);
  EXPECT_THAT(held_by(changed.decide()), Contains("ReplicasBehind"));
  auto new_here = servers;
  new_here.take_out(1);
  new_here.record().quorum.acks = new_here.record().quorum.waits_for = 0;
  EXPECT_THAT(held_by(new_here.decide()), Contains("ReplicasBehind")) << "it does not count";
}

TEST(Detach, ASourceThatCannotExecuteWhatItReceivedSaysWhyAndTriesAgain) {
  auto servers = detaching(Step::CatchUp);
  servers[0].did(Verb::StopReceiver, 2, "outside-9:1-9", "outside-9:1-12");
  servers[0].failed(Verb::Drain, 2, "duplicate key");
  const auto plan = servers.decide();
  EXPECT_FALSE(plan.record);
  EXPECT_THAT(text_of(plan, "CandidateNotDrained"), HasSubstr("duplicate key"));
  EXPECT_THAT(asked(plan), Contains("db-0 Drain"));
}

TEST(Detach, A33OpensWithAcknowledgementsAndOnce) {
  auto servers = detaching(Step::Promote);
  const auto promote = command(servers.decide(), "db-0", Verb::Promote);
  ASSERT_TRUE(promote);
  EXPECT_TRUE(promote->semi_sync);
  EXPECT_EQ(promote->acks, 1u);
  servers[0].did(Verb::Promote, 2, "outside-9:1-10");
  EXPECT_TRUE(command(servers.decide(), "db-0", Verb::Open));
  servers[0].did(Verb::Open, 2, "outside-9:1-10");
  EXPECT_EQ(recorded(servers.decide()), "idle: db-0, epoch 2");
}

TEST(Detach, AnAnnotationThatIsThereAgainEndsItBeforeTheSourceIsOpened) {
  auto servers = detaching(Step::CatchUp);
  servers.topology.external = donor();
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "idle: db-0, epoch 2");
  EXPECT_EQ(plan.record->external, "donor");
}

TEST(Detach, ASourceThatDiesIsReplacedWhileTheDonorsDataAreStillThere) {
  auto servers = detaching(Step::CatchUp);
  servers[0].is_killed();
  const auto plan = servers.decide();
  EXPECT_EQ(recorded(plan), "Failover StopReceivers from db-0, epoch 3");
  EXPECT_EQ(plan.record->external, "donor");
}

}  // namespace
}  // namespace troupe::mysql_topology::testing
