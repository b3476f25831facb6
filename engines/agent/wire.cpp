#include "engines/agent/wire.hpp"

#include <array>

namespace troupe::agent::wire {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::array kCodes{Code::Retry,    Code::Timeout, Code::Conflict,
                            Code::NotFound, Code::Exists,  Code::Denied,
                            Code::Invalid,  Code::Stale,   Code::Fatal};

std::int64_t microseconds_of(const std::optional<WallTime>& time) {
  return time ? time->time_since_epoch().count() : 0;
}
std::optional<WallTime> wall_of(std::int64_t microseconds) {
  if (microseconds == 0) return std::nullopt;
  return WallTime(std::chrono::microseconds(microseconds));
}

// --- actions: values to wire. Those without content have nothing to copy.

template <class Action, class Request>
void write(const Action&, Request&) {}

void write(const Render& in, pb::RenderRequest& out) {
  out.set_template_text(in.template_text);
  for (const auto& document : in.values) {
    auto& entry = *out.add_values();
    entry.set_name(document.name);
    entry.set_text(document.text);
  }
  out.mutable_labels()->insert(in.labels.begin(), in.labels.end());
  out.mutable_annotations()->insert(in.annotations.begin(), in.annotations.end());
  out.set_target_path(in.target_path);
}
void write(const StopProcess& in, pb::StopProcessRequest& out) {
  out.set_grace_ms(duration_cast<milliseconds>(in.grace).count());
}
void write(const EnsureAccounts& in, pb::EnsureAccountsRequest& out) {
  for (const auto& account : in.accounts) {
    auto& entry = *out.add_accounts();
    entry.set_user(account.user);
    entry.set_host(account.host);
    entry.set_password(std::string(account.password.reveal()));
    for (const auto set : account.grants) {
      entry.add_grants(static_cast<pb::GrantSet>(static_cast<int>(set) + 1));
    }
  }
}
void write(const Drain& in, pb::DrainRequest& out) { out.set_until(in.until); }
void write(const Promote& in, pb::PromoteRequest& out) {
  out.set_acks(in.acks);
  out.set_semi_sync(in.semi_sync);
}
void write(const OpenForWrites& in, pb::OpenForWritesRequest& out) {
  out.set_acks(in.acks);
  out.set_semi_sync(in.semi_sync);
}
void write(const ReplicationSource& in, pb::ReplicationSource& out) {
  out.set_host(in.host);
  out.set_port(in.port);
  out.set_user(in.user);
  out.set_password(std::string(in.password.reveal()));
  out.set_tls(in.tls);
  out.set_ca_pem(in.ca_pem);
  out.set_own_authorities(in.own_authorities);
  out.set_admin_port(in.admin_port);
}
void write(const Follow& in, pb::FollowRequest& out) {
  write(in.source, *out.mutable_source());
  out.set_semi_sync(in.semi_sync);
  out.set_source_purged(in.source_purged);
  out.set_serve_reads(in.serve_reads);
}
void write(const Close& in, pb::CloseRequest& out) {
  out.set_kill_if_blocked(in.kill_if_blocked);
  out.set_grace_ms(duration_cast<milliseconds>(in.grace).count());
}
void write(const SaveTransactions& in, pb::SaveTransactionsRequest& out) {
  out.set_gtid_set(in.gtid_set);
}
void write(const Clone& in, pb::CloneRequest& out) {
  out.set_donor_host(in.donor_host);
  out.set_donor_port(in.donor_port);
  out.set_donor_user(in.donor_user);
  out.set_donor_password(std::string(in.donor_password.reveal()));
  out.set_replace_data(in.replace_data);
  out.set_needed_bytes(in.needed_bytes);
}
void write(const StartGroup& in, pb::StartGroupRequest& out) {
  out.set_group_name(in.group_name);
  out.set_local_address(in.local_address);
  out.mutable_members()->Assign(in.members.begin(), in.members.end());
  out.set_user(in.user);
  out.set_password(std::string(in.password.reveal()));
  out.set_own_authorities(in.own_authorities);
  out.set_bootstrap(in.bootstrap);
}
void write(const SetGroupPrimary& in, pb::SetGroupPrimaryRequest& out) {
  out.set_running_limit_ms(duration_cast<milliseconds>(in.running_limit).count());
}
void write(const InspectSource& in, pb::InspectSourceRequest& out) {
  write(in.source, *out.mutable_source());
}

// --- actions: wire to values

template <class Action, class Request>
void read(const Request&, Action&) {}

void read(const pb::RenderRequest& in, Render& out) {
  out.template_text = in.template_text();
  for (const auto& document : in.values()) out.values.push_back({document.name(), document.text()});
  out.labels.insert(in.labels().begin(), in.labels().end());
  out.annotations.insert(in.annotations().begin(), in.annotations().end());
  out.target_path = in.target_path();
}
void read(const pb::StopProcessRequest& in, StopProcess& out) {
  if (in.grace_ms() > 0) out.grace = milliseconds(in.grace_ms());
}
void read(const pb::EnsureAccountsRequest& in, EnsureAccounts& out) {
  for (const auto& entry : in.accounts()) {
    Account account{
        .user = entry.user(), .host = entry.host(), .password = Secret(entry.password())};
    for (const auto set : entry.grants()) {
      if (set >= pb::GRANT_ADMIN && set <= pb::GRANT_GROUP_MEMBER) {
        account.grants.push_back(static_cast<GrantSet>(set - 1));
      }
    }
    out.accounts.push_back(std::move(account));
  }
}
void read(const pb::DrainRequest& in, Drain& out) { out.until = in.until(); }
void read(const pb::PromoteRequest& in, Promote& out) { out = {in.acks(), in.semi_sync()}; }
void read(const pb::OpenForWritesRequest& in, OpenForWrites& out) {
  out = {in.acks(), in.semi_sync()};
}
ReplicationSource source_of(const pb::ReplicationSource& in) {
  return {.host = in.host(),
          .port = static_cast<std::uint16_t>(in.port()),
          .admin_port = static_cast<std::uint16_t>(in.admin_port()),
          .user = in.user(),
          .password = Secret(in.password()),
          .tls = in.tls(),
          .ca_pem = in.ca_pem(),
          .own_authorities = in.own_authorities()};
}
void read(const pb::FollowRequest& in, Follow& out) {
  out.source = source_of(in.source());
  out.semi_sync = in.semi_sync();
  out.source_purged = in.source_purged();
  out.serve_reads = in.serve_reads();
}
void read(const pb::CloseRequest& in, Close& out) {
  out.kill_if_blocked = in.kill_if_blocked();
  if (in.grace_ms() > 0) out.grace = milliseconds(in.grace_ms());
}
void read(const pb::SaveTransactionsRequest& in, SaveTransactions& out) {
  out.gtid_set = in.gtid_set();
}
void read(const pb::CloneRequest& in, Clone& out) {
  out.donor_host = in.donor_host();
  out.donor_port = static_cast<std::uint16_t>(in.donor_port());
  out.donor_user = in.donor_user();
  out.donor_password = Secret(in.donor_password());
  out.replace_data = in.replace_data();
  out.needed_bytes = in.needed_bytes();
}
void read(const pb::StartGroupRequest& in, StartGroup& out) {
  out.group_name = in.group_name();
  out.local_address = in.local_address();
  out.members.assign(in.members().begin(), in.members().end());
  out.user = in.user();
  out.password = Secret(in.password());
  out.own_authorities = in.own_authorities();
  out.bootstrap = in.bootstrap();
}
void read(const pb::SetGroupPrimaryRequest& in, SetGroupPrimary& out) {
  if (in.running_limit_ms() > 0) out.running_limit = milliseconds(in.running_limit_ms());
}
void read(const pb::InspectSourceRequest& in, InspectSource& out) {
  out.source = source_of(in.source());
}

// --- answers

void write(const Done&, pb::Acknowledgement&) {}
void write(const Rendered& in, pb::RenderReply& out) {
  out.set_hash(in.hash);
  out.set_changed(in.changed);
  out.mutable_overridden()->Assign(in.overridden.begin(), in.overridden.end());
}
void write(const Initialised& in, pb::EnsureInitialisedReply& out) { out.set_created(in.created); }
void write(const AccountsEnsured& in, pb::EnsureAccountsReply& out) {
  out.mutable_changed()->Assign(in.changed.begin(), in.changed.end());
}
void write(const ReceiverStopped& in, pb::StopReceiverReply& out) {
  out.set_server_uuid(in.server_uuid);
  out.set_received(in.received);
  out.set_executed(in.executed);
}
void write(const Drained& in, pb::DrainReply& out) { out.set_executed(in.executed); }
void write(const Opened& in, pb::OpenForWritesReply& out) {
  out.set_server_uuid(in.server_uuid);
  out.set_executed(in.executed);
  out.set_semi_sync_clients(in.semi_sync_clients);
}
void write(const Closed& in, pb::CloseReply& out) {
  out.set_killed(in.killed);
  out.set_server_uuid(in.server_uuid);
  out.set_executed(in.executed);
}
void write(const TransactionsSaved& in, pb::SaveTransactionsReply& out) {
  out.set_path(in.path);
  out.set_count(in.count);
  out.set_bytes(in.bytes);
}
template <class Identified, class Out>
void write_identified(const Identified& in, Out& out) {
  out.set_server_uuid(in.server_uuid);
  out.set_executed(in.executed);
}
void write(const Promoted& in, pb::PromoteReply& out) { write_identified(in, out); }
void write(const Following& in, pb::FollowReply& out) { write_identified(in, out); }
void write(const Cloned& in, pb::CloneReply& out) { write_identified(in, out); }
void write(const GroupStarted& in, pb::StartGroupReply& out) { write_identified(in, out); }
void write(const GroupStopped& in, pb::StopGroupReply& out) {
  write_identified(in, out);
  out.set_received(in.received);
}
void write(const GroupPrimarySet& in, pb::SetGroupPrimaryReply& out) { write_identified(in, out); }
void write(const SourceInspected& in, pb::InspectSourceReply& out) {
  write_identified(in, out);
  out.set_version(in.version);
  out.set_purged(in.purged);
  out.set_by_gtids(in.by_gtids);
}

Answer read(const pb::Acknowledgement&) { return Done{}; }
Answer read(const pb::RenderReply& in) {
  return Rendered{in.hash(), in.changed(), {in.overridden().begin(), in.overridden().end()}};
}
Answer read(const pb::EnsureInitialisedReply& in) { return Initialised{in.created()}; }
Answer read(const pb::EnsureAccountsReply& in) {
  return AccountsEnsured{{in.changed().begin(), in.changed().end()}};
}
Answer read(const pb::StopReceiverReply& in) {
  return ReceiverStopped{in.server_uuid(), in.received(), in.executed()};
}
Answer read(const pb::DrainReply& in) { return Drained{in.executed()}; }
Answer read(const pb::PromoteReply& in) { return Promoted{in.server_uuid(), in.executed()}; }
Answer read(const pb::OpenForWritesReply& in) {
  return Opened{in.server_uuid(), in.executed(), in.semi_sync_clients()};
}
Answer read(const pb::FollowReply& in) { return Following{in.server_uuid(), in.executed()}; }
Answer read(const pb::CloseReply& in) {
  return Closed{in.killed(), in.server_uuid(), in.executed()};
}
Answer read(const pb::SaveTransactionsReply& in) {
  return TransactionsSaved{in.path(), in.count(), in.bytes()};
}
Answer read(const pb::CloneReply& in) { return Cloned{in.server_uuid(), in.executed()}; }
Answer read(const pb::StartGroupReply& in) { return GroupStarted{in.server_uuid(), in.executed()}; }
Answer read(const pb::StopGroupReply& in) {
  return GroupStopped{in.server_uuid(), in.received(), in.executed()};
}
Answer read(const pb::SetGroupPrimaryReply& in) {
  return GroupPrimarySet{in.server_uuid(), in.executed()};
}
Answer read(const pb::InspectSourceReply& in) {
  return SourceInspected{in.server_uuid(), in.version(), in.executed(), in.purged(), in.by_gtids()};
}

// The answer that a command's reply carries; what an agent answers by mistake reads as nothing.
template <class Out>
struct WriteAnswer {
  Out& out;
  template <class T>
  void operator()(const T& in) const {
    if constexpr (requires { write(in, out); }) write(in, out);
  }
};

void write_process(const ProcessStatus& in, pb::Process& out) {
  out.set_state(static_cast<pb::ProcessState>(in.state));
  out.set_pid(in.pid);
  out.set_started_us(microseconds_of(in.started));
  if (in.exit_code) out.set_exit_code(*in.exit_code);
  if (in.exit_signal) out.set_exit_signal(*in.exit_signal);
  out.set_restarts(in.restarts);
  out.set_dying(in.dying);
  out.set_paused(in.paused);
  out.set_terminating(in.terminating);
  out.set_supervisor_connected(in.supervisor_connected);
}

ProcessStatus read_process(const pb::Process& in) {
  ProcessStatus out;
  if (pb::ProcessState_IsValid(in.state())) out.state = static_cast<ProcessState>(in.state());
  out.pid = in.pid();
  out.started = wall_of(in.started_us());
  if (in.has_exit_code()) out.exit_code = in.exit_code();
  if (in.has_exit_signal()) out.exit_signal = in.exit_signal();
  out.restarts = in.restarts();
  out.dying = in.dying();
  out.paused = in.paused();
  out.terminating = in.terminating();
  out.supervisor_connected = in.supervisor_connected();
  return out;
}

void write_operations(const AgentObservation& in, pb::State& out) {
  if (in.operation) {
    auto& operation = *out.mutable_operation();
    operation.set_id(in.operation->id);
    operation.set_kind(in.operation->kind);
    operation.set_stage(in.operation->stage);
    operation.set_progress(in.operation->progress);
    operation.set_started_us(microseconds_of(in.operation->started));
  }
  if (in.last_operation) {
    auto& outcome = *out.mutable_last_operation();
    outcome.set_id(in.last_operation->id);
    outcome.set_kind(in.last_operation->kind);
    if (in.last_operation->failed) {
      outcome.set_failed_code(std::string(to_string(*in.last_operation->failed)));
    }
    outcome.set_message(in.last_operation->message);
    outcome.set_finished_us(microseconds_of(in.last_operation->finished));
  }
}

void read_operations(const pb::State& in, AgentObservation& out) {
  out.operation.reset();
  if (in.has_operation()) {
    const auto& operation = in.operation();
    out.operation = OperationProgress{.id = operation.id(),
                                      .kind = operation.kind(),
                                      .stage = operation.stage(),
                                      .progress = operation.progress(),
                                      .started = wall_of(operation.started_us())};
  }
  out.last_operation.reset();
  if (in.has_last_operation()) {
    const auto& outcome = in.last_operation();
    out.last_operation = OperationOutcome{.id = outcome.id(),
                                          .kind = outcome.kind(),
                                          .message = outcome.message(),
                                          .finished = wall_of(outcome.finished_us())};
    if (!outcome.failed_code().empty()) {
      out.last_operation->failed = code_of(outcome.failed_code()).value_or(Code::Fatal);
    }
  }
}

}  // namespace

