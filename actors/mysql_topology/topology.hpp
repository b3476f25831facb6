// A set of MySQL servers of which one is the source, as it looks right now: what the engine
// decides on. Every face of the engine (MysqlReplication, and any other kind that clusters MySQL)
// fills this in; nothing in here knows how the values were got.
//
// Every input carries when it was seen. Roles never change on stale input (kStale).
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/agent/model/endpoint.hpp"
#include "engines/agent/model/epoch.hpp"
#include "engines/agent/model/observation.hpp"
#include "engines/mysql/model/gtid_set.hpp"
#include "engines/mysql/model/observation.hpp"
#include "runtime/model/result.hpp"
#include "runtime/model/time.hpp"

namespace troupe::mysql_topology {

// Fencing number: one operation, one epoch. Agents refuse lower ones, so that no step of an earlier
// operation, however late, undoes what a later one rests on.
using agent::Epoch;
using agent::kMaxEpoch;

// Probes come every second with a deadline of two: an observation older than this is no accident.
inline constexpr Duration kStale = std::chrono::milliseconds(3500);
// How many reports of lost transactions are kept: those of the API's list.
inline constexpr std::size_t kMaxLost = 32;

// Group: the servers agree among themselves; actors/mysql_group decides what is left to do.
enum class Mode { Async, SemiSync, Group };

// A step asked of a member's agent. Idempotent; refused there when a higher epoch was seen.
enum class Verb {
  EnsureAccounts,
  StopReceiver,
  Drain,
  Promote,
  Open,
  Follow,
  Close,
  SaveTransactions,
  Clone,
  StartGroup,
  StopGroup,
  SetGroupPrimary,
  InspectSource
};
BOOST_DESCRIBE_ENUM(Verb, EnsureAccounts, StopReceiver, Drain, Promote, Open, Follow, Close,
                    SaveTransactions, Clone, StartGroup, StopGroup, SetGroupPrimary, InspectSource)
std::string_view to_string(Verb verb);

struct Command {
  std::string member;
  Verb verb = Verb::StopReceiver;
  Epoch epoch;
  std::string peer;                // Follow: the source; Clone: the donor; or kOutside
  std::string address;             // Follow: of the source; of whatever is outside
  mysql::GtidSet gtids;            // Drain: until; SaveTransactions: which; Follow: source's purged
  std::uint32_t acks = 0;          // Promote, Open
  bool semi_sync = false;          // Promote, Open, Follow
  bool kill_if_blocked = false;    // Close
  bool bootstrap = false;          // StartGroup: begins the group
  std::string group;               // StartGroup: its name
  std::uint32_t accounts = 0;      // EnsureAccounts, Follow, StartGroup: the revision handed over
  std::uint64_t needed_bytes = 0;  // Clone: that must be free
};

// The peer of a command about the external source; no member is called that.
inline constexpr std::string_view kOutside = "@outside";

// What a server that is no member said of itself to the member that asked it.
struct Outside {
  std::string server_uuid;
  std::string version;
  mysql::GtidSet executed;
  mysql::GtidSet purged;
  bool by_gtids = false;  // its gtid_mode is ON
};
BOOST_DESCRIBE_STRUCT(Outside, (), (server_uuid, version, executed, purged, by_gtids))

// The last outcome of a verb on a member, as far as this process knows. Lost on restart, and then
// the step is asked for again.
struct Outcome {
  Epoch epoch;
  std::string peer;
  std::string address;  // Follow: as in the command; empty: not known
  bool ok = false;
  Error error;
  TimePoint at;
  std::uint32_t failures = 0;  // in a row
  std::uint32_t accounts = 0;  // EnsureAccounts, Follow, StartGroup: as in the command
  bool killed = false;         // Close: it had to be killed, or did not run
  std::string saved_to;        // SaveTransactions
  mysql::GtidSet executed;
  mysql::GtidSet received;
  std::optional<Outside> outside;  // InspectSource
};
BOOST_DESCRIBE_STRUCT(Outcome, (),
                      (epoch, peer, address, ok, error, at, failures, accounts, killed, saved_to,
                       executed, received, outside))

// Whom a member was last asked to follow, answered or not. Known to the process whose call it is:
// when that ends, so does the call.
struct FollowOrder {
  Epoch epoch;
  std::string peer;
  std::string address;
  TimePoint at;
};
BOOST_DESCRIBE_STRUCT(FollowOrder, (), (epoch, peer, address, at))

// A server is about to end.
struct Departure {
  std::string why;    // for people
  bool soon = false;  // nobody who could take over from it is waited for until it has caught up
};

struct Member {
  std::string name;  // of Unit and Pod
  std::string host;  // as the specification names it
  std::uint16_t port = 3306;
  // Why nobody reaches it there; empty: nothing is known against it.
  std::string host_problem;
  int ordinal = 0;
  bool isolated = false;
  // Only on record, no more in the specification: it may hold alone what it acknowledged. Its host
  // is not known, so it is never a source.
  bool former = false;

