// A member whose data the group cannot use gets a healthy one's, after what only it had is saved.
#include <fmt/format.h>

#include "actors/mysql_group/steps.hpp"

namespace troupe::mysql_group {

const Member* donor_for(const Topology& t, const View& view, const mysql::GtidSet& needed,
                        TimePoint now) {
  const Member* best = nullptr;
  const auto rank = [&view](const Member& m) {
    return std::pair(&m == view.primary(), m.server()->group->queued);
  };
  for (const auto* m : t.voters()) {
    if (!view.has_online(*m) || !m->answers(now) || own_state(*m) != GroupState::Online ||
        !m->server()->gtid_executed.contains(needed))
      continue;
    if (!best || rank(*m) < rank(*best)) best = m;
  }
  return best;
}

namespace {

// It is out of the group first, and the donor has all that it had but what is errant.
void clone(const Topology& t, const View& view, const Member& m, TimePoint now, Plan& plan) {
  const auto epoch = t.record.epoch;
  if (!m.agent_connected()) {
    plan.hold("CandidateUnusable", topo::unusable(m, now).value_or(m.name + " is away"));
    return;
  }
  if (m.is_being_cloned()) return;  // a second clone would only throw the first away
  mysql::GtidSet needed;
  if (!m.clone_is_partial()) {
    const auto* stopped = m.outcome(Verb::StopGroup, epoch);
    if (!stopped || !stopped->ok) {
      if (m.process_running())
        plan.commands.push_back({.member = m.name, .verb = Verb::StopGroup, .epoch = epoch});
      return;
    }
    needed =
        subtract(unite(stopped->executed, stopped->received), topo::extra_of(*t.record.operation));
  }
  const auto* donor = donor_for(t, view, needed, now);
  if (!donor) {
    plan.hold("NoDonor", "no ONLINE member has executed all that " + m.name + " has");
    return;
  }
  plan.commands.push_back(
      {.member = m.name, .verb = Verb::Clone, .epoch = epoch, .peer = donor->name});
}

}  // namespace

void resume_rebuild(const Topology& t, const View& view, TimePoint now, Plan& plan) {
  const auto& op = *t.record.operation;
  plan.roles[op.candidate] = Role::None;
  plan.doing = fmt::format("Rebuild of {}: {}", op.candidate, to_string(op.step));
  const auto* m = t.find(op.candidate);
  if (!m || !topo::stays(*m)) {
    plan.record = topo::finished(
        t,
        m && m->is_anothers() ? *topo::unusable(*m, now) : op.candidate + " is no member any more",
        true);
    return;
  }
  const auto* primary = view.primary();
  if (!primary) return;
  if (op.step == Step::Save) return topo::save_extra(t, *m, now, plan);
  const auto* teller = who_can_tell(view, *m);
  if (topo::is_rebuilt(t, *m, teller ? *teller : *primary, now))
    return topo::end_rebuild(t, *m, plan);
  clone(t, view, *m, now, plan);
}

}  // namespace troupe::mysql_group