std::optional<Code> code_of(std::string_view text) {
  for (const auto code : kCodes) {
    if (to_string(code) == text) return code;
  }
  return std::nullopt;
}

template <class Action>
typename Rpc<Action>::Request request_of(const CommandHeader& header, const Action& action) {
  typename Rpc<Action>::Request request;
  auto& out = *request.mutable_header();
  out.set_unit(header.unit);
  out.set_request_id(header.request_id);
  out.set_epoch(header.epoch.value);
  write(action, request);
  return request;
}

template <class Action>
Command command_of(const typename Rpc<Action>::Request& request) {
  Action action;
  read(request, action);
  return Command{.header = {.unit = request.header().unit(),
                            .request_id = request.header().request_id(),
                            .epoch = Epoch{request.header().epoch()}},
                 .action = std::move(action)};
}

template <class Action>
typename Rpc<Action>::Reply reply_to_wire(const Reply& reply) {
  typename Rpc<Action>::Reply out;
  out.set_message(reply.message);
  std::visit(WriteAnswer<typename Rpc<Action>::Reply>{out}, reply.answer);
  return out;
}

template <class Action>
Reply reply_of(const typename Rpc<Action>::Reply& reply) {
  return Reply{read(reply), reply.message()};
}

#define TROUPE_WIRE_ACTION(A)                                             \
  template Rpc<A>::Request request_of<A>(const CommandHeader&, const A&); \
  template Command command_of<A>(const Rpc<A>::Request&);                 \
  template Rpc<A>::Reply reply_to_wire<A>(const Reply&);                  \
  template Reply reply_of<A>(const Rpc<A>::Reply&);
