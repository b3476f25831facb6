#include "actors/mysql_topology/decide.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_topology/steps.hpp"

namespace troupe::mysql_topology {
namespace {

// Time alone turns evidence: what was seen gets stale, a silence gets long.
void wake_for_evidence(const Topology& t, TimePoint now, Plan& plan) {
  for (const auto* m : t.voters()) {
    if (!m->probe) continue;
    const auto turns = m->probe->ok() ? m->probe->seen + kStale + std::chrono::milliseconds(1)
                                      : m->probe->since + t.failover.grace;
    if (turns > now) plan.wake_at(turns);
  }
}

}  // namespace

Plan decide(const Topology& t, TimePoint now) {
  Plan plan;
  if (t.record.operation) {
    switch (t.record.operation->type) {
      case OperationType::Form:
        install(t, now, plan);
        break;
      case OperationType::Failover:
        resume_failover(t, now, plan);
        break;
      case OperationType::Switchover:
        resume_switchover(t, now, plan);
        break;
      case OperationType::Rebuild:
        resume_rebuild(t, now, plan);
        break;
    }
  } else if (t.record.current.empty()) {
    discover(t, now, plan);
  } else {
    keep(t, now, plan);
  }
  wake_for_evidence(t, now, plan);
  // What is written down comes first; the step it announces is taken when it is seen to be there.
  if (plan.record) plan.commands.clear();
  return plan;
}

PersistedRecord finished(const Topology& t, std::string text, bool undone) {
  PersistedRecord r = t.record;
  const auto& op = *t.record.operation;
  r.last = Finished{op.type, op.from,         op.candidate, r.epoch,
                    undone,  std::move(text), op.started,   t.wall};
  r.operation.reset();
  return r;
}

std::optional<std::string> unusable(const Member& m, TimePoint now) {
  if (!m.ours)
    return fmt::format(
        "there is no Unit {}: make it, or name another (servers that are no Units are "
        "not served yet)",
        m.name);
  if (!m.pod_exists) return fmt::format("{} has no Pod", m.name);
  if (!m.agent) return fmt::format("nothing is known of {}'s agent yet", m.name);
  if (!m.agent_connected())
    return fmt::format("{}: its agent is {} for {}", m.name, agent::to_string(m.agent->stream),
                       to_text(now - m.agent->since));
  if (!m.process_running())
    return fmt::format("{}: its server process is {}", m.name,
                       agent::to_string(m.agent->process.state));
  if (!m.probe) return fmt::format("{} has not been probed yet", m.name);
  if (!m.answers(now))
    return fmt::format("{}: {} for {}{}{}", m.name, mysql::to_string(m.probe->reachability),
                       to_text(now - m.probe->since), m.probe->message.empty() ? "" : ": ",
                       m.probe->message);
  return std::nullopt;
}

bool replicates_from(const Member& m, const Member& source) {
  const auto* s = m.server();
  if (!s || !s->replica) return false;
  const auto& r = *s->replica;
  return r.source_host == source.host && r.source_port == source.port &&
         r.io == mysql::ThreadState::On && r.sql == mysql::ThreadState::On;
}

bool is_connecting(const Member& m, const Member& source) {
  const auto* s = m.server();
  return s && s->replica && s->replica->source_host == source.host &&
         s->replica->source_port == source.port &&
         s->replica->io == mysql::ThreadState::Connecting &&
         s->replica->sql == mysql::ThreadState::On && s->super_read_only;
}

bool make_source(const Topology& t, const Member& m, Plan& plan) {
  const auto epoch = t.record.epoch;
  const auto* promoted = m.outcome(Verb::Promote, epoch);
  const auto* opened = m.outcome(Verb::Open, epoch);
  if (opened && promoted && opened->at < promoted->at) opened = nullptr;  // of an earlier attempt
  if (opened && opened->ok) return true;
  // What could not be opened is promoted again: its server may have been restarted since.
  const bool prepared = promoted && promoted->ok && !opened;
  plan.commands.push_back({.member = m.name,
                           .verb = prepared ? Verb::Open : Verb::Promote,
                           .epoch = epoch,
                           .acks = t.acks(),
                           .semi_sync = t.semi_sync()});
  return false;
}

bool close_stray(const Topology& t, const Member& m, Plan& plan) {
  const auto* s = m.server();
  if (!s || !m.process_running()) return false;
  if (s->super_read_only && s->semi_sync_source.wait_sessions.value_or(0) == 0) return false;
  plan.roles[m.name] = Role::None;
  if (m.changed_since_probe() && m.done(Verb::Close, t.record.epoch)) {
    plan.probe.push_back(m.name);
    return true;
  }
  plan.hold("ReplicaWritable",
            fmt::format("{} {} and is not the source; it is being closed", m.name,
                        s->super_read_only ? "has commits that wait for acknowledgements"
                                           : "can be written to"),
            s->seen);
  plan.commands.push_back(
      {.member = m.name, .verb = Verb::Close, .epoch = t.record.epoch, .kill_if_blocked = true});
  return true;
}

void report_lost(PersistedRecord& record, Lost lost) {
  std::erase_if(record.lost,
                [&lost](const Lost& l) { return l.member == lost.member && l.saved_to.empty(); });
  record.lost.push_back(std::move(lost));
  if (record.lost.size() > kMaxLost) record.lost.erase(record.lost.begin());
}

void ensure_accounts(const Topology& t, Epoch epoch, Plan& plan) {
  for (const auto& m : t.members) {
    if (!m.process_running() || !m.probe ||
        m.probe->reachability != mysql::Reachability::AuthFailed)
      continue;
    const auto* before = m.outcome(Verb::EnsureAccounts, epoch);
    if (before && before->ok && before->at > m.probe->tried) {
      plan.probe.push_back(m.name);
    } else if (before && before->ok) {
      plan.hold("CredentialsRefused",
                fmt::format("{} has the accounts and still refuses the password in the Secret; "
                            "make the Secret hold the password that the server knows",
                            m.name),
                m.probe->since);
    } else {
      plan.commands.push_back({.member = m.name, .verb = Verb::EnsureAccounts, .epoch = epoch});
    }
  }
}

void follow(const Topology& t, const Member& replica, const Member& source, Plan& plan) {
  if (replica.changed_since_probe() && replica.done(Verb::Follow, t.record.epoch, source.name)) {
    plan.probe.push_back(replica.name);
    return;
  }
  Command c{.member = replica.name, .verb = Verb::Follow, .epoch = t.record.epoch};
  c.peer = source.name;
  c.semi_sync = t.semi_sync();
  if (const auto* s = source.server()) c.gtids = s->gtid_purged;
  // What the source has purged may lie in the relay log still, where following would not find it.
  const auto* r = replica.server();
  if (r && !r->gtid_executed.contains(c.gtids) && replica.position().contains(c.gtids)) {
    c.verb = Verb::Drain;
    c.peer.clear();
  }
  plan.commands.push_back(std::move(c));
}

}  // namespace troupe::mysql_topology
