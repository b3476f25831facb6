// MySQL servers with their agents, modelled: binary logs, GTID sets, semi-synchronous
// acknowledgements, relay logs, crash recovery of what was never acknowledged, clones; and clients
// that try to write to every one of them all the time.
//
// The facts are those of MySQL's semi-synchronous replication: a commit is in the binary log
// before it is sent, is committed and answered after `acks` replicas have it in their relay logs
// (AFTER_SYNC), and is committed by crash recovery whether anybody acknowledged it or not. A server
// boots closed and replicates from nobody. An agent does one command at a time and refuses epochs
// below the highest that it was told.
//
// In a group they agree among themselves (group.hpp).
//
// There may be a server outside (outside.hpp), which is no member and has no agent: open from its
// start, it answers its clients alone, and members may follow it or be cloned from it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/mysql_topology/decide.hpp"
#include "tests/sim/mysql/timeline.hpp"
#include "tests/sim/run.hpp"

namespace troupe::mysql_topology::sim {

using troupe::sim::Invariant;
using troupe::sim::Run;
using troupe::sim::Scenario;
using troupe::sim::Violation;

// Rules that servers and their agents keep. A test that breaks one has to see the invariants fail.
struct Rules {
  bool acknowledge_after_replicas = true;
  bool boot_closed = true;
  bool refuse_old_epochs = true;
  bool keep_relay_logs = true;
  bool apply_before_promotion = true;
  bool begin_right_after_leaving = true;  // a group, and once
};

struct Transaction {
  int origin = 0;  // whose UUID it bears: Server::identity
  std::uint64_t number = 0;
  std::size_t write = 0;  // which of the clients' writes: numbers may be used twice, this is not
};

struct Reply {
  std::optional<Error> failed;
  bool killed = false;
  mysql::GtidSet executed;
  mysql::GtidSet received;
  std::optional<Outside> outside;  // InspectSource
  std::string saved_to;            // SaveTransactions
};

// What a server that takes part in a group knows of it, all in memory.
struct Seat {
  std::size_t group = 0;  // of Groups
  mysql::GroupState state = mysql::GroupState::Recovering;
  std::uint64_t news = 0;  // up to which it has heard of views and primaries
  std::uint64_t view = 0;
  std::vector<int> members;  // of that view
  int primary = -1;
  std::vector<TimePoint> heard;           // by server: when last
  std::vector<mysql::GroupState> states;  // by server: as it said then
  std::optional<TimePoint> alone_since;   // fewer than a majority are heard
  std::size_t delivered = 0;              // of what the group has decided
  std::uint64_t received = 0;             // up to which proposal
  std::uint64_t acknowledged_in = 0;      // the view in which it has said so
  bool is_misfit = false;                 // it has what the group lacks, and is about to leave
  TimePoint leaves_at;                    // then
  int held = 0;                           // writes that wait: Groups::holds
  mysql::GtidSet to_recover;              // to be ONLINE
  std::optional<int> donor;
  TimePoint donor_until;  // without one until then, it leaves
};

struct Job {
  Command command;
  TimePoint deadline;
  std::function<void(const Reply&)> answer;
  int phase = 0;
  TimePoint phase_ends;
};

struct Server {
  int index = 0;
  std::string name;

  bool lives = false;  // with Upkeep::OnOrder: it has had a Pod

  // The Pod.
  bool pod = true;
  int life = 1;
  bool wanted = true;  // its supervisor has been told to keep it running
  bool running = true;
  bool paused = false;  // stopped by a signal
  TimePoint starts_at;  // while it does not run

