#include "actors/mysql_topology/decide.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_topology/steps.hpp"
#include "engines/mysql/model/durability.hpp"
#include "engines/mysql/model/quorum.hpp"

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

// An agent that was told a higher epoch than is on record (the status was restored from a backup,
// or the member comes from another replication) would refuse everything for ever. An operation in
// flight keeps its step: what was answered under the old epoch does not count any more, as after a
// restart of the operator, and the step is taken again.
void raise_epoch(const Topology& t, PersistedRecord& record, std::vector<Note>& notes) {
  if (record.current.empty()) return;  // discovery takes a higher one anyway
  const Member* highest = nullptr;
  for (const auto& m : t.members) {
    if (!m.ours || !m.agent_connected() || m.agent->highest_epoch >= kMaxEpoch) continue;
    if (!highest || m.agent->highest_epoch > highest->agent->highest_epoch) highest = &m;
  }
  if (!highest || highest->agent->highest_epoch <= record.epoch) return;
  const auto seen = highest->agent->highest_epoch.value;
  const auto text = fmt::format("{} has seen epoch {}, {} is on record: {} is the next",
                                highest->name, seen, record.epoch.value, seen + 1);
  record.epoch = Epoch{seen + 1};
  notes.push_back({false, "EpochRaised", text});
}

// Where it is by the specification of now; nullopt: nobody says.
std::optional<std::string> address_of(const Topology& t, std::string_view peer) {
  if (peer == kOutside)
    return t.external && t.external->problem.empty() ? std::optional(t.external->address())
                                                     : std::nullopt;
  const auto* m = t.find(peer);
  return m && !m->former ? std::optional(m->address()) : std::nullopt;
}

// The source was moved in the specification while `m` was being made to follow it. Its agent goes
// on with that, and lets nothing of the same epoch come before.
bool is_held_up(const Topology& t, const Member& m) {
  const auto& order = m.follow_order;
  if (!order || order->epoch != t.record.epoch || !m.ours || !m.agent_connected()) return false;
  const auto address = address_of(t, order->peer);
  if (!address || *address == order->address) return false;
  const auto* answer = m.outcome(Verb::Follow, order->epoch);
  return !answer || answer->at < order->at;
}

// What is under way at an address that is not right any more is cut short by the next epoch.
void overtake_old_addresses(const Topology& t, PersistedRecord& record, std::vector<Note>& notes) {
  if (record.current.empty() || record.epoch != t.record.epoch) return;
  const auto m = std::find_if(t.members.begin(), t.members.end(),
                              [&t](const Member& one) { return is_held_up(t, one); });
  if (m == t.members.end()) return;
  ++record.epoch.value;
  const auto& order = *m->follow_order;
  notes.push_back({false, "EpochRaised",
                   fmt::format("{} is told to follow {} at {}, no more at {}", m->name, order.peer,
                               *address_of(t, order.peer), order.address)});
}

// A record that says nothing of the quorum promises nothing: all may have acknowledged, and whether
// anybody was waited for is seen at the source.
void begin_to_count(const Topology& t, PersistedRecord& record) {
  if (record.current.empty() || !record.quorum.members.empty()) return;
  record.quorum = unknown_quorum(t);
  ++record.epoch.value;
}

// Who was to leave and is a member again may follow, and acknowledge, at once: it has counted all
// the time. Groups have rules of their own.
void let_stay(const Topology& t, PersistedRecord& record) {
  if (!record.group.empty()) return;
  std::erase_if(record.quorum.leaving, [&t](const std::string& name) {
    const auto* m = t.find(name);
    return m && stays(*m);
  });
}

// It has no data, is not on record for that, and would receive from `source`.
bool is_new_to(const Topology& t, const Member& m, const Member& source) {
  return &m != &source && t.counts(m) && !t.recovers(m) && m.server() && m.position().empty() &&
         !is_pointed_at(m, source) && !m.has_followed(t.record.epoch, source);
}

// A member without data may have lost what it acknowledged, unless the source never had any. That
// is written down before it follows: from then on it is not empty any more. Where it is not known
// what it has by now, or what the source has, it does not follow yet.
void note_lost_data(const Topology& t, TimePoint now, Plan& plan) {
  const auto* source = t.find(t.record.current);
  if (t.mode != Mode::SemiSync || t.is_fed() || !source) return;
  for (const auto& m : t.members) {
    if (!is_new_to(t, m, *source) || had_nothing_to_lose(m, *source)) continue;
    if (!m.answers(now) || source->position().empty()) {
      const auto waiting = std::erase_if(plan.commands, [&m](const Command& c) {
        return c.member == m.name && c.verb == Verb::Follow;
      });
      if (waiting != 0) plan.probe.insert(plan.probe.end(), {m.name, source->name});
      continue;
    }
    if (!plan.record) plan.record = t.record;
    auto& quorum = plan.record->quorum;
    if (is_among(quorum.recovering, m.name)) continue;
    quorum.begin_to_recover(m.name);
    plan.notes.push_back({false, "MemberRecovering",
                          fmt::format("{} has no data: it vouches for nothing before it has all "
                                      "that {} has",
                                      m.name, source->name)});
  }
}