  bool unit_exists = false;
  bool ours = false;  // its Unit belongs to this topology: it has an agent, which we command
  // The MysqlReplication that its Unit belongs to, if that is another one: never commanded.
  std::string owner;
  std::shared_ptr<const mysql::ProbeOutcome> elsewhere;  // another's: what its owner saw of it
  // Who goes before it and whose server has the same UUID, as servers of copied volumes have: what
  // either wrote, numbers the same. Not commanded.
  std::string twin_of;
  bool pod_exists = false;
  std::optional<Departure> departing;
  std::string instance;  // the Pod's life: what was observed of an earlier one does not count

  std::shared_ptr<const mysql::ProbeOutcome> probe;      // null: never probed
  std::shared_ptr<const agent::AgentObservation> agent;  // null: never heard of
  std::map<Verb, Outcome> outcomes;
  std::optional<FollowOrder> follow_order;

  std::string address() const;                                  // "HOST:PORT", by the specification
  bool is_at(std::string_view host, std::uint16_t port) const;  // as a replica names its source
  // The last good probe, however old; null: none.
  const mysql::MemberObservation* server() const;
  bool answers(TimePoint now) const;  // the last probe was good, and lately
  // In the specification, and taking part in replication.
  bool is_listed() const { return !former && !isolated; }
  bool is_anothers() const { return !owner.empty(); }
  bool agent_connected() const;
  bool process_running() const;  // by its agent's word
  // A clone is under way, whoever asked for it: its server may be seen empty and open for writes.
  bool is_being_cloned() const;
  // Its data is neither what it had nor what a donor has.
  bool clone_is_partial() const;
  // Everything that is safe on this member or will become so, by the newest that is known.
  mysql::GtidSet position() const;
  // It was looked at, or has told what it has, since its Pod was made: empty means that it has
  // none.
  bool data_is_known() const;
  // A step changed the member after it was last probed: look again before judging it.
  bool changed_since_probe() const;
  const Outcome* outcome(Verb verb, Epoch epoch) const;
  bool done(Verb verb, Epoch epoch) const;
  // That it follows `source`, and where that is by the specification of now.
  bool has_followed(Epoch epoch, const Member& source) const;
  // That it was given the accounts of that revision; null: not as far as this process knows.
  const Outcome* given_accounts(std::uint32_t revision) const;

 private:
  bool cloned_since_seen() const;
};

enum class OperationType { Form, Failover, Switchover, Rebuild, Bootstrap, Attach, Detach };
std::string_view to_string(OperationType type);
std::optional<OperationType> parse_operation_type(std::string_view text);

// Named steps; each is persisted before it is taken.
enum class Step {
  StopReceivers,  // Failover: no replica acknowledges to the old source any more
  Close,          // Switchover, Attach: the (old) source takes no more writes
  CatchUp,        // Switchover: the candidate has executed everything the old source had
                  // Detach: so have replicas, of all that came from outside
  Promote,        // the candidate becomes the source; point of no return
  Reopen,         // given up. Switchover: the old source is opened again
                  // Attach: no order to clone it that is under way is obeyed any more
  Save,           // Rebuild: transactions that nobody else has are saved
  Clone,          // Rebuild, Attach: the data is replaced by a donor's
  Follow,         // Attach: the source follows the server outside
  StopGroup,      // Bootstrap: every member says what it has, and is in no group
  Bootstrap,      // Bootstrap: the one that has everything begins the group
};
std::string_view to_string(Step step);
std::optional<Step> parse_step(std::string_view text);

struct Operation {
  OperationType type = OperationType::Form;
  Step step = Step::Promote;
  std::string from;       // the old source; empty when there was none
  std::string candidate;  // the new one, or the member to rebuild; empty until chosen
  // Promote: that of the candidate's server when it was chosen. Another one means that its volume
  // was replaced since. Empty: nobody had looked at it.
  std::string candidate_uuid;
  std::string gtids;    // CatchUp: what must be executed; Save: what is saved
  std::string reason;   // why it began, or why it was given up
  std::string started;  // RFC 3339, for people
  bool operator==(const Operation&) const = default;
};

// The last operation that ended, for people.
struct Finished {
  OperationType type = OperationType::Form;
  std::string from;
  std::string candidate;
  Epoch epoch;
  bool undone = false;
  std::string text;
  std::string started;
  std::string finished;
  bool operator==(const Finished&) const = default;
};

// Transactions of a former source that the topology goes on without.
struct Lost {
  std::string member;
  std::string gtids;  // empty: that member was never seen again
  Epoch epoch;        // of the failover that left them behind
  std::string saved_to;
  std::string at;  // RFC 3339
  bool operator==(const Lost&) const = default;
};

bool is_among(const std::vector<std::string>& names, std::string_view name);

// On whom the arithmetic of quorum.hpp is done: every write that a client was told of is on at
// least acks + 1 of these members, the source among them.
//
// So a member is listed before it may acknowledge, and as long as anything may rest on it; acks is
// lowered before the source waits for fewer, and raised when it waits for more and as many replicas
// have all that came before. The specification says what this shall become, and never what it is.
//
// What a late message could undo is told under an epoch of its own: that the source waits for more,
// and that a member does not follow it any more.
struct Quorum {
  std::vector<std::string> members;  // by name
  // Of these, who follows nobody, and joins no group, since this epoch or before.
  std::vector<std::string> leaving;
  // Of these, whose data was thrown away or lost, and who have not all of it again: they vouch for
  // nothing. Groups have none: they ask everybody before they begin again.
  std::vector<std::string> recovering;
  std::uint32_t acks = 0;       // w
  std::uint32_t waits_for = 0;  // what the source is told to wait for: w or more

