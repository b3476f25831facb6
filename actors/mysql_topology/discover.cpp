// With nothing on record, the servers are asked: what is there is adopted, never overruled.
#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_topology/steps.hpp"

namespace troupe::mysql_topology {
namespace {

PersistedRecord begin(const Topology& t, std::string current, Quorum quorum) {
  PersistedRecord r = t.record;
  r.epoch = next_epoch(t);
  r.current = std::move(current);
  r.honored = t.wanted;
  r.quorum = std::move(quorum);
  return r;
}

// The member that takes writes, or that all receivers point to. Null: there is none; `held` is set
// when there are several.
const Member* existing_source(const Topology& t, Plan& plan, bool& held) {
  std::vector<const Member*> writable;
  for (const auto* m : t.voters())
    if (!m->server()->read_only) writable.push_back(m);
  if (writable.size() > 1) {
    std::string names;
    for (const auto* m : writable) names += (names.empty() ? "" : ", ") + m->name;
    plan.hold("SeveralWritable",
              fmt::format("{} all take writes; set super_read_only on all but one of them", names));
    held = true;
    return nullptr;
  }
  if (writable.size() == 1) return writable.front();
  const Member* followed = nullptr;
  for (const auto* m : t.voters()) {
    if (!m->server()->replica) continue;
    const auto& r = *m->server()->replica;
    // One that is fed from outside is whom the others follow.
    const bool is_fed =
        t.external && t.external->host == r.source_host && t.external->port == r.source_port;
    const auto found = std::find_if(t.members.begin(), t.members.end(), [&](const Member& s) {
      return is_fed ? &s == m : s.is_at(r.source_host, r.source_port);
    });
    if (found == t.members.end() || (followed && followed != &*found)) return nullptr;
    followed = &*found;
  }
  return followed;
}

}  // namespace

Epoch next_epoch(const Topology& t) {
  Epoch highest = t.record.epoch;
  for (const auto& m : t.members)
    if (m.agent && m.agent->highest_epoch < kMaxEpoch)
      highest = std::max(highest, m.agent->highest_epoch);
  return Epoch{highest.value + 1};
}

bool some_are_anothers(const Topology& t, TimePoint now, Plan& plan) {
  for (const auto* m : t.voters())
    if (m->is_anothers()) plan.hold(why_unusable(*m, {}), *unusable(*m, now));
  return !plan.guards.empty();
}

bool some_are_unknown(const Topology& t, TimePoint now, Plan& plan) {
  const auto before = plan.guards.size();
  for (const auto* m : t.voters()) {
    auto why = unusable(*m, now);
    if (!why) continue;
    if (waits_for_accounts(*m, now)) why = m->name + " is being given its accounts";
    plan.hold(why_unusable(*m, "MembersUnknown"), *why, m->agent ? m->agent->since : TimePoint{});
  }
  plan.forming = before == 0 && !plan.guards.empty();
  return plan.guards.size() > before;
}

void discover(const Topology& t, TimePoint now, Plan& plan) {
  plan.doing = "discovering what is there";
  if (some_are_anothers(t, now, plan)) return;
  ensure_accounts(t, next_epoch(t), plan);
  if (some_are_unknown(t, now, plan)) return;
  const Member* wanted = t.find(t.wanted);
  if (!wanted || wanted->isolated) {
    plan.hold("SourceNotListed",
              fmt::format("spec.source names \"{}\", which is no member: name one", t.wanted));
    return;
  }

  if (external_is_unusable(t, plan)) return;
  bool held = false;
  if (const auto* source = existing_source(t, plan, held)) {
    plan.record = begin(t, source->name, unknown_quorum(t));
    if (t.external && source->server()->read_only)
      return form_fed(t, *source, std::move(*plan.record), plan);
    plan.notes.push_back({false, "Adopted", source->name + " is the source that was found"});
    return;
  }
  if (held) return;
  for (const auto* m : t.voters()) {
    auto lacks = subtract(m->position(), wanted->position());
    if (lacks.empty()) continue;
    plan.hold("SourceLacksTransactions",
              fmt::format("{} has {} that {} lacks ({}); name {} as the source, or "
                          "rebuild it",
                          m->name, transactions(lacks.count()), wanted->name, lacks.to_string(),
                          m->name));
    return;
  }
  plan.record = begin(t, wanted->name, new_quorum(t));
  if (t.external) return form_fed(t, *wanted, std::move(*plan.record), plan);
  plan.record->operation = Operation{.type = OperationType::Form,
                                     .step = Step::Promote,
                                     .candidate = wanted->name,
                                     .reason = "new topology",
                                     .started = t.wall};
}

}  // namespace troupe::mysql_topology