TROUPE_WIRE_ACTION(Render)
TROUPE_WIRE_ACTION(EnsureInitialised)
TROUPE_WIRE_ACTION(StartProcess)
TROUPE_WIRE_ACTION(StopProcess)
TROUPE_WIRE_ACTION(KillProcess)
TROUPE_WIRE_ACTION(EnsureAccounts)
TROUPE_WIRE_ACTION(StopReceiver)
TROUPE_WIRE_ACTION(Drain)
TROUPE_WIRE_ACTION(Promote)
TROUPE_WIRE_ACTION(OpenForWrites)
TROUPE_WIRE_ACTION(Follow)
TROUPE_WIRE_ACTION(Close)
TROUPE_WIRE_ACTION(SaveTransactions)
TROUPE_WIRE_ACTION(Clone)
TROUPE_WIRE_ACTION(ResetBinlogs)
TROUPE_WIRE_ACTION(StartGroup)
TROUPE_WIRE_ACTION(StopGroup)
TROUPE_WIRE_ACTION(SetGroupPrimary)
TROUPE_WIRE_ACTION(InspectSource)
#undef TROUPE_WIRE_ACTION

pb::State state_to_wire(std::uint64_t sequence, const AgentObservation& in) {
  pb::State out;
  out.set_sequence(sequence);
  out.set_agent_version(in.agent_version);
  out.set_boot_id(in.boot_id);
  out.set_container_id(in.container_id);
  write_process(in.process, *out.mutable_process());
  out.set_data(static_cast<pb::DataState>(in.data));
  auto& config = *out.mutable_config();
  config.set_hash(in.config.hash);
  config.set_error(in.config.error);
  config.mutable_overridden()->Assign(in.config.overridden.begin(), in.config.overridden.end());
  config.set_restart_needed(in.config.restart_needed);
  auto& certificates = *out.mutable_certificates();
  certificates.set_trusted(in.certificates.trusted);
  certificates.set_shown(in.certificates.shown);
  certificates.set_error(in.certificates.error);
  out.set_highest_epoch(in.highest_epoch.value);
  out.set_server_uuid(in.server_uuid);
  out.set_disk_free_bytes(in.disk_free_bytes);
  out.set_disk_total_bytes(in.disk_total_bytes);
  out.set_data_bytes(in.data_bytes);
  if (in.fenced) {
    out.mutable_fenced()->set_since_us(microseconds_of(in.fenced->since));
    out.mutable_fenced()->set_reason(in.fenced->reason);
  }
  write_operations(in, out);
  return out;
}

void read_state(const pb::State& in, AgentObservation& out) {
  out.agent_version = in.agent_version();
  out.boot_id = in.boot_id();
  out.container_id = in.container_id();
  out.process = read_process(in.process());
  out.data =
      pb::DataState_IsValid(in.data()) ? static_cast<DataState>(in.data()) : DataState::Unknown;
  out.config = {.hash = in.config().hash(),
                .error = in.config().error(),
                .overridden = {in.config().overridden().begin(), in.config().overridden().end()},
                .restart_needed = in.config().restart_needed()};
  out.certificates = {.trusted = in.certificates().trusted(),
                      .shown = in.certificates().shown(),
                      .error = in.certificates().error()};
  out.highest_epoch = Epoch{in.highest_epoch()};
  out.server_uuid = in.server_uuid();
  out.disk_free_bytes = in.disk_free_bytes();
  out.disk_total_bytes = in.disk_total_bytes();
  out.data_bytes = in.data_bytes();
  out.fenced.reset();
  if (in.has_fenced()) out.fenced = {wall_of(in.fenced().since_us()), in.fenced().reason()};
  read_operations(in, out);
}

}  // namespace troupe::agent::wire
