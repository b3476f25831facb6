// What a gateway learnt about one MySQL server, and when.
//
// A MemberObservation is everything one successful probe read. What the server did not say (a
// plugin that is not installed, a NULL) is an empty optional, never a default that looks like an
// answer. A ProbeOutcome is the newest word on a server, answered or not: it keeps the last
// observation with the time it was seen, so that staleness is part of the value. Both are
// immutable once published and are shared by pointer between threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/mysql/model/dialect.hpp"
#include "engines/mysql/model/error_number.hpp"
#include "engines/mysql/model/gtid_set.hpp"
#include "engines/mysql/model/uuid.hpp"
#include "engines/mysql/model/version.hpp"
#include "runtime/model/time.hpp"

namespace troupe::mysql {

// Names a running server: for a Pod its uid and the start of its database container, so that a
// restarted server is another endpoint and old observations never speak for it.
struct EndpointId {
  std::string value;
  auto operator<=>(const EndpointId&) const = default;
};

enum class WaitPoint : std::uint8_t { AfterSync, AfterCommit };

// The side of semi-sync that waits. Empty optionals: the plugin is not installed.
struct SemiSyncSource {
  SemiSyncNames names = SemiSyncNames::None;
  std::optional<bool> enabled;
  std::optional<std::uint64_t> timeout_ms;
  std::optional<std::uint64_t> wait_for_replica_count;
  std::optional<bool> wait_no_replica;
  std::optional<WaitPoint> wait_point;
  // Status: `active` is false while the source has fallen back to asynchronous.
  std::optional<bool> active;
  std::optional<std::uint64_t> clients;
  std::optional<std::uint64_t> wait_sessions;
  std::optional<std::uint64_t> yes_tx;
  std::optional<std::uint64_t> no_tx;

  bool installed() const { return names != SemiSyncNames::None; }
};

// The side of semi-sync that acknowledges.
struct SemiSyncReplica {
  SemiSyncNames names = SemiSyncNames::None;
  std::optional<bool> enabled;
  std::optional<bool> active;

  bool installed() const { return names != SemiSyncNames::None; }
};

enum class ThreadState : std::uint8_t { Off, Connecting, On };

struct ThreadError {
  unsigned number = 0;  // 0: none
  std::string text;     // sanitized
};

// One row of SHOW REPLICA STATUS, that of the channel "".
struct ReplicaStatus {
  std::string source_host;
  std::uint16_t source_port = 0;
  std::string source_user;
  std::optional<Uuid> source_uuid;  // empty until it has connected once
  ThreadState io = ThreadState::Off;
  ThreadState sql = ThreadState::Off;
  ThreadError io_error;
  ThreadError sql_error;
  bool auto_position = false;
  GtidSet retrieved;                            // Retrieved_Gtid_Set: emptied by RESET and CHANGE
  std::optional<std::uint64_t> seconds_behind;  // NULL while a thread is stopped
  // Both computed by the replica on its own clock, so that no two clocks are ever compared. The
  // older heartbeats and transactions are, the longer the replica has not heard from its source.
  std::optional<Duration> heartbeat_age;
  std::optional<Duration> last_queued_age;
};

// A replica that this server, as a source, has attached: one row of SHOW REPLICAS.
struct AttachedReplica {
  std::uint32_t server_id = 0;
  std::optional<Uuid> server_uuid;
  std::string host;  // report_host, empty unless set there
  std::uint16_t port = 0;
};

// What a member of a group is, in the words of performance_schema.replication_group_members.
enum class GroupState : std::uint8_t { Offline, Recovering, Online, Error, Unreachable };

// A member of the group as another one sees it.
struct GroupPeer {
  std::optional<Uuid> server_uuid;
  std::string host;  // report_host
  std::uint16_t port = 0;
  GroupState state = GroupState::Offline;
  bool primary = false;
};

// What a server with the plugin says of its group. Only one that is Online itself and sees a
// majority of `peers` Online or Recovering is to be believed: one that was cut off says Online of
// itself all the same.
struct GroupStatus {
  std::string group_name;                  // by its settings, in or out of the group
  std::string view_id;                     // "PREFIX:NUMBER"; empty in no group
  GroupState state = GroupState::Offline;  // its own
  std::vector<GroupPeer> peers;            // itself included; of one that is Offline, itself alone
  std::uint64_t queued = 0;                // transactions that it has yet to certify or apply
  GtidSet received;                        // from the group; may hold what is not applied yet
};

enum class CloneState : std::uint8_t { NotStarted, InProgress, Completed, Failed };

struct CloneStatus {
  CloneState state = CloneState::NotStarted;
  ThreadError error;
};

// Settings on which the promise rests that an acknowledged write is never lost.
struct DurabilitySettings {
  std::optional<std::uint64_t> sync_binlog;
  std::optional<std::uint64_t> innodb_flush_log_at_trx_commit;
  std::optional<std::uint64_t> sync_relay_log;
  std::optional<bool> relay_log_recovery;
  std::optional<bool> replica_preserve_commit_order;
  std::optional<bool> replication_sender_observe_commit_only;
  std::optional<bool> log_replica_updates;
  std::optional<bool> skip_replica_start;
  std::optional<bool> gtid_mode;  // ON, and none of the steps on the way there
};

struct MemberObservation {
  EndpointId endpoint;
  // What it says was true at some instant from `seen`, when the server was asked, until it had
  // answered. So one observation is later than another if its server was asked after the other's
  // had answered; and a change is in it for sure if it was made before `seen`.
  TimePoint seen;
  Duration took{};
  TimePoint answered() const { return seen + took; }

