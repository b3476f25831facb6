// What the operator may ask of a unit's agent, and what the agent answers: plain values.
//
// Every command is idempotent: the same one again does what is still missing and gives the same
// answer. Those of which `is_fenced` is true change, or may change, who acknowledges writes: they
// carry the epoch of the decision, and an agent that has seen a higher one refuses them with
// Code::Stale, naming both numbers; a higher one cuts short what a lower one had begun. Other
// commands ignore the epoch. GTID sets are texts as the server prints them. A command that ends by
// Code::Timeout has an unknown outcome: send it again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engines/agent/model/epoch.hpp"
#include "runtime/model/secret.hpp"
#include "runtime/model/time.hpp"

namespace troupe::agent {

struct CommandHeader {
  std::string unit;        // namespace/name; an agent refuses what is meant for another unit
  std::string request_id;  // names the attempt in traces, logs and observations
  Epoch epoch;
  Duration time_limit = std::chrono::seconds{30};  // counted from the call
};

// A document of values for a template; later ones override earlier ones.
struct ValuesDocument {
  std::string name;  // for error messages
  std::string text;  // YAML (JSON is YAML)
};

// --- Configuration and process -------------------------------------------------------------------

// Renders the database's configuration file and puts it in place; the previous one is kept.
struct Render {
  std::string template_text;
  std::vector<ValuesDocument> values;
  std::map<std::string, std::string> labels;       // the Pod's, for the template's functions
  std::map<std::string, std::string> annotations;  // likewise
  std::string target_path;  // empty, or the agent's CONFIG_PATH: nothing else is written
};
struct Rendered {
  std::string hash;  // SHA-256 of the file, hex
  bool changed = false;
  std::vector<std::string> overridden;  // "sync_binlog=0 (kept at 1)"
};

// Makes a data directory if there is none, or only the remains of one that never got ready.
struct EnsureInitialised {};
struct Initialised {
  bool created = false;  // false: it was there already
};

// Starts the database unless it runs. It boots offline, read-only and with replication stopped.
// The answer comes when the process exists; ProcessState::Running says that it serves.
struct StartProcess {};
// Client sockets are closed first, so that no write is acknowledged on the way down.
struct StopProcess {
  Duration grace = std::chrono::seconds{60};  // then SIGKILL
};
struct KillProcess {};  // SIGKILL; it stays stopped

// --- Accounts ------------------------------------------------------------------------------------

enum class GrantSet {
  Admin,        // everything, with grant option
  Probe,        // what the operator's probes read; survives offline_mode
  Monitor,      // exporters: process list, replication state, performance schema
  Replication,  // reads binlogs; survives offline_mode
  CloneDonor,   // may be cloned from
  Backup,       // consistent backups
  Provision,    // creates users, databases and their contents for applications
  GroupMember,  // members of a group connect to one another, and recover, by it
};
std::string_view to_string(GrantSet set);

struct Account {
  std::string user;
  std::string host = "%";
  Secret password;
  std::vector<GrantSet> grants;
  bool operator==(const Account&) const = default;
};

// Creates or mends accounts on this member only, outside its binlog.
struct EnsureAccounts {
  std::vector<Account> accounts;
};
struct AccountsEnsured {
  std::vector<std::string> changed;  // user@host of those that were not right
};

// --- Fenced steps --------------------------------------------------------------------------------

// Stops the receiver (I/O) thread: from here on this member acknowledges nothing to its source.
struct StopReceiver {};
struct ReceiverStopped {
  std::string server_uuid;
  std::string received;  // may hold what is not applied yet
  std::string executed;
};

// Waits until `until` is executed, however long the applier needs as long as it makes progress; an
// applier that stopped with an error ends it (Code::Fatal, the server's text).
struct Drain {
  std::string until;  // empty: all that this member has received
};
struct Drained {
  std::string executed;
};

// Makes the member ready to be the source: replication stopped, everything received is applied,
// semi-sync source variables set and read back. It stays read-only.
struct Promote {
  std::uint32_t acks = 0;  // w: replicas that must have a transaction before it is acknowledged
  bool semi_sync = true;
};
struct Promoted {
  std::string server_uuid;
  std::string executed;
};

// Opens the promoted member for writes once `acks` semi-sync replicas are attached to it. The only
// command after which a member accepts writes.
struct OpenForWrites {
  std::uint32_t acks = 0;
  bool semi_sync = true;
};
struct Opened {
  std::string server_uuid;
  std::string executed;  // before the first write of this epoch
  std::uint32_t semi_sync_clients = 0;
};

struct ReplicationSource {
  std::string host;  // a name or an address, as the replica reaches it
  std::uint16_t port = 3306;
  std::uint16_t admin_port = 0;  // instead, where clients have all connections; 0: there is none
  std::string user;
  Secret password;
  bool tls = true;
  std::string ca_pem;  // empty: the source's certificate is not verified
  // Instead: by whichever authorities this member's own ca.crt names at each connect. For a source
  // that is a Unit of the same operator.
  bool own_authorities = false;
};

// Asks a server that is no member what it is and has, from where this member would follow it.
struct InspectSource {
  ReplicationSource source;
};
struct SourceInspected {
  std::string server_uuid;
  std::string version;
  std::string executed;
  std::string purged;
  bool by_gtids = false;  // its gtid_mode is ON
};

// Makes the member a replica of `source`, read-only. Refused with Code::Conflict when the source
// has purged transactions that the member lacks: it must be cloned.
struct Follow {
  ReplicationSource source;
  bool semi_sync = true;      // acknowledge to the source
  std::string source_purged;  // the source's gtid_purged
  bool serve_reads = true;    // leave offline mode when the receiver runs
};
struct Following {
  std::string server_uuid;
  std::string executed;
};

// Ends every acknowledgement of writes: offline, client sockets cut, super_read_only. What cannot
// be closed because commits wait for acknowledgements is killed, if `kill_if_blocked`; else
// Code::Timeout, and the member is left offline.
struct Close {
  bool kill_if_blocked = true;
  Duration grace = std::chrono::seconds{5};
};
struct Closed {
  bool killed = false;  // then it restarts closed, and `executed` is not known
  std::string server_uuid;
  std::string executed;
};

// Copies the transactions out of the binlogs into <data>/troupe/saved/, for a person to look at.
struct SaveTransactions {
  std::string gtid_set;
};
struct TransactionsSaved {
  std::string path;
  std::uint64_t count = 0;  // transactions
  std::uint64_t bytes = 0;
};

// Replaces this member's data by a copy of the donor's. Refused with Code::Conflict when the member
// holds transactions and `replace_data` is false.
struct Clone {
  std::string donor_host;  // an IPv4 address or a name
  std::uint16_t donor_port = 3306;
  std::string donor_user;
  Secret donor_password;
  bool replace_data = false;
  std::uint64_t needed_bytes = 0;  // free space that must be there; 0: not checked
};
struct Cloned {
  std::string server_uuid;
  std::string executed;
};

// Empties the GTID set of a member that never held data of its own: refused with Code::Conflict if
// anything but its own bootstrap's transactions is in there.
struct ResetBinlogs {};

// --- Group replication ---------------------------------------------------------------------------

// Makes the member one of the group and, once it is ONLINE there, lets clients in; the group itself
// says who of them may write. A member that is in the group already is corrected without leaving
// it. Code::Conflict: it is in another group, or in a part of this one that is no majority.
//
// `bootstrap` begins the group with this member alone. Two that do so have made two groups: the
// operator asks it of one only, after all have obeyed a StopGroup of that epoch, and an agent
// refuses it (Code::Conflict) unless that was the last step and its database has lived since.
struct StartGroup {
  std::string group_name;            // a UUID
  std::string local_address;         // HOST:PORT of this member's server, as the others reach it
  std::vector<std::string> members;  // HOST:PORT of all, this one included
  std::string user;                  // of GrantSet::GroupMember, on every member
  Secret password;
  bool own_authorities = false;  // as in ReplicationSource; otherwise others are not verified
  bool bootstrap = false;
};
struct GroupStarted {
  std::string server_uuid;
  std::string executed;
};

// Takes the member out of its group, offline and read-only. One that is in no group is closed.
struct StopGroup {};
struct GroupStopped {
  std::string server_uuid;
  std::string received;  // from the group; may hold what is not applied yet
  std::string executed;
};

// Makes this member, which is ONLINE, the primary of its group; the group drains the old one.
struct SetGroupPrimary {
  Duration running_limit = std::chrono::seconds{10};  // then transactions under way are cut
};
struct GroupPrimarySet {
  std::string server_uuid;
  std::string executed;
};

struct Done {};

using Action =
    std::variant<Render, EnsureInitialised, StartProcess, StopProcess, KillProcess, EnsureAccounts,
                 StopReceiver, Drain, Promote, OpenForWrites, Follow, Close, SaveTransactions,
                 Clone, ResetBinlogs, StartGroup, StopGroup, SetGroupPrimary, InspectSource>;

struct Command {
  CommandHeader header;
  Action action;
};

// One alternative an answer; StartProcess, StopProcess, KillProcess and ResetBinlogs answer Done.
using Answer = std::variant<Done, Rendered, Initialised, AccountsEnsured, ReceiverStopped, Drained,
                            Promoted, Opened, Following, Closed, TransactionsSaved, Cloned,
                            GroupStarted, GroupStopped, GroupPrimarySet, SourceInspected>;

struct Reply {
  Answer answer;
  std::string message;  // one line for people: what was done
};

// "StopReceiver"; for traces, metrics and OperationProgress::kind.
std::string_view name_of(const Action& action);
// The same of the variant's alternative.
std::string_view action_name(std::size_t index);
bool is_fenced(const Action& action);

}  // namespace troupe::agent
