// Observations, commands and answers of agents, described for journals
// (runtime/model/described.hpp).
#pragma once

#include <boost/describe.hpp>

#include "engines/agent/model/authority.hpp"
#include "engines/agent/model/command.hpp"
#include "engines/agent/model/endpoint.hpp"
#include "engines/agent/model/observation.hpp"

namespace troupe::agent {

BOOST_DESCRIBE_ENUM(AuthorityStep, Describe, Introduce, Sign, Retire)
BOOST_DESCRIBE_ENUM(StreamState, Connecting, Connected, Lost, Refused, TlsFailed)
BOOST_DESCRIBE_ENUM(ProcessState, Stopped, Starting, Running, Backoff, Stopping, Exited, Fatal,
                    Unknown)
BOOST_DESCRIBE_ENUM(DataState, Unknown, Empty, Initialised, ClonePartial, Foreign)
BOOST_DESCRIBE_ENUM(GrantSet, Admin, Probe, Monitor, Replication, CloneDonor, Backup, Provision,
                    GroupMember)

BOOST_DESCRIBE_STRUCT(Epoch, (), (value))
BOOST_DESCRIBE_STRUCT(Endpoint, (), (id, unit, ip, port, server_name))
BOOST_DESCRIBE_STRUCT(ProcessStatus, (),
                      (state, pid, started, exit_code, exit_signal, restarts, dying, paused,
                       terminating, supervisor_connected))
BOOST_DESCRIBE_STRUCT(ConfigStatus, (), (hash, error, overridden, restart_needed))
BOOST_DESCRIBE_STRUCT(CertificateStatus, (), (trusted, shown, error))
BOOST_DESCRIBE_STRUCT(OperationProgress, (), (id, kind, stage, progress, started))
BOOST_DESCRIBE_STRUCT(OperationOutcome, (), (id, kind, failed, message, finished))
BOOST_DESCRIBE_STRUCT(FencedStatus, (), (since, reason))
BOOST_DESCRIBE_STRUCT(AgentObservation, (),
                      (stream, since, seen, stream_error, agent_version, boot_id, container_id,
                       process, data, config, certificates, highest_epoch, server_uuid,
                       disk_free_bytes, disk_total_bytes, data_bytes, operation, last_operation,
                       fenced))

BOOST_DESCRIBE_STRUCT(ValuesDocument, (), (name, text))
BOOST_DESCRIBE_STRUCT(Account, (), (user, host, password, grants))
BOOST_DESCRIBE_STRUCT(ReplicationSource, (),
                      (host, port, admin_port, user, password, tls, ca_pem, own_authorities))

BOOST_DESCRIBE_STRUCT(Render, (), (template_text, values, labels, annotations, target_path))
BOOST_DESCRIBE_STRUCT(StopProcess, (), (grace))
BOOST_DESCRIBE_STRUCT(EnsureAccounts, (), (accounts))
BOOST_DESCRIBE_STRUCT(Drain, (), (until))
BOOST_DESCRIBE_STRUCT(Promote, (), (acks, semi_sync))
BOOST_DESCRIBE_STRUCT(OpenForWrites, (), (acks, semi_sync))
BOOST_DESCRIBE_STRUCT(Follow, (), (source, semi_sync, source_purged, serve_reads))
BOOST_DESCRIBE_STRUCT(Close, (), (kill_if_blocked, grace))
BOOST_DESCRIBE_STRUCT(SaveTransactions, (), (gtid_set))
BOOST_DESCRIBE_STRUCT(Clone, (),
                      (donor_host, donor_port, donor_user, donor_password, replace_data,
                       needed_bytes))
BOOST_DESCRIBE_STRUCT(StartGroup, (),
                      (group_name, local_address, members, user, password, own_authorities,
                       bootstrap))
BOOST_DESCRIBE_STRUCT(SetGroupPrimary, (), (running_limit))
BOOST_DESCRIBE_STRUCT(InspectSource, (), (source))

BOOST_DESCRIBE_STRUCT(Rendered, (), (hash, changed, overridden))
BOOST_DESCRIBE_STRUCT(Initialised, (), (created))
BOOST_DESCRIBE_STRUCT(AccountsEnsured, (), (changed))
BOOST_DESCRIBE_STRUCT(ReceiverStopped, (), (server_uuid, received, executed))
BOOST_DESCRIBE_STRUCT(Drained, (), (executed))
BOOST_DESCRIBE_STRUCT(Promoted, (), (server_uuid, executed))
BOOST_DESCRIBE_STRUCT(Opened, (), (server_uuid, executed, semi_sync_clients))
BOOST_DESCRIBE_STRUCT(Following, (), (server_uuid, executed))
BOOST_DESCRIBE_STRUCT(Closed, (), (killed, server_uuid, executed))
BOOST_DESCRIBE_STRUCT(TransactionsSaved, (), (path, count, bytes))
BOOST_DESCRIBE_STRUCT(Cloned, (), (server_uuid, executed))
BOOST_DESCRIBE_STRUCT(GroupStarted, (), (server_uuid, executed))
BOOST_DESCRIBE_STRUCT(GroupStopped, (), (server_uuid, received, executed))
BOOST_DESCRIBE_STRUCT(GroupPrimarySet, (), (server_uuid, executed))
BOOST_DESCRIBE_STRUCT(SourceInspected, (), (server_uuid, version, executed, purged, by_gtids))
BOOST_DESCRIBE_STRUCT(Reply, (), (answer, message))

}  // namespace troupe::agent
