// The operator, modelled: what it observes and how late, what it remembers until it dies, and the
// status that survives it. Effects are delivered late, twice or never; a record is written only
// over the version that was read.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "actors/mysql_topology/decide.hpp"
#include "tests/sim/mysql/agent_stream.hpp"
#include "tests/sim/mysql/fleet.hpp"
#include "tests/sim/mysql/timeline.hpp"
#include "tests/sim/mysql_topology/broken_engines.hpp"

namespace troupe::mysql_topology::sim {

// The object in the API server.
struct Object {
  Mode mode = Mode::SemiSync;
  FailoverPolicy failover;
  std::string wanted = "db-0";
  std::string order;       // annotation switchover-to
  std::string recover_on;  // annotation recover-on
  std::string external;    // annotation external-source: the Secret that names the server outside
  std::string wall = "2026-01-31T12:00:00Z";
  std::set<int> taken;     // members whose Units say that they belong to another replication
  std::set<int> isolated;  // by the specification
  std::set<int> unlisted;  // not in it
  std::set<int> departing;
  // Labels of Pods, which are as old as these.
  struct Place {
    int life = 0;
    Role role = Role::None;
  };
  std::map<int, Place> places;
  PersistedRecord record;
  std::uint64_t version = 1;
};

struct Faults {
  int lose_percent = 0;    // of requests and of answers
  int double_percent = 0;  // of requests
  Duration latency_max = std::chrono::milliseconds(5);
  bool reaches_api = true;  // else no record is written
};

class Operator {
 public:
  Operator(Timeline& timeline, Engine engine, Fleet& fleet, Object& object);

  void start();
  // As a leader that was replaced and does not know: what it read is the last that it reads, what
  // it writes does not arrive, and it acts before it hears of newer epochs. Members hear it all the
  // same, and nothing but their refusal holds it.
  void start_deposed(const PersistedRecord& read);
  void die();
  bool alive() const { return alive_; }
  void cut(int member, bool is_cut);
  void wake();  // the object has changed

  // The newest plan, for judging whether all is well; empty while dead.
  const Plan& plan() const { return plan_; }
  // When anything was asked or written last.
  TimePoint last_act() const { return last_act_; }
  std::uint64_t decisions() const { return decisions_; }

  Faults faults;

 private:
  struct Watched {
    bool is_cut = false;
    int life = 0;  // of the Pod that the rest is about
    std::shared_ptr<const mysql::ProbeOutcome> probe;
    AgentStream agent;
    std::map<Verb, Outcome> outcomes;
  };

  void probe_again(int i);
  void probe(int i);
  void probed(int i, mysql::Reachability reachability, const mysql::MemberObservation* seen);
  void look_at_agent(int i);
  Topology told() const;
  void decide();
  void label_pods();
  void write(const PersistedRecord& record);
  void ask(const Command& command);
  void deliver(int i, int life, const Command& command, const std::string& key);
  void answered(int i, int life, const Command& command, const std::string& key,
                const Reply& reply);
  template <class F>
  void later(Duration delay, F what);  // unless the operator has died by then

  Timeline& timeline_;
  Engine engine_;
  Fleet& fleet_;
  Object& object_;
  bool alive_ = false;
  bool deposed_ = false;
  std::uint64_t generation_ = 0;
  PersistedRecord read_;  // the newest snapshot of the object's record
  std::uint64_t read_version_ = 0;
  // By one that is deposed.
  std::set<int> read_taken_, read_isolated_, read_unlisted_;
  std::string read_external_;
  std::vector<Watched> watched_;
  std::set<std::string> in_flight_;
  struct Backoff {
    int failures = 0;
    TimePoint until;
  };
  std::map<std::string, Backoff> backoff_;
  bool deciding_ = false;
  TimePoint timer_ = TimePoint::max();
  Plan plan_;
  TimePoint last_act_;
  std::uint64_t decisions_ = 0;
};

}  // namespace troupe::mysql_topology::sim
