// What probes learn, described for journals (runtime/model/described.hpp).
#pragma once

#include <boost/describe.hpp>

#include "engines/mysql/model/observation.hpp"
#include "runtime/model/described.hpp"

namespace troupe {

template <>
struct TextForm<mysql::Uuid> {
  static std::string write(const mysql::Uuid& uuid) { return mysql::to_string(uuid); }
  static Result<mysql::Uuid> read(std::string_view text) {
    if (const auto uuid = mysql::parse_uuid(text)) return *uuid;
    return error(Code::Invalid, "expected a UUID");
  }
};

template <>
struct TextForm<mysql::GtidSet> {
  static std::string write(const mysql::GtidSet& set) { return set.to_string(); }
  static Result<mysql::GtidSet> read(std::string_view text) { return mysql::GtidSet::parse(text); }
};

}  // namespace troupe

namespace troupe::mysql {

BOOST_DESCRIBE_ENUM(WaitPoint, AfterSync, AfterCommit)
BOOST_DESCRIBE_ENUM(ThreadState, Off, Connecting, On)
BOOST_DESCRIBE_ENUM(CloneState, NotStarted, InProgress, Completed, Failed)
BOOST_DESCRIBE_ENUM(SemiSyncNames, None, Old, New)
BOOST_DESCRIBE_ENUM(DialectId, Unsupported, From5_7, From8_0_22, From8_0_23, From8_0_26, From8_2)
BOOST_DESCRIBE_ENUM(Reachability, Unknown, Ok, Refused, Reset, Timeout, Unreachable, AuthFailed,
                    TlsFailed, Overloaded, ShuttingDown, Offline, Unsupported, Failed)

BOOST_DESCRIBE_STRUCT(EndpointId, (), (value))
BOOST_DESCRIBE_STRUCT(Version, (), (major, minor, patch))
BOOST_DESCRIBE_STRUCT(SemiSyncSource, (),
                      (names, enabled, timeout_ms, wait_for_replica_count, wait_no_replica,
                       wait_point, active, clients, wait_sessions, yes_tx, no_tx))
BOOST_DESCRIBE_STRUCT(SemiSyncReplica, (), (names, enabled, active))
BOOST_DESCRIBE_STRUCT(ThreadError, (), (number, text))
BOOST_DESCRIBE_STRUCT(ReplicaStatus, (),
                      (source_host, source_port, source_user, source_uuid, io, sql, io_error,
                       sql_error, auto_position, retrieved, seconds_behind, heartbeat_age,
                       last_queued_age))
BOOST_DESCRIBE_STRUCT(AttachedReplica, (), (server_id, server_uuid, host, port))
BOOST_DESCRIBE_ENUM(GroupState, Offline, Recovering, Online, Error, Unreachable)
BOOST_DESCRIBE_STRUCT(GroupPeer, (), (server_uuid, host, port, state, primary))
BOOST_DESCRIBE_STRUCT(GroupStatus, (), (group_name, view_id, state, peers, queued, received))
BOOST_DESCRIBE_STRUCT(CloneStatus, (), (state, error))
BOOST_DESCRIBE_STRUCT(DurabilitySettings, (),
                      (sync_binlog, innodb_flush_log_at_trx_commit, sync_relay_log,
                       relay_log_recovery, replica_preserve_commit_order,
                       replication_sender_observe_commit_only, log_replica_updates,
                       skip_replica_start, gtid_mode))
BOOST_DESCRIBE_STRUCT(MemberObservation, (),
                      (endpoint, seen, took, server_uuid, server_id, version_text, version, dialect,
                       uptime, gtid_executed, gtid_purged, read_only, super_read_only, offline_mode,
                       report_host, semi_sync_source, semi_sync_replica, replica, other_channels,
                       group, attached, clone, durability, plugins, stalled_since, known_since))
BOOST_DESCRIBE_STRUCT(ProbeOutcome, (),
                      (endpoint, reachability, error_number, message, tried, since, seen,
                       observation))

}  // namespace troupe::mysql