  // It vouches no more before it has all again; nothing of one that does not count.
  void begin_to_recover(const std::string& member);
  bool operator==(const Quorum&) const = default;
};

// What survives a restart: lives in the object's status.
struct PersistedRecord {
  Epoch epoch;
  std::string current;  // the member that may be written to
  std::string honored;  // the last order (spec.source) acted on
  std::optional<Operation> operation;
  std::optional<Finished> last;
  std::vector<Lost> lost;  // oldest first, at most kMaxLost
  Quorum quorum;
  std::string group;  // name of the group, a UUID: on record before anybody begins it
  // What names the external source that all data come from; empty: clients write here. As long as
  // it is there nothing is opened for writes, and no acknowledgement is waited for or counted on.
  std::string external;
  bool operator==(const PersistedRecord&) const = default;
};

struct FailoverPolicy {
  bool enabled = false;
  bool allow_loss = false;
  // How long a source that does not answer, but whose death nobody has seen, is waited for: two
  // missed probes and their deadlines.
  Duration grace = std::chrono::seconds(2);
};

// A server that is no member, which the source shall follow instead of taking writes.
struct External {
  std::string name;  // of what says where it is: a Secret
  std::string host;
  std::uint16_t port = 3306;
  // Counts how often what it says has changed since this process first saw it, passwords included.
  std::uint32_t revision = 0;
  std::string problem;  // why it cannot be used; empty: nothing
  std::string address() const;
};

struct Topology {
  Mode mode = Mode::SemiSync;
  FailoverPolicy failover;
  std::string wanted;         // spec.source
  std::string order_by_note;  // annotation switchover-to; empty: none
  std::string new_group;      // what a group that is begun here is called
  std::string recover_on;     // annotation recover-on: whose word counts where members diverged
  std::optional<External> external;
  std::vector<Member> members;
  PersistedRecord record;
  std::string wall;  // RFC 3339 of now: `started` of an operation that begins
  // Counts how often users or passwords have changed since this process first saw them: 1 is how it
  // found them (0: nobody counts). Nothing of a password can be told from it.
  std::uint32_t accounts = 0;

  const Member* find(std::string_view name) const;
  // Those that shall be source or replica: in the specification and not isolated.
  std::vector<const Member*> voters() const;
  // Whether it is on record for the quorum: only such members may acknowledge.
  bool counts(const Member& m) const;
  // Nothing that it once acknowledged may be looked for there.
  bool recovers(const Member& m) const;
  // What the source shall wait for now.
  std::uint32_t acks() const { return record.quorum.waits_for; }
  bool semi_sync() const { return acks() > 0; }
  // All data come from outside.
  bool is_fed() const { return !record.external.empty(); }
  // What that shall become: for those on record who stay.
  std::uint32_t acks_wanted() const;
  // f: replicas on record whose receivers must be known to be stopped before a failover.
  int quorum() const;
};

// Sets `twin_of` of the members, by their agents' word; before all are there nothing can be said.
// The source on record goes first, else the order of names.
void find_twins(Topology& topology);

}  // namespace troupe::mysql_topology