  Uuid server_uuid{};
  std::uint32_t server_id = 0;
  std::string version_text;
  Version version;
  DialectId dialect = DialectId::Unsupported;
  Duration uptime{};

  GtidSet gtid_executed;
  GtidSet gtid_purged;
  bool read_only = false;
  bool super_read_only = false;
  bool offline_mode = false;
  std::string report_host;

  SemiSyncSource semi_sync_source;
  SemiSyncReplica semi_sync_replica;
  std::optional<ReplicaStatus> replica;  // empty: not a replica
  std::size_t other_channels = 0;        // replication channels beside ""
  std::optional<GroupStatus> group;      // empty: the plugin is not there
  std::vector<AttachedReplica> attached;
  std::optional<CloneStatus> clone;  // empty: never cloned, or no clone plugin
  DurabilitySettings durability;
  std::vector<std::string> plugins;  // active ones that Troupe cares for, sorted
  // By this and the observations before it, see remember():
  // Since when commits have waited for acknowledgements and none has got its own; empty: none
  // waits, or they get on.
  std::optional<TimePoint> stalled_since;
  // When this server, by its server_uuid, had answered for the first time.
  TimePoint known_since;

  // Everything that is safe here or will become so: received united with executed. The position by
  // which candidates are compared.
  GtidSet position() const;
};

struct ProbeOutcome {
  EndpointId endpoint;
  Reachability reachability = Reachability::Unknown;
  unsigned error_number = 0;
  std::string message;  // sanitized
  TimePoint tried;      // when the newest probe ended
  TimePoint since;      // since when `reachability` has been what it is, see found()
  TimePoint seen;       // when it last had answered everything; TimePoint{}: never
  std::shared_ptr<const MemberObservation> observation;  // the last one; null: never

  bool ok() const { return reachability == Reachability::Ok; }
  // What was found by a probe; who says nothing has said nothing since it was asked.
  void found(Reachability what, TimePoint asked, TimePoint ended);
};

// Fills in what `now` says by itself and by `before`, the observation before it at the same
// endpoint; null: there was none.
void remember(const MemberObservation* before, MemberObservation& now);

std::string_view to_string(ThreadState state);
std::string_view to_string(WaitPoint point);
std::string_view to_string(CloneState state);
std::string_view to_string(GroupState state);  // "ONLINE"

}  // namespace troupe::mysql
