// Nothing is in flight: keep every member in its role, and see whether something should begin.
#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_topology/steps.hpp"

namespace troupe::mysql_topology {

bool semi_sync_is_right(const Topology& t, const mysql::MemberObservation& s) {
  const auto& side = s.semi_sync_source;
  const bool on = side.enabled.value_or(false);
  if (!t.semi_sync()) return !on;
  return on && side.wait_for_replica_count.value_or(0) == t.acks() &&
         side.wait_no_replica.value_or(false) &&
         side.wait_point.value_or(mysql::WaitPoint::AfterCommit) == mysql::WaitPoint::AfterSync;
}

namespace {

bool is_closed(const mysql::MemberObservation& s) { return s.read_only || s.offline_mode; }

// What a closed source has lost, if anything: all that anybody has, if it comes back with nothing;
// transactions of its own, or such that so many of its replicas have that they may have been
// acknowledged. Any others are errant where they are, most of all at those that have more than the
// source ever had, and so never followed it. A closed source stays as it is, so that it does not
// matter who was seen last.
mysql::GtidSet lost_by(const Topology& t, const Member& source, TimePoint now) {
  const auto& s = *source.server();
  if (!is_closed(s) || source.changed_since_probe()) return {};
  // One that is fed goes on: only that it lacks everything says something.
  if (t.is_fed() && !s.gtid_executed.empty()) return {};
  const std::size_t enough = std::max<std::size_t>(t.acks() + 1, 2);
  std::vector<mysql::GtidSet> beyond;
  for (const auto* m : t.voters()) {
    if (m == &source || !m->answers(now)) continue;
    auto more = subtract(m->server()->gtid_executed, s.gtid_executed);
    if (s.gtid_executed.empty() && !more.empty()) return more;
    if (auto own = more.of(s.server_uuid); !own.empty()) return own;
    if (!more.empty() && is_pointed_at(*m, source)) beyond.push_back(std::move(more));
  }
  for (const auto& more : beyond) {
    const auto holders = std::count_if(beyond.begin(), beyond.end(),
                                       [&more](const auto& other) { return other.contains(more); });
    if (static_cast<std::size_t>(holders) >= enough) return more;
  }
  return {};
}

Command source_command(const Topology& t, const Member& source, Verb verb) {
  return {.member = source.name,
          .verb = verb,
          .epoch = t.record.epoch,
          .acks = t.acks(),
          .semi_sync = t.semi_sync()};
}

// Promoted by what was seen last, or by what its agent said since.
bool is_prepared(const Topology& t, const Member& source) {
  const auto& s = *source.server();
  const auto* promoted = source.outcome(Verb::Promote, t.record.epoch);
  const auto* opened = source.outcome(Verb::Open, t.record.epoch);
  if (opened && !opened->ok && (!promoted || opened->at >= promoted->at) && opened->at >= s.seen)
    return false;
  if (promoted && promoted->ok && promoted->at >= s.seen) return true;
  return !s.replica && t.semi_sync() && semi_sync_is_right(t, s);
}

// What replicas were last seen to have may be from before the source went.
bool replicas_were_asked_since(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  bool all = true;
  for (const auto* m : t.voters()) {
    if (m == &source || !m->answers(now) || m->server()->seen >= source.server()->seen) continue;
    plan.probe.push_back(m->name);
    all = false;
  }
  return all;
}

void reopen(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  const auto* opened = source.outcome(Verb::Open, t.record.epoch);
  if (opened && opened->ok && opened->at >= source.server()->seen) return;  // it is looked at again
  const auto verb = is_prepared(t, source) ? Verb::Open : Verb::Promote;
  if (verb == Verb::Promote && !replicas_were_asked_since(t, source, now, plan)) return;
  plan.commands.push_back(source_command(t, source, verb));
}

// How long commits wait for replicas that are attached before one of these is made to connect
// again.
constexpr Duration kStalled = std::chrono::seconds(3);

// An acknowledgement that got lost is not asked for again, and its commit waits until the next one
// is acknowledged, which may never come. A receiver that connects again says how far it has come:
// one after the other, each once.
void renew_receivers(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  const auto since = source.server()->stalled_since;
  if (!since || source.changed_since_probe()) return;
  if (now - *since < kStalled) return plan.wake_at(*since + kStalled);
  plan.hold(
      "AcknowledgementLost",
      fmt::format("{} commits of {} have waited for {} while its replicas are attached; their "
                  "receivers connect again",
                  source.server()->semi_sync_source.wait_sessions.value_or(0), source.name,
                  to_text(now - *since)),
      *since);
  for (const auto* m : t.voters()) {
    const bool in_work = t.record.operation && t.record.operation->candidate == m->name;
    if (m == &source || in_work || !acknowledges(t, *m) || unusable(*m, now)) continue;
    const auto* stopped = m->outcome(Verb::StopReceiver, t.record.epoch);
    const bool had_its_turn = stopped && stopped->at > *since;
    if (had_its_turn && !m->changed_since_probe() && replicates_from(*m, source)) continue;
    if (!had_its_turn)
      plan.commands.push_back(
          {.member = m->name, .verb = Verb::StopReceiver, .epoch = t.record.epoch});
    return;
  }
}

// Opens a recorded source that boots closed, and mends its semi-sync settings.
void mend_source(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  const auto& s = *source.server();
  if (source.changed_since_probe()) plan.probe.push_back(source.name);
  if (is_closed(s)) return reopen(t, source, now, plan);
  const auto attached = s.semi_sync_source.clients.value_or(0);
  plan.writable = !t.semi_sync() || attached >= t.acks();
  if (!plan.writable)
    plan.hold("SemiSyncBlocked",
              fmt::format("writes wait: {} of {} replicas that {} needs acknowledge", attached,
                          t.acks(), source.name),
              s.seen);
  // What an earlier epoch told it may still come, until its agent has heard of this one.
  const auto& q = t.record.quorum;
  const bool has_heard = q.waits_for <= q.acks || !source.agent_connected() ||
                         source.agent->highest_epoch >= t.record.epoch;
  if (semi_sync_is_right(t, s) && has_heard) {
    if (plan.writable) renew_receivers(t, source, now, plan);
    return;
  }
  plan.writable = false;
  if (!source.changed_since_probe())
    plan.commands.push_back(source_command(t, source, Verb::Promote));
}

}  // namespace

bool healthy_replica(const Topology& t, const Member& m, const Member& source) {
  const auto& s = *m.server();
  return s.super_read_only && !s.offline_mode && replicates_from(m, source) &&
         s.semi_sync_replica.enabled.value_or(false) == acknowledges(t, m) &&
         !s.semi_sync_source.enabled.value_or(false);
}

std::string why_unusable_now(const Member& m, std::string otherwise, TimePoint now) {
  const bool pending = m.probe && m.probe->reachability == mysql::Reachability::AuthFailed &&
                       waits_for_accounts(m, now);
  return pending ? std::string(kAccountsPending) : why_unusable(m, std::move(otherwise));
}

void begin_rebuild(const Topology& t, const Member& m, const mysql::GtidSet& extra,
                   const std::string& why, Plan& plan) {
  if (t.record.operation || plan.record) return;
  plan.record = t.record;
  plan.record->epoch = Epoch{t.record.epoch.value + 1};
  plan.record->operation = Operation{.type = OperationType::Rebuild,
                                     .step = Step::Save,
                                     .candidate = m.name,
                                     .gtids = extra.to_string(),
                                     .reason = why,
                                     .started = t.wall};
  if (extra.empty()) begin_clone(*plan.record);
}

namespace {

// What was seen too long ago, or not yet, says nothing.
bool is_known_to_fail(const Member& m) {
  return (m.agent_connected() && !m.process_running()) || (m.probe && !m.probe->ok());
}

// Whether the member works as a replica; asks for what is missing.
bool mend_replica(const Topology& t, const Member& m, const Member& source, TimePoint now,
                  Plan& plan) {
  if (m.clone_is_partial()) {
    plan.roles[m.name] = Role::None;
    const auto why = fmt::format("a clone of {} {}", m.name,
                                 m.is_being_cloned() ? "is under way" : "was cut short");
    plan.hold("ClonePartial", why, m.agent->since);
    if (source.answers(now)) begin_rebuild(t, m, {}, why, plan);
    return false;
  }
  if (const auto why = unusable(m, now)) {
    if (m.answers(now))  // only its agent may be away, and reads go on
      plan.roles[m.name] = healthy_replica(t, m, source) ? Role::Replica : Role::None;
    else if (is_known_to_fail(m))
      plan.roles[m.name] = Role::None;
    plan.hold(why_unusable_now(m, "ReplicaUnusable", now), *why,
              m.probe ? m.probe->since : TimePoint{});
    return false;
  }
  if (close_stray(t, m, plan)) return false;
  if (m.changed_since_probe()) {
    plan.probe.push_back(m.name);
    return false;
  }
  const auto& s = *m.server();
  // What is errant then comes from there: it would come again.
  if (const auto why = replicates_from_another(t, m, source)) {
    plan.roles[m.name] = Role::None;
    plan.hold(std::string(kFromAnother), *why, s.seen);
    return false;
  }
  if (!source.answers(now)) {
    if (!healthy_replica(t, m, source)) return false;
    plan.roles[m.name] = Role::Replica;
    return true;
  }
  const auto beyond = not_from_outside(t, m, errant(m, source), now, plan);
  if (!beyond) return false;
  if (const auto& extra = *beyond; !extra.empty()) {
    plan.roles[m.name] = Role::None;
    const auto why = fmt::format("{} has {} that nobody else has: {}", m.name,
                                 transactions(extra.count()), extra.to_string());
    plan.hold("Errant", why, s.seen);
    begin_rebuild(t, m, extra, why, plan);
    return false;
  }
  if (!m.position().contains(source.server()->gtid_purged)) {
    plan.roles[m.name] = Role::None;
    const auto why =
        fmt::format("{} lacks transactions whose binlogs {} has purged", m.name, source.name);
    plan.hold("PurgedAtSource", why, s.seen);
    begin_rebuild(t, m, {}, why, plan);
    return false;
  }
  const bool replicates = replicates_from(m, source);
  if (replicates) plan.roles[m.name] = Role::Replica;
  if (healthy_replica(t, m, source)) return true;
  if (s.replica && s.replica->sql_error.number != 0 && s.replica->source_host == source.host) {
    plan.roles[m.name] = Role::None;
    plan.hold("ApplierStopped",
              fmt::format("{}: error {}: {}", m.name, s.replica->sql_error.number,
                          s.replica->sql_error.text),
              s.seen);
    return false;
  }
  if (!replicates) {
    plan.roles[m.name] = Role::None;
    const bool failed = is_pointed_at(m, source) && s.replica->io_error.number != 0;
    plan.hold(failed ? "ReplicaNotAttached" : std::string(kAttaching),
              why_not_replicating(m, source), s.seen);
  }
  if (m.server()->answered() > source.server()->seen) {
    // Its errant transactions can only be told by a later look at the source.
    plan.probe.push_back(source.name);
    return false;
  }
  if (!is_connecting(m, source)) follow(t, m, source, plan);
  return false;
}

// One replica after the other is told the accounts that have changed, while all of them work: a
// commit waits for none. Those that fell off are told when they are made to follow again.
void pass_on_accounts(const Topology& t, const Member& source, Plan& plan) {
  if (t.accounts <= 1 || !source.given_accounts(t.accounts)) return;
  for (const auto* m : t.voters()) {
    const auto followed = m->outcomes.find(Verb::Follow);
    const bool told = followed != m->outcomes.end() && followed->second.ok &&
                      followed->second.accounts == t.accounts;
    if (m == &source || m->is_anothers() || told) continue;
    return follow(t, *m, source, plan);
  }
}

// Commits wait for nobody who leaves any more.
bool can_let_go(const Topology& t, const Member& source) {
  return t.acks() <= t.acks_wanted() && source.server() &&
         semi_sync_is_right(t, *source.server()) && !source.changed_since_probe();
}

void silence_others(const Topology& t, const Member& source, Plan& plan) {
  for (const auto& m : t.members) {
    if (m.is_listed()) continue;
    plan.roles[m.name] = Role::None;
    if (t.counts(m) && !(leaves(t, m) && can_let_go(t, source))) continue;
    const auto* s = m.server();
    const bool receives =
        s && s->replica && s->replica->io != mysql::ThreadState::Off && !m.changed_since_probe();
    const bool to_be_told = leaves(t, m) && !m.done(Verb::StopReceiver, t.record.epoch);
    if (m.process_running() && (receives || to_be_told))
      plan.commands.push_back(
          {.member = m.name, .verb = Verb::StopReceiver, .epoch = t.record.epoch});
  }
}

std::string names_of(const std::vector<const Member*>& members) {
  std::string names;
  for (const auto* m : members) names += (names.empty() ? "" : ", ") + m->name;
  return names;
}

// Those that are not reached, and for how long.
std::string silence_of(const std::vector<const Member*>& members, TimePoint now) {
  std::string text;
  for (const auto* m : members) {
    text += (text.empty() ? "" : ", ") + m->name;
    if (!m->probe) continue;
    text += " for " + to_text(now - (m->probe->ok() ? m->probe->seen : m->probe->since));
  }
  return text;
}

// Nobody saw it die, and too few replicas say that it is gone: nobody takes its place, however long
// that lasts.
void hold_for_witnesses(const Topology& t, const Member& source, const Witnesses& witnesses,
                        TimePoint since, TimePoint now, Plan& plan) {
  const auto deaf = static_cast<int>(witnesses.deaf.size());
  if (deaf >= t.quorum()) return;
  auto text = fmt::format("{} of {} needed replicas say that they hear nothing from {}", deaf,
                          t.quorum(), source.name);
  if (!witnesses.hearing.empty()) text += "; it is heard by " + names_of(witnesses.hearing);
  if (!witnesses.silent.empty()) text += "; not reached: " + silence_of(witnesses.silent, now);
  plan.hold("QuorumMissing", text + "; no failover begins", since);
}

// A source that is out of sight, and not known to be dead.
void miss_source(const Topology& t, const Member& source, const std::string& why, TimePoint now,
                 Plan& plan) {
  plan.doing = "the source does not answer";
  plan.wake_at(now + std::chrono::milliseconds(500));
  const auto since = source.probe ? source.probe->since : TimePoint{};
  const auto witnesses = witnesses_of(t, source, now);
  const bool out_of_sight = !source.answers(now) && !source.agent_connected();
  for (const auto* m : not_asked_since_lost(t, source, now)) plan.probe.push_back(m->name);
  const bool is_heard = out_of_sight && !witnesses.hearing.empty();
  if (!is_heard)
    plan.hold(why_unusable_now(source, "SourceUnusable", now), why, since);
  else
    plan.hold("SourceUnreachable",
              fmt::format("{}; it lives, as {} hear from it, and is not replaced", why,
                          names_of(witnesses.hearing)),
              since);
  const bool is_doubted = out_of_sight && !witnesses.deaf.empty();
  if (is_doubted || (!is_heard && is_silent(t, source, now)))
    hold_for_witnesses(t, source, witnesses, since, now, plan);
}

// A source whose replicas cannot reach it holds up every writer for as long as that lasts, while
// there is a quorum of them to go on with. It is closed by the failover, by force if it must be.
bool relieve_cut_off(const Topology& t, const Member& source, TimePoint now, Plan& plan) {
  if (plan.record || is_closed(*source.server())) return false;
  const auto cut = cut_off(t, source, now);
  if (!cut) return false;
  Plan relieved;
  consider_failover(t, source, *cut, now, relieved);
  if (!relieved.record) {
    plan.hold("SourceCutOff", cut->evidence, cut->since);
    return false;
  }
  plan.record = std::move(relieved.record);
  plan.doing = "the source is cut off from its replicas";
  plan.roles[source.name] = Role::None;
  return true;
}

}  // namespace

std::string transactions(std::uint64_t count) {
  return fmt::format("{} transaction{}", count, count == 1 ? "" : "s");
}

// Nothing stands in the way then, and yet something is to be done.
void say_what_is_asked(Plan& plan) {
  if (plan.ready || plan.doing != kWatching) return;
  if (plan.commands.empty()) {
    plan.doing = "waiting for the next look at the servers";
    return;
  }
  const auto& first = plan.commands.front();
  plan.doing = fmt::format("waiting for {} to do {}", first.member, to_string(first.verb));
}

void keep(const Topology& t, TimePoint now, Plan& plan) {
  plan.doing = kWatching;
  const auto* source = t.find(t.record.current);
  if (!source || !source->is_listed()) {
    // A slip of the pen in the specification takes nothing from a source that takes writes.
    plan.roles_stand = true;
    plan.hold("SourceNotListed",
              fmt::format("\"{}\" is the source and {}: list it as before, and switch over first",
                          t.record.current,
                          source && source->isolated ? "was isolated" : "is not listed any more"));
    if (const auto death = source ? death_of(t, *source, now) : std::nullopt)
      consider_failover(t, *source, *death, now, plan);
    return;
  }
  plan.roles[source->name] = Role::Source;
  withdraw_order(t, *source, now, plan);
  ensure_accounts(t, t.record.epoch, plan);
  silence_others(t, *source, plan);
  auto death = death_of(t, *source, now);
  if (!death) death = ending_of(*source);
  if (death) return consider_failover(t, *source, *death, now, plan);
  bool fed = false;
  if (const auto why = unusable(*source, now)) {
    miss_source(t, *source, *why, now, plan);
  } else if (relieve_cut_off(t, *source, now, plan)) {
    return;
  } else if (const auto lost = lost_by(t, *source, now); !lost.empty()) {
    const auto text = fmt::format("{} came back without {}, which its replicas have", source->name,
                                  lost.to_string());
    return consider_failover(t, *source, {text, source->server()->seen}, now, plan);
  } else if (t.is_fed()) {
    fed = keep_fed(t, *source, now, plan);
  } else {
    mend_source(t, *source, now, plan);
  }
  const auto& op = t.record.operation;
  bool all = true;
  for (const auto* m : t.voters()) {
    const bool in_work = op && op->candidate == m->name;
    if (m != source && !in_work) all = mend_replica(t, *m, *source, now, plan) && all;
  }
  if (!op && !plan.record) keep_quorum(t, *source, now, plan);
  plan.ready = all && (plan.writable || fed) && !plan.record && !op;
  say_what_is_asked(plan);
  if (plan.ready) pass_on_accounts(t, *source, plan);
  if (plan.record || op || unusable(*source, now)) return;
  if (!consider_external(t, *source, now, plan)) consider_order(t, *source, now, plan);
}

}  // namespace troupe::mysql_topology