// Kept while it is installed, whoever asks for it.
void note_who_was_chosen(const Topology& t, Plan& plan) {
  if (!plan.record || !plan.record->operation) return;
  auto& op = *plan.record->operation;
  const auto& before = t.record.operation;
  const auto* candidate = t.find(op.candidate);
  if (op.step != Step::Promote || !candidate || !candidate->server() ||
      (before && before->step == Step::Promote && before->candidate == op.candidate))
    return;
  op.candidate_uuid = mysql::to_string(candidate->server()->server_uuid);
}

// What is on record and not true any more comes before every step that rests on it: roles stay
// those of the step under way, and nothing else is begun.
void correct_record(const Topology& t, Plan& plan) {
  auto record = t.record;
  std::vector<Note> notes;
  begin_to_count(t, record);
  let_stay(t, record);
  raise_epoch(t, record, notes);
  overtake_old_addresses(t, record, notes);
  if (record == t.record) return;
  plan.record = std::move(record);
  plan.notes = std::move(notes);
  plan.ready = plan.note_done = plan.note_void = plan.choice_over = false;
}

// Somebody else commands the source: whatever is done about its replicas rests on it.
bool source_is_anothers(const Topology& t, TimePoint now, Plan& plan) {
  const auto* source = t.find(t.record.current);
  if (!source || !source->is_anothers()) return false;
  plan.doing = "waiting for the source";
  plan.hold("MemberOfAnother", *unusable(*source, now));
  plan.roles[source->name] = Role::None;
  return true;
}

// Whatever was planned: a member that is not ours is never commanded.
void leave_others_alone(const Topology& t, Plan& plan) {
  const auto not_ours = [&t](std::string_view name) {
    const auto* m = t.find(name);
    return !m || !m->ours;
  };
  std::erase_if(plan.commands, [&](const Command& c) { return not_ours(c.member); });
  std::erase_if(plan.probe, not_ours);
}

// From a server that runs to one that can be logged in to, on a machine that is busy.
constexpr Duration kAccountsTake = std::chrono::seconds(15);
// A member that is busy refuses once or twice, and nothing is wrong.
constexpr std::uint32_t kFailuresToTell = 3;

bool refuses_accounts(const Member& m) {
  return m.probe && m.probe->reachability == mysql::Reachability::AuthFailed;
}

bool is_refused(const mysql::ReplicaStatus& replica) {
  return mysql::reachability_of(replica.io_error.number) == mysql::Reachability::AuthFailed;
}

// A receiver that was refused tries again every second, and says until then what it heard last.
constexpr Duration kReceiverRetries = std::chrono::seconds(5);

// By its agent's word.
bool could_not_follow(const Topology& t, const Member& m, const Member& source, TimePoint since) {
  const auto* followed = m.outcome(Verb::Follow, t.record.epoch);
  return followed && followed->error.code == Code::Denied && followed->peer == source.name &&
         (followed->address.empty() || followed->address == source.address()) &&
         followed->accounts == t.accounts && followed->at > since;
}

// By what was seen of its receiver, whoever told it to follow and when.
bool is_seen_refused(const Member& m, const Member& source, TimePoint since) {
  return is_pointed_at(m, source) && m.server()->replica->io != mysql::ThreadState::On &&
         is_refused(*m.server()->replica) && m.server()->seen > since + kReceiverRetries;
}

// A replica is turned away from `source` with these accounts: somebody has changed them there.
bool turned_away(const Topology& t, const Member& source, TimePoint since) {
  return std::any_of(t.members.begin(), t.members.end(), [&](const Member& m) {
    return could_not_follow(t, m, source, since) || is_seen_refused(m, source, since);
  });
}

void hold_failed_accounts(const Topology& t, const Member& m, Plan& plan) {
  const auto tried = m.outcomes.find(Verb::EnsureAccounts);
  if (tried == m.outcomes.end()) return;
  const auto& o = tried->second;
  if (o.accounts == t.accounts && o.failures >= kFailuresToTell)
    plan.hold("AccountsFailed",
              fmt::format("{} cannot be given its accounts: {}", m.name, o.error.message), o.at);
}