  // On the volume.
  bool initialised = true;
  int identity = 0;                 // as auto.cnf holds it
  bool accounts = true;             // the operator can log in
  std::vector<Transaction> binlog;  // what was flushed; the first `committed` are committed
  std::size_t committed = 0;
  mysql::GtidSet flushed;
  mysql::GtidSet executed;
  mysql::GtidSet purged;
  std::vector<bool> writes;  // by Transaction::write, of binlog and relay log
  std::optional<int> source;
  std::deque<Transaction> relay;
  mysql::GtidSet received;
  bool partial = false;  // a clone was cut short
  bool full = false;     // nothing can be written: who has to, waits
  Epoch epoch;           // the highest that its agent was told

  // In memory.
  bool read_only = true;
  bool super_read_only = true;
  bool offline = true;
  bool receiver = false;
  bool applier = false;
  bool connected = false;
  bool purged_at_source = false;  // what it lacks: that is why its receiver has stopped
  std::size_t cursor = 0;         // of the receiver, in the source's binary log
  std::size_t window = 0;  // up to where the source sends before it hears of the receiver again
  bool waits = false;      // semi-sync source
  std::uint32_t acks = 0;
  bool acknowledges = false;              // semi-sync replica
  std::vector<std::size_t> acknowledged;  // by replica: up to where in the binary log
  std::vector<TimePoint> acks_until;      // by replica: the last one on its way has come by then
  std::vector<std::size_t> sessions;      // writes whose clients can still be told
  std::uint64_t acknowledged_commits = 0;
  TimePoint heard;            // from its source, as a replica
  bool applier_held = false;  // by a lock that somebody has
  bool acks_lost = false;     // until its receiver connects again
  int boot = 0;
  Epoch opened;              // of the command that opened it
  std::optional<Seat> seat;  // in a group

  // The volume, as its agent sees it.
  std::uint64_t disk_total = std::uint64_t{100} << 30;
  std::uint64_t disk_free = std::uint64_t{50} << 30;
  std::uint64_t data_bytes = std::uint64_t{1} << 30;

  // The agent.
  bool agent_up = true;
  int agent_boot = 1;
  std::optional<Job> job;
  std::deque<Job> queue;
  // The lives of agent and server in which it took its server out of a group, as its last step.
  std::optional<std::pair<int, int>> left_group_in;

  bool hangs() const { return committed < binlog.size(); }
  // To others than its agent: not while a clone takes the place of what it holds.
  bool listens() const {
    const bool replaced = job && job->command.verb == Verb::Clone && job->phase > 0;
    return running && !(replaced && !executed.empty());
  }
};

// Who makes Pods and starts servers: they themselves, or whoever plays kubelet and Unit.
enum class Upkeep { ByItself, OnOrder };

// Of what goes between two: all, what the first sends, what the second sends.
enum class Cut { Both, There, Back };
inline Cut some_cut(Chance& chance) {
  constexpr Cut kCuts[] = {Cut::Both, Cut::Both, Cut::There, Cut::Back};
  return kCuts[chance.pick(4)];
}

class Groups;

class Fleet {
 public:
  Fleet(Timeline& timeline, Rules rules, int count, Upkeep upkeep = Upkeep::ByItself);
  ~Fleet();

  // To be called before anything happens; so many writes are there from the beginning. Gives its
  // index, which is that after the last member's.
  int add_outside(int writes);

  int size() const { return members_; }
  std::optional<int> outside() const {
    return is_outside(servers_.back().index) ? std::optional(members_) : std::nullopt;
  }
  Server& operator[](int i) { return servers_[static_cast<std::size_t>(i)]; }
  const Server& operator[](int i) const { return servers_[static_cast<std::size_t>(i)]; }
  int index_of(std::string_view name) const;

  // After each turn of a server's threads: what its agent has to tell may have changed.
  void on_turn(std::function<void(int)> what) { on_turn_ = std::move(what); }

