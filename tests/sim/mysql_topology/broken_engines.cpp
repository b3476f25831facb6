#include "tests/sim/mysql_topology/broken_engines.hpp"

#include <algorithm>
#include <memory>

#include "actors/mysql_group/decide.hpp"

namespace troupe::mysql_topology::sim {
namespace {

bool is_at(const Topology& t, OperationType type, Step step) {
  return t.record.operation && t.record.operation->type == type && t.record.operation->step == step;
}

// As if the member's agent had answered just now that it was done.
Outcome all_right(const Topology& t, const Member& m, TimePoint now) {
  Outcome o{.epoch = t.record.epoch, .ok = true, .at = now};
  if (const auto* s = m.server()) {
    o.executed = s->gtid_executed;
    if (s->replica) o.received = s->replica->retrieved;
  }
  return o;
}

// Takes a step for done by all, whatever they say.
Plan take_for_done(const Topology& t, OperationType type, Step step, Verb verb, TimePoint now) {
  auto told = t;
  if (is_at(t, type, step))
    for (auto& m : told.members) m.outcomes[verb] = all_right(t, m, now);
  return decide(told, now);
}

template <class Change>
void change_seen(Member& m, Change change) {
  if (!m.server()) return;
  auto seen = *m.server();
  change(seen);
  auto probe = *m.probe;
  probe.observation = std::make_shared<const mysql::MemberObservation>(std::move(seen));
  m.probe = std::make_shared<const mysql::ProbeOutcome>(std::move(probe));
}

}  // namespace

Plan overlooks_a_member(const Topology& t, TimePoint now) {
  auto told = t;
  const auto& last = told.members.back();
  if (told.members.size() > 1 && !last.process_running() && told.record.current != last.name &&
      told.wanted != last.name) {
    std::erase(told.record.quorum.members, last.name);
    told.members.pop_back();
  }
  return decide(told, now);
}

Plan forgets_who_leaves(const Topology& t, TimePoint now) {
  auto told = t;
  for (const auto& m : t.members)
    if (m.former || m.is_anothers()) std::erase(told.record.quorum.members, m.name);
  std::erase_if(told.members, [](const Member& m) { return m.former; });
  return decide(told, now);
}

Plan forgets_who_recovers(const Topology& t, TimePoint now) {
  auto told = t;
  std::erase_if(told.record.quorum.recovering, [&t](const std::string& name) {
    const auto* m = t.find(name);
    return m && !m->position().empty();
  });
  return decide(told, now);
}

Plan takes_new_servers_for_old_ones(const Topology& t, TimePoint now) {
  auto told = t;
  for (auto& m : told.members)
    change_seen(m, [](mysql::MemberObservation& seen) { seen.known_since = {}; });
  return decide(told, now);
}

Plan counts_on_acks_too_early(const Topology& t, TimePoint now) {
  auto told = t;
  told.record.quorum.acks = told.record.quorum.waits_for;
  return decide(told, now);
}

Plan waits_for_one_less(const Topology& t, TimePoint now) {
  auto plan = decide(t, now);
  for (auto& c : plan.commands) {
    if (c.acks == 0) continue;
    --c.acks;
    c.semi_sync = c.acks > 0;
  }
  return plan;
}

Plan lets_replicas_receive(const Topology& t, TimePoint now) {
  return take_for_done(t, OperationType::Failover, Step::StopReceivers, Verb::StopReceiver, now);
}

Plan chooses_anyone(const Topology& t, TimePoint now) {
  auto plan = decide(t, now);
  if (!is_at(t, OperationType::Failover, Step::StopReceivers) || !plan.record ||
      plan.record->operation->step != Step::Promote)
    return plan;
  for (const auto* m : t.voters())
    if (m->name != plan.record->current && m->done(Verb::StopReceiver, t.record.epoch))
      plan.record->current = plan.record->operation->candidate = m->name;
  return plan;
}

Plan believes_old_answers(const Topology& t, TimePoint now) {
  auto told = t;
  for (auto& m : told.members)
    for (auto& [verb, outcome] : m.outcomes) outcome.epoch = t.record.epoch;
  return decide(told, now);
}

Plan keeps_the_epoch(const Topology& t, TimePoint now) {
  auto plan = decide(t, now);
  if (plan.record && plan.record->operation && !t.record.operation)
    plan.record->epoch = t.record.epoch;
  return plan;
}

Plan leaves_the_source_open(const Topology& t, TimePoint now) {
  return take_for_done(t, OperationType::Switchover, Step::Close, Verb::Close, now);
}

Plan does_not_wait_to_catch_up(const Topology& t, TimePoint now) {
  return take_for_done(t, OperationType::Switchover, Step::CatchUp, Verb::Drain, now);
}

Plan overlooks_errant_transactions(const Topology& t, TimePoint now) {
  auto told = t;
  const auto* source = t.find(t.record.current);
  if (!source || !source->server()) return decide(t, now);
  const auto known = source->server()->gtid_executed;
  for (auto& m : told.members) {
    if (m.name == source->name) continue;
    change_seen(m, [&known](mysql::MemberObservation& seen) {
      seen.gtid_executed = intersect(seen.gtid_executed, known);
    });
  }
  return decide(told, now);
}

Plan leaves_strays_open(const Topology& t, TimePoint now) {
  auto plan = decide(t, now);
  std::erase_if(plan.commands, [](const Command& c) { return c.verb == Verb::Close; });
  return plan;
}

Plan opens_who_is_fed(const Topology& t, TimePoint now) {
  auto plan = decide(t, now);
  const auto* source = t.find(t.record.current);
  if (!t.is_fed() || t.record.operation || plan.record || !source) return plan;
  const auto verb = source->done(Verb::Promote, t.record.epoch) ? Verb::Open : Verb::Promote;
  plan.commands = {{.member = source->name, .verb = verb, .epoch = t.record.epoch}};
  return plan;
}

Plan leaves_before_it_is_drained(const Topology& t, TimePoint now) {
  auto told = t;
  if (is_at(t, OperationType::Detach, Step::CatchUp))
    for (auto& m : told.members)
      for (const auto verb : {Verb::StopReceiver, Verb::Drain})
        m.outcomes[verb] = all_right(t, m, now);
  return decide(told, now);
}

Plan leaves_before_replicas_have_all(const Topology& t, TimePoint now) {
  auto told = t;
  if (is_at(t, OperationType::Detach, Step::CatchUp))
    if (const auto* m = t.find(t.record.operation->candidate))
      if (const auto* all = m->outcome(Verb::Drain, t.record.epoch))
        for (auto& other : told.members)
          change_seen(other, [all](mysql::MemberObservation& seen) {
            seen.gtid_executed.add(all->executed);
          });
  return decide(told, now);
}

Topology told_outside_has_all(const Topology& t) {
  auto told = t;
  for (auto& m : told.members)
    if (const auto asked = m.outcomes.find(Verb::InspectSource);
        asked != m.outcomes.end() && asked->second.outside)
      asked->second.outside->executed.add(m.position());
  return told;
}

Plan follows_who_lacks_something(const Topology& t, TimePoint now) {
  return decide(told_outside_has_all(t), now);
}

Plan begins_without_asking_all(const Topology& t, TimePoint now) {
  auto told = t;
  const auto is_away = [now](const Member& m) { return !m.process_running() || !m.answers(now); };
  if (!t.record.current.empty() && !std::all_of(t.members.begin(), t.members.end(), is_away))
    std::erase_if(told.members, [&](const Member& m) {
      if (!is_away(m)) return false;
      std::erase(told.record.quorum.members, m.name);
      return true;
    });
  return mysql_group::decide(told, now);
}

Plan begins_with_anyone(const Topology& t, TimePoint now) {
  auto told = t;
  mysql::GtidSet all;
  for (const auto& m : t.members)
    if (const auto* o = m.outcome(Verb::StopGroup, t.record.epoch)) all.add(o->executed);
  for (auto& m : told.members)
    if (m.done(Verb::StopGroup, t.record.epoch)) {
      m.outcomes[Verb::StopGroup].executed = all;
      m.outcomes[Verb::StopGroup].received = {};
    }
  return mysql_group::decide(told, now);
}

Plan begins_in_one_epoch(const Topology& t, TimePoint now) {
  auto plan = mysql_group::decide(t, now);
  const auto& op = t.record.operation;
  if (plan.record && op && op->type == OperationType::Bootstrap &&
      (!plan.record->operation || plan.record->operation->step == Step::Bootstrap))
    plan.record->epoch = t.record.epoch;
  return plan;
}

}  // namespace troupe::mysql_topology::sim
