// A member whose data cannot be used any more gets a healthy one's, after what only it had is
// saved.
#include <fmt/format.h>

#include "actors/mysql_topology/steps.hpp"

namespace troupe::mysql_topology {
namespace {

// A replica rather than the source, the one that is least behind.
const Member* donor_for(const Topology& t, const Member& m, const Member& source, TimePoint now) {
  const Member* best = nullptr;
  for (const auto* d : t.voters()) {
    if (d == &m || d == &source || !d->answers(now) || !replicates_from(*d, source)) continue;
    const auto lag = d->server()->replica->seconds_behind.value_or(~0ull);
    if (!best || lag < best->server()->replica->seconds_behind.value_or(~0ull)) best = d;
  }
  if (best) return best;
  return source.answers(now) ? &source : nullptr;
}

void advance(const Topology& t, const Member& m, const Member& source, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  const auto epoch = t.record.epoch;
  if (op.step == Step::Save) {
    if (m.done(Verb::SaveTransactions, epoch)) {
      plan.record = t.record;
      plan.record->operation->step = Step::Clone;
      return;
    }
    const auto extra = mysql::GtidSet::parse(op.gtids);
    Command c{.member = m.name, .verb = Verb::SaveTransactions, .epoch = epoch};
    if (extra) c.gtids = *extra;
    if (m.process_running()) plan.commands.push_back(std::move(c));
    return;
  }
  if (m.done(Verb::Clone, epoch)) {
    const auto text = fmt::format("{} has new data: {}", m.name, op.reason);
    plan.record = finished(t, text);
    plan.notes.push_back({false, "Rebuilt", text});
    return;
  }
  const auto* donor = donor_for(t, m, source, now);
  if (!donor) {
    plan.hold("NoDonor", "no healthy member to clone " + m.name + " from");
    return;
  }
  // A clone that began goes on from the donor it began with; the agent knows which.
  Command c{.member = m.name, .verb = Verb::Clone, .epoch = epoch};
  c.peer = donor->name;
  if (m.agent_connected()) plan.commands.push_back(std::move(c));
}

}  // namespace

void resume_rebuild(const Topology& t, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  // The others are kept as ever, with one operation at a time; a dead source goes first.
  Topology rest = t;
  rest.record.operation.reset();
  keep(rest, now, plan);
  plan.ready = false;
  plan.roles[op.candidate] = Role::None;
  std::erase_if(plan.commands, [&op](const Command& c) { return c.member == op.candidate; });
  if (plan.record && plan.record->operation &&
      plan.record->operation->type == OperationType::Failover)
    return;
  plan.record.reset();
  std::erase_if(plan.notes, [](const Note& n) { return n.reason == "RebuildStarted"; });
  const auto* m = t.find(op.candidate);
  const auto* source = t.find(t.record.current);
  plan.doing = fmt::format("Rebuild of {}: {}", op.candidate, to_string(op.step));
  if (!m) {
    plan.record = finished(t, op.candidate + " is no member any more", true);
    return;
  }
  if (source) advance(t, *m, *source, now, plan);
}

}  // namespace troupe::mysql_topology