  // --- faults
  void kill(int i, Duration down);
  void delete_pod(int i, Duration away);
  void restart_agent(int i);
  // A connection that is there goes on in the direction that is left, for as long as its sender
  // need not hear from the other side; a new one needs both.
  void part(int a, int b, Cut cut);
  void reconnect(int a, int b);
  void heal();  // all of them
  void fill_disk(int i);
  void free_disk(int i);
  void purge(int i);        // its binary logs
  void lose_volume(int i);  // of a server that has ended
  // The Pod and all that lay on its volume.
  void delete_pod_and_volume(int i, Duration away);
  void pause(int i, bool paused);  // what has come for it meanwhile it reads when it goes on
  // Somebody who may do anything writes on a member, whatever its role.
  void write_by_hand(int i);
  // Partitions and full disks end, and whoever is down starts now.
  void mend();

  // --- upkeep on order
  void place_pod(int i);   // a new life, with an agent and no server yet
  void initialise(int i);  // an empty data directory, unless there is a good one
  void start(int i);
  void stop(int i);

  // --- what an agent is told, and what a probe reads
  void command(int i, Job job);
  mysql::MemberObservation observe(int i) const;
  bool answers(int i) const;  // one that runs and does not lets whoever asks it wait
  std::uint32_t attached(int i) const;
  // As the source counts them: one is gone when no acknowledgement of it can be taken any more.
  std::uint32_t clients(int i) const;

  // --- clients
  void write(int i);
  void write_somewhere();
  std::size_t acknowledged_writes() const { return acked_.size(); }
  // And what came from outside to a member before that was opened: who wrote it there was told OK.
  bool has_all_acknowledged(int i) const;
  // The same transactions by number, and the same writes in them.
  bool holds_the_same(int a, int b) const;

  // The first invariant that was broken.
  const std::optional<Violation>& violation() const { return violation_; }
  void check_writers();
  // While all data come from outside.
  void check_that_nobody_writes();

 private:
  friend class Groups;
  void live(int i);  // one turn of a server's threads, again and again
  void turn(int i);
  void cut(int from, int to);
  bool reaches(int from, int to) const;
  bool connect(Server& s, const Server& from) const;
  void receive(int i);
  void acknowledge(Server& s, Server& from);
  void apply(int i);
  void commit(int i);
  void boot(int i);
  void work(int i);  // on its agent's job
  void finish(int i, Reply reply);
  void fail(int i, Code code, std::string why);
  std::optional<Reply> advance(int i, Job& job);
  std::optional<Reply> stop_receiver(Server& s);
  std::optional<Reply> drain(Server& s, const mysql::GtidSet& until);
  std::optional<Reply> promote(Server& s, const Command& c);
  std::optional<Reply> open(Server& s, const Command& c);
  std::optional<Reply> follow(Server& s, Job& job);
  std::optional<Reply> close(Server& s, Job& job);
  std::optional<Reply> save(Server& s, const Command& c);
  std::optional<Reply> clone(Server& s, Job& job);
  Reply inspect(const Server& s) const;
  Groups& groups();
  bool is_outside(int i) const { return i >= members_; }
  int peer_of(const Command& c) const;
  bool drained(Server& s);
  void leave(Server& s);
  void drop_relay_log(Server& s);
  void take_new_name(Server& s) { s.identity = names_++; }
  void add(Server& s, const Transaction& t);
  void broken(Invariant invariant, std::string what);
  bool can_acknowledge(const Server& s) const;
  void take_over(const Server& s);

  Timeline& timeline_;
  Rules rules_;
  Upkeep upkeep_;
  std::function<void(int)> on_turn_;
  int members_;
  std::vector<Server> servers_;         // the members, and then who is outside
  std::vector<std::vector<bool>> cut_;  // by sender and receiver
  std::unique_ptr<Groups> groups_;      // null: nobody was ever told of one
  std::size_t writes_ = 0;
  std::uint64_t openings_ = 0;  // of primaries of groups
  int names_ = 0;
  std::vector<std::size_t> acked_;
  std::vector<std::size_t> taken_over_;  // writes from outside
  std::optional<Violation> violation_;
};

mysql::Uuid uuid_of(int identity);

}  // namespace troupe::mysql_topology::sim
