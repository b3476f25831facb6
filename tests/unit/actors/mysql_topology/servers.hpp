// Servers as a test tells of them, and what the engine decides on seeing them.
//
//   auto servers = Servers::formed();         // db-0 is the source, db-1 and db-2 follow it
//   servers[0].is_killed();
//   EXPECT_EQ(recorded(servers.decide()), "Failover StopReceivers from db-0, epoch 2");
//
// Transactions are written "db-0:1-10 db-1:1-3": by the server that they come from.
#pragma once

#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/mysql_topology/decide.hpp"

namespace troupe::mysql_topology::testing {

// The words of the tables.
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

mysql::Uuid uuid_of(std::string_view member);
mysql::GtidSet gtids(std::string_view text);

struct Server {
  Server(int ordinal, TimePoint now);

  // --- what it is
  Server& is_source(std::uint32_t acks, std::uint32_t attached);
  Server& is_replica_of(const Server& source);
  Server& is_closed();  // as it boots: offline and read-only, nothing replicates
  Server& has(std::string_view executed, std::string_view received = {});
  Server& has_purged(std::string_view purged);

  // --- what has become of it, as far as anybody can see
  Server& is_killed();                // its agent saw the process end
  Server& has_no_pod();               // nor anything that could be asked
  Server& has_lost_its_agent();       // the stream broke; the server may still answer
  Server& refuses_connections();      // nobody listens on its port
  Server& is_silent(Duration since);  // probes time out
  Server& has_no_unit();              // nor Pod nor agent
  Server& is_unclaimed();             // its Unit belongs to nobody yet
  Server& belongs_to(std::string_view replication);  // and follows nobody of ours any more
  Server& refuses_password();
  Server& hears_nothing();                          // as a replica, from its source
  Server& cannot_reach_its_source(Duration since);  // though that may well live
  Server& was_asked_now();
  Server& has_volume(std::uint64_t free_mib, std::uint64_t total_mib, std::uint64_t data_mib = 0);
  Server& receives_from(std::string_view server);  // that is who stands behind its source's host

  // --- what it was asked before
  Server& did(Verb verb, std::uint64_t epoch, std::string_view executed = {},
              std::string_view received = {});
  Server& failed(Verb verb, std::uint64_t epoch, std::string_view why = "no");
  // The peer of the last of these, and where it was then.
  Server& with_peer(std::string_view peer, std::string_view address = {});
  Server& is_asked_to_follow(const Server& source, std::uint64_t epoch);  // and has not answered

  Member member() const;

  std::string name;
  std::string host;
  std::string host_problem;
  bool isolated = false;
  bool former = false;
  bool unit = true;
  bool ours = true;
  std::string owner;
  mysql::MemberObservation elsewhere;  // what the owner saw
  bool pod = true;
  std::optional<Departure> departing;
  TimePoint now;
  bool known_to_agent = true;
  agent::AgentObservation agent;
  bool probed = true;
  mysql::ProbeOutcome probe;
  bool ever_answered = true;
  mysql::MemberObservation seen;
  std::map<Verb, Outcome> outcomes;
  std::optional<FollowOrder> follow_order;
  Verb last_verb = Verb::StopReceiver;
};

class Servers {
 public:
  // All healthy: db-0 is the source of epoch 1, the others follow it.
  static Servers formed(int count = 3, Mode mode = Mode::SemiSync);
  // All run, empty and closed; nothing is on record; spec.source names db-0.
  static Servers fresh(int count = 3);

  Server& operator[](int ordinal) { return list[static_cast<std::size_t>(ordinal)]; }
  PersistedRecord& record() { return topology.record; }
  // Operation in flight, of the epoch on record.
  Operation& begin(OperationType type, Step step, std::string from, std::string candidate);
  // It counts for the quorum no more.
  void take_out(int ordinal);
  void pass(Duration time);  // observations stay as old as they get by it

  Topology told() const;
  Plan decide() const { return mysql_topology::decide(told(), now); }

  TimePoint now{std::chrono::seconds(1000)};
  Topology topology;  // all but its members
  std::vector<Server> list;
};

// "db-1 Follow db-0", in the order they were asked.
std::vector<std::string> asked(const Plan& plan);
std::optional<Command> command(const Plan& plan, std::string_view member, Verb verb);
// "Failover StopReceivers from db-0 to db-1, epoch 2"; "idle: db-0, epoch 2"; empty: no record.
std::string recorded(const Plan& plan);
// Names of the guards, in order.
std::vector<std::string> held_by(const Plan& plan);
// Why an order is not obeyed, likewise.
std::vector<std::string> refused_by(const Plan& plan);
std::string text_of(const Plan& plan, std::string_view rule);
// "db-0=Source db-1=Replica db-2=None"
std::string roles(const Plan& plan);

}  // namespace troupe::mysql_topology::testing