// What just happened has no length worth telling.
std::string lasting(Duration d) {
  return d < std::chrono::seconds(1) ? std::string() : " for " + to_text(d);
}

// What can be neither obeyed nor written down is said, and nothing is begun that rests on it.
void hold_impossible_epochs(const Topology& t, Plan& plan) {
  for (const auto& m : t.members) {
    if (!m.ours || !m.agent_connected()) continue;
    const auto seen = m.agent->highest_epoch;
    if (seen < kMaxEpoch || seen <= t.record.epoch) continue;
    plan.hold(
        "EpochOutOfRange",
        fmt::format("{} obeys no epoch below {}, and none can be given above {}: write {} and "
                    "a newline into troupe/epoch of its data volume, and delete its Pod",
                    m.name, seen.value, kMaxEpoch.value, t.record.epoch.value));
  }
  if (t.record.epoch <= kMaxEpoch && (!plan.record || plan.record->epoch <= kMaxEpoch)) return;
  plan.record.reset();
  plan.notes.clear();
  plan.commands.clear();
  plan.note_done = plan.note_void = false;
  plan.hold("EpochsExhausted",
            fmt::format("no epoch can follow the one in status.epoch: set it to the highest that "
                        "troupe/epoch of the members' data volumes says, which has to be less "
                        "than {} (kubectl edit --subresource=status)",
                        kMaxEpoch.value));
}

void plan_next(const Topology& t, TimePoint now, Plan& plan) {
  if (!t.record.operation)
    return t.record.current.empty() ? discover(t, now, plan) : keep(t, now, plan);
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
      return resume_rebuild(t, now, plan);
    case OperationType::Attach:
      resume_attach(t, now, plan);
      break;
    case OperationType::Detach:
      resume_detach(t, now, plan);
      break;
    case OperationType::Bootstrap:
      return plan.hold("ModeChanged", "a group is being begun");
  }
  // After the operation's own step, which is in a hurry.
  ensure_accounts(t, t.record.epoch, plan);
}

// Nobody follows it there now, so that nothing else tells it before it is too late.
void tell_wrong_hosts(const Topology& t, Plan& plan) {
  const auto is_told = [&plan](const Member& m) {
    return std::any_of(plan.guards.begin(), plan.guards.end(), [&m](const Guard& g) {
      return g.rule == kHostNotItsOwn && g.text.find(m.host_problem) != std::string::npos;
    });
  };
  for (const auto* m : t.voters())
    if (!m->host_problem.empty() && !is_told(*m))
      plan.hold(std::string(kHostNotItsOwn), m->host_problem);
}

// Its file cannot say so; somebody has told the running server.
void tell_weak_settings(const Topology& t, Plan& plan) {
  for (const auto& m : t.members) {
    if (!m.ours || !m.server()) continue;
    for (const auto& weak : mysql::weaknesses(*m.server(), t.semi_sync()))
      plan.hold("SettingWeakened",
                fmt::format("{}: {}; set it back there, or restart its server", m.name,
                            mysql::to_string(weak)),
                m.server()->seen);
  }
}

// That a member has closed itself explains most of what else there is to say of it.
void tell_fenced(const Topology& t, Plan& plan) {
  std::vector<Guard> fenced;
  for (const auto& m : t.members) {
    if (!m.ours || !m.agent_connected() || !m.agent->fenced) continue;
    const auto& f = *m.agent->fenced;
    fenced.push_back({"MemberFenced",
                      fmt::format("{} has closed itself{}: {}; it is opened again {}", m.name,
                                  f.since ? " at " + to_rfc3339(*f.since) : "", f.reason,
                                  m.name == t.record.current ? "when its replicas are back"
                                                             : "when it follows the source"),
                      {}});
  }
  plan.guards.insert(plan.guards.begin(), fenced.begin(), fenced.end());
}

// What a person decided in one divergence says nothing of the next.
bool is_choosing(const Topology& t) {
  const auto& op = t.record.operation;
  return op && op->type == OperationType::Failover && op->step == Step::StopReceivers;
}

}  // namespace

Plan decide(const Topology& t, TimePoint now) { return decide_by(plan_next, t, now); }

