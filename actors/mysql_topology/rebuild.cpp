// A member whose data cannot be used any more gets a healthy one's, after what only it had is
// saved.
#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_topology/steps.hpp"

namespace troupe::mysql_topology {
namespace {

// Judged strictly, whoever was seen first.
bool has_nothing_of_its_own(const Member& donor, const Member& source) {
  const auto& s = *source.server();
  return subtract(donor.server()->gtid_executed, s.gtid_executed).without(s.server_uuid).empty();
}

// A replica rather than the source, the one that is least behind; each only if it has executed
// `needed` and nothing that the source has not.
const Member* donor_for(const Topology& t, const Member& m, const Member& source,
                        const mysql::GtidSet& needed, TimePoint now) {
  if (!source.server()) return nullptr;
  const auto fit = [&](const Member& d) {
    return d.answers(now) && !d.changed_since_probe() && d.server()->gtid_executed.contains(needed);
  };
  const Member* best = nullptr;
  for (const auto* d : t.voters()) {
    if (d == &m || d == &source || !fit(*d) || !replicates_from(*d, source) ||
        !d->server()->super_read_only || !has_nothing_of_its_own(*d, source))
      continue;
    const auto lag = d->server()->replica->seconds_behind.value_or(~0ull);
    if (!best || lag < best->server()->replica->seconds_behind.value_or(~0ull)) best = d;
  }
  if (best) return best;
  return fit(source) ? &source : nullptr;
}

// Epoch of the failover that the member's transactions did not take part in.
Epoch left_behind_at(const Topology& t, const Member& m) {
  const auto& last = t.record.last;
  return last && last->type == OperationType::Failover && last->from == m.name ? last->epoch
                                                                               : t.record.epoch;
}

}  // namespace

void begin_clone(PersistedRecord& record) {
  record.operation->step = Step::Clone;
  if (record.group.empty()) record.quorum.begin_to_recover(record.operation->candidate);
}

mysql::GtidSet extra_of(const Operation& op) {
  auto set = mysql::GtidSet::parse(op.gtids);
  return set ? std::move(*set) : mysql::GtidSet{};
}

void end_rebuild(const Topology& t, const Member& m, Plan& plan) {
  plan.record = finished(t, fmt::format("{} has new data: {}", m.name, t.record.operation->reason));
}

bool is_rebuilt(const Topology& t, const Member& m, const Member& source, TimePoint now) {
  if (m.done(Verb::Clone, t.record.epoch)) return true;
  if (unusable(m, now) || m.changed_since_probe() || m.clone_is_partial() || !source.server())
    return false;
  const auto& has = m.server()->gtid_executed;
  return intersect(has, extra_of(*t.record.operation)).empty() &&
         has.contains(source.server()->gtid_purged);
}

namespace {

// Another that had them, too, was rebuilt before.
bool is_saved(const PersistedRecord& record, const mysql::GtidSet& extra) {
  return std::any_of(record.lost.begin(), record.lost.end(), [&extra](const Lost& l) {
    const auto saved = mysql::GtidSet::parse(l.gtids);
    return !l.saved_to.empty() && saved && saved->contains(extra);
  });
}

}  // namespace

void save_extra(const Topology& t, const Member& m, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  const auto extra = extra_of(op);
  const auto* saved = m.outcome(Verb::SaveTransactions, t.record.epoch);
  const bool not_there = saved && !saved->ok && saved->error.code == Code::NotFound;
  const bool gone = m.clone_is_partial() || (not_there && m.answers(now) &&
                                             intersect(m.server()->gtid_executed, extra).empty());
  const bool by_another = not_there && is_saved(t.record, extra);
  if ((saved && saved->ok) || gone || by_another) {
    plan.record = t.record;
    begin_clone(*plan.record);
    if (by_another) return;
    report_lost(*plan.record, Lost{.member = m.name,
                                   .gtids = op.gtids,
                                   .epoch = left_behind_at(t, m),
                                   .saved_to = saved ? saved->saved_to : std::string(),
                                   .at = t.wall});
    return;
  }
  if (not_there)
    plan.hold("CannotSave",
              fmt::format("{} ({}); take what is needed from its tables and delete its volume",
                          saved->error.message, m.name),
              saved->at);
  if (m.process_running())
    plan.commands.push_back({.member = m.name,
                             .verb = Verb::SaveTransactions,
                             .epoch = t.record.epoch,
                             .gtids = extra});
}

namespace {

// Commits of the source that wait now, wait for a first acknowledgement, and the member's were all
// taken: its connection is gone.
bool nothing_of_it_counts(const Outcome& stopped, const mysql::MemberObservation& source) {
  const auto& side = source.semi_sync_source;
  return side.wait_for_replica_count == 1u && side.clients == 0u &&
         source.seen >= stopped.at + kSettled;
}

// All that the member may have acknowledged and clients may have heard of. What was acknowledged to
// earlier sources, this one has; what else is beyond it, executed or only received, is errant.
mysql::GtidSet acknowledged_by(const Outcome& stopped, const Member& source) {
  auto all = unite(stopped.executed, stopped.received);
  if (const auto* s = source.server()) {
    const auto beyond = subtract(all, s->gtid_executed);
    all.subtract(nothing_of_it_counts(stopped, *s) ? beyond : beyond.without(s->server_uuid));
  }
  return all;
}

// What the member acknowledged, a quorum may count on: it has to have that afterwards, too. So it
// acknowledges no more, and then the donor has to have everything but what is errant.
void clone(const Topology& t, const Member& m, const Member& source, TimePoint now, Plan& plan) {
  const auto epoch = t.record.epoch;
  if (!m.agent_connected()) {
    plan.hold("CandidateUnusable", unusable(m, now).value_or(m.name + " is away"));
    return;
  }
  // Perhaps for an operator before this one. A second clone would only throw the first away.
  if (m.is_being_cloned()) return;
  mysql::GtidSet needed;
  if (!m.clone_is_partial()) {
    const auto* stopped = m.outcome(Verb::StopReceiver, epoch);
    if (!stopped || !stopped->ok) {
      if (m.process_running())
        plan.commands.push_back({.member = m.name, .verb = Verb::StopReceiver, .epoch = epoch});
      return;
    }
    needed = acknowledged_by(*stopped, source);
  }
  const auto* donor = donor_for(t, m, source, needed, now);
  if (!donor) {
    plan.hold("NoDonor", "no healthy member has all that " + m.name + " may have acknowledged");
    return;
  }
  if (const auto why = no_room_for_clone(m, *donor)) return plan.hold("CloneNeedsSpace", *why);
  // A clone that began goes on from the donor it began with; the agent knows which.
  plan.commands.push_back({.member = m.name,
                           .verb = Verb::Clone,
                           .epoch = epoch,
                           .peer = donor->name,
                           .needed_bytes = clone_needs(m, *donor)});
}

}  // namespace

void resume_rebuild(const Topology& t, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  keep(t, now, plan);
  plan.roles[op.candidate] = Role::None;
  if (plan.record) return;  // a dead source goes first
  const auto* m = t.find(op.candidate);
  const auto* source = t.find(t.record.current);
  plan.doing = fmt::format("Rebuild of {}: {}", op.candidate, to_string(op.step));
  if (!m || !stays(*m)) {
    plan.record = finished(
        t, m && m->is_anothers() ? *unusable(*m, now) : op.candidate + " is no member any more",
        true);
    return;
  }
  if (!source) return;
  if (op.step == Step::Save) return save_extra(t, *m, now, plan);
  if (is_rebuilt(t, *m, *source, now)) return end_rebuild(t, *m, plan);
  clone(t, *m, *source, now, plan);
}

}  // namespace troupe::mysql_topology