Plan decide_by(Situations next, const Topology& t, TimePoint now) {
  Plan plan;
  plan.choice_over = !t.recover_on.empty() && !is_choosing(t);
  if (!source_is_anothers(t, now, plan)) next(t, now, plan);
  note_who_was_chosen(t, plan);
  note_lost_data(t, now, plan);
  correct_record(t, plan);
  hold_impossible_epochs(t, plan);
  tell_full_volumes(t, plan);
  tell_weak_settings(t, plan);
  tell_wrong_hosts(t, plan);
  tell_fenced(t, plan);
  std::stable_sort(plan.guards.begin(), plan.guards.end(), [](const Guard& a, const Guard& b) {
    return place_of(a.rule) < place_of(b.rule);
  });
  wake_for_evidence(t, now, plan);
  // What is written down comes first; the step it announces is taken when it is seen to be there.
  if (plan.record) plan.commands.clear();
  leave_others_alone(t, plan);
  // Also where servers go on as they are.
  if (!std::all_of(plan.guards.begin(), plan.guards.end(),
                   [](const Guard& g) { return is_about_who_counts(g.rule); }))
    plan.ready = false;
  return plan;
}

Role role_after(const Plan& plan, const std::string& member, Role before) {
  if (plan.roles_stand) return before;
  const auto told = plan.roles.find(member);
  if (told != plan.roles.end()) return told->second;
  return before == Role::Source ? Role::None : before;
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
  if (m.is_anothers())
    return fmt::format(
        "Unit \"{}\" belongs to MysqlReplication \"{}\": take it out of one of the two, or delete "
        "the other",
        m.name, m.owner);
  if (!m.unit_exists)
    return fmt::format(
        "there is no Unit \"{}\": take it out of the specification, or have it made by raising "
        "spec.units of its UnitSet (servers that are no Units are not served yet)",
        m.name);
  if (!m.ours) return fmt::format("Unit {} is not claimed yet", m.name);
  if (!m.pod_exists) return fmt::format("{} has no Pod", m.name);
  if (!m.agent) return fmt::format("nothing is known of {}'s agent yet", m.name);
  if (!m.twin_of.empty())
    return fmt::format(
        "{} has the server UUID of {} ({}), as a volume has that was copied with its auto.cnf: "
        "remove that file from {}'s data directory and restart its server",
        m.name, m.twin_of, m.agent->server_uuid, m.name);
  if (!m.agent_connected())
    return fmt::format("{}: its agent is {}{}", m.name, agent::to_string(m.agent->stream),
                       lasting(now - m.agent->since));
  if (!m.process_running())
    return fmt::format("{}: its server process is {}", m.name,
                       agent::to_string(m.agent->process.state));
  if (!m.probe) return fmt::format("{} has not been probed yet", m.name);
  if (!m.answers(now))
    return fmt::format("{}: {}{}{}{}", m.name, mysql::to_string(m.probe->reachability),
                       lasting(now - m.probe->since), m.probe->message.empty() ? "" : ": ",
                       m.probe->message);
  return std::nullopt;
}

std::string why_unusable(const Member& m, std::string otherwise) {
  if (m.is_anothers()) return "MemberOfAnother";
  if (!m.unit_exists) return "MemberMissing";
  if (!m.twin_of.empty()) return "SameServerUuid";
  return m.ours ? std::move(otherwise) : std::string(kUnclaimed);
}

bool waits_for_accounts(const Member& m, TimePoint now) {
  if (!m.process_running() || !m.probe || now - m.probe->since > kAccountsTake) return false;
  return refuses_accounts(m) || m.probe->reachability == mysql::Reachability::Failed;
}

std::uint32_t acks_of(const Topology& t, std::size_t members) {
  if (t.mode != Mode::SemiSync || t.is_fed()) return 0;
  return static_cast<std::uint32_t>(mysql::required_acks(static_cast<int>(members)));
}

Quorum new_quorum(const Topology& t) {
  Quorum q;
  for (const auto* m : t.voters()) q.members.push_back(m->name);
  q.acks = q.waits_for = acks_of(t, q.members.size());
  return q;
}

Quorum unknown_quorum(const Topology& t) {
  auto q = new_quorum(t);
  q.acks = 0;
  return q;
}

bool stays(const Member& m) { return m.is_listed() && !m.is_anothers(); }

bool leaves(const Topology& t, const Member& m) {
  return is_among(t.record.quorum.leaving, m.name);
}

bool acknowledges(const Topology& t, const Member& m) {
  return t.acks_wanted() > 0 && t.counts(m) && !leaves(t, m);
}

bool is_pointed_at(const Member& m, const Member& source) {
  const auto* s = m.server();
  return s && s->replica && source.is_at(s->replica->source_host, s->replica->source_port);
}

namespace {

// The host of a member is a name that anybody can have got wrong. Until it is connected, a replica
// says whom it received from before.
bool reaches_another(const Member& m, const Member& source) {
  const auto* from = source.server();
  if (!from || !is_pointed_at(m, source)) return false;
  const auto& r = *m.server()->replica;
  return r.io == mysql::ThreadState::On && r.source_uuid && *r.source_uuid != from->server_uuid;
}

}  // namespace

bool replicates_from(const Member& m, const Member& source) {
  if (!is_pointed_at(m, source) || reaches_another(m, source)) return false;
  const auto& r = *m.server()->replica;
  return r.io == mysql::ThreadState::On && r.sql == mysql::ThreadState::On;
}

std::optional<std::string> replicates_from_another(const Topology& t, const Member& m,
                                                   const Member& source) {
  if (!reaches_another(m, source)) return std::nullopt;
  const auto& found = *m.server()->replica->source_uuid;
  const auto it = std::find_if(t.members.begin(), t.members.end(), [&found](const Member& other) {
    return other.server() && other.server()->server_uuid == found;
  });
  const auto field = source.name == t.wanted
                         ? std::string("spec.source.host")
                         : fmt::format("the host of {} in spec.replica", source.name);
  return fmt::format(
      "{} replicates from {} at {}, which is not {} ({}): {} names another server", m.name,
      it == t.members.end() ? "server " + mysql::to_string(found)
                            : fmt::format("{} ({})", it->name, mysql::to_string(found)),
      source.address(), source.name, mysql::to_string(source.server()->server_uuid), field);
}

std::string why_not_replicating(const Member& m, const Member& source) {
  const auto& s = *m.server();
  if (!s.replica) return fmt::format("{} does not follow {} yet", m.name, source.name);
  const auto& r = *s.replica;
  const auto left = subtract(r.retrieved, s.gtid_executed).count();
  if (r.io == mysql::ThreadState::Off && r.sql == mysql::ThreadState::On && left > 0)
    return fmt::format("{} applies what it has received before it follows {}: {} left", m.name,
                       source.name, transactions(left));
  if (!is_pointed_at(m, source))
    return fmt::format("{} does not follow {} at {} yet: it follows {}:{}", m.name, source.name,
                       source.address(), r.source_host, r.source_port);
  for (const auto* e : {&r.io_error, &r.sql_error})
    if (e->number != 0) return fmt::format("{}: error {}: {}", m.name, e->number, e->text);
  return fmt::format("{} does not replicate from {}: receiver {}, applier {}", m.name, source.name,
                     mysql::to_string(r.io), mysql::to_string(r.sql));
}

bool is_connecting(const Member& m, const Member& source) {
  if (!is_pointed_at(m, source)) return false;
  const auto& s = *m.server();
  return s.replica->io == mysql::ThreadState::Connecting && !is_refused(*s.replica) &&
         s.replica->sql == mysql::ThreadState::On && s.super_read_only;
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
    if (!m.process_running() || m.is_being_cloned()) continue;
    const auto* given = m.given_accounts(t.accounts);
    const bool refused = refuses_accounts(m);
    // Refused only since then: they were changed in the server.
    if (!given || (refused && m.probe->since > given->at) || turned_away(t, m, given->at)) {
      plan.commands.push_back(
          {.member = m.name, .verb = Verb::EnsureAccounts, .epoch = epoch, .accounts = t.accounts});
      hold_failed_accounts(t, m, plan);
    } else if (refused && given->at > m.probe->tried) {
      plan.probe.push_back(m.name);
    } else if (refused) {
      plan.hold("CredentialsRefused",
                fmt::format("{} has the accounts and still refuses them: look for another account "
                            "of that user, for a narrower host, in the server",
                            m.name),
                m.probe->since);
    }
  }
}

void follow(const Topology& t, const Member& replica, const Member& source, Plan& plan) {
  if (replica.changed_since_probe() && replica.has_followed(t.record.epoch, source)) {
    plan.probe.push_back(replica.name);
    return;
  }
  Command c{.member = replica.name,
            .verb = Verb::Follow,
            .epoch = t.record.epoch,
            .peer = source.name,
            .address = source.address(),
            .accounts = t.accounts};
  c.semi_sync = acknowledges(t, replica);
  if (const auto* s = source.server()) c.gtids = s->gtid_purged;
  // What the source has purged may lie in the relay log still, where following would not find it.
  const auto* r = replica.server();
  if (r && !r->gtid_executed.contains(c.gtids) && replica.position().contains(c.gtids)) {
    c.verb = Verb::Drain;
    c.peer.clear();
    c.address.clear();
    c.accounts = 0;
  }
  plan.commands.push_back(std::move(c));
}

}  // namespace troupe::mysql_topology
