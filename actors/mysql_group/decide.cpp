#include "actors/mysql_group/decide.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_group/steps.hpp"

namespace troupe::mysql_group {
namespace {

// Whom the group has elected, and why, for people.
std::string story(const PersistedRecord& before, const Member& primary) {
  return before.current.empty() ? fmt::format("{} is the primary of the group", primary.name)
                                : fmt::format("the group has made {} its primary in place of {}",
                                              primary.name, before.current);
}

PersistedRecord after_operation(const Topology& t, const Member& primary) {
  const bool as_ordered = t.record.operation->candidate == primary.name;
  return topo::finished(
      t,
      as_ordered ? fmt::format("{}: {} took over from {}: {}", to_string(t.record.operation->type),
                               primary.name, t.record.operation->from, t.record.operation->reason)
                 : story(t.record, primary),
      !as_ordered);
}

bool works(const Member& m, TimePoint now) {
  return m.answers(now) && !m.server()->offline_mode && own_state(m) == GroupState::Online;
}

// Who does not answer may be with others in the group, and nobody contradicts what is on record.
void keep_roles(const Topology& t, TimePoint now, Plan& plan) {
  for (const auto* m : t.voters()) {
    if (m->answers(now) || death_of(t, *m, now))
      plan.roles[m->name] = Role::None;
    else if (m->name == t.record.current)
      plan.roles[m->name] = Role::Source;
  }
}

void watch_primary(const Member& primary, TimePoint now, Plan& plan) {
  if (const auto why = topo::unusable(primary, now)) {
    plan.doing = "the primary does not answer";
    plan.hold(topo::why_unusable_now(primary, "SourceUnusable", now), *why,
              primary.probe ? primary.probe->since : TimePoint{});
    return;
  }
  const auto& s = *primary.server();
  plan.writable = works(primary, now) && !s.super_read_only;
}

// One member after the other is told the accounts that have changed, while all of them work.
void pass_on_accounts(const Topology& t, Plan& plan) {
  if (t.accounts <= 1) return;
  for (const auto* m : t.voters()) {
    const auto started = m->outcomes.find(Verb::StartGroup);
    const bool told = started != m->outcomes.end() && started->second.ok &&
                      started->second.accounts == t.accounts;
    if (told || !m->given_accounts(t.accounts)) continue;
    plan.commands.push_back(start_command(t, *m));
    return;
  }
}

void in_group(const Topology& t, const View& view, TimePoint now, Plan& plan) {
  assign_roles(t, view, now, plan);
  const auto* primary = view.primary();
  const bool is_listed = !primary || primary->is_listed();
  // Clients go on writing to one that was taken out, until another takes its role over.
  if (!is_listed) plan.roles_stand = true;
  if (!view.strangers.empty())
    plan.hold("StrangerInGroup", fmt::format("{} is in the group and in no specification: stop "
                                             "group replication there",
                                             fmt::join(view.strangers, ", ")));
  if (follow_election(t, view, plan)) return;
  const auto& op = t.record.operation;
  if (op && op->type == OperationType::Switchover) return resume_switchover(t, view, now, plan);
  if (op && op->type == OperationType::Rebuild) resume_rebuild(t, view, now, plan);
  if (!is_listed) {
    if (!plan.record && !op) hand_over_to_a_member(t, view, now, plan);
    return;
  }
  if (primary) {
    topo::withdraw_order(t, *primary, now, plan);
    watch_primary(*primary, now, plan);
  } else {
    plan.hold("NoPrimary", "the group is electing its primary");
  }
  let_leave(t, view, now, plan);
  const bool all = keep_members(t, view, now, plan);
  plan.ready = all && plan.writable && !plan.record && !op;
  topo::say_what_is_asked(plan);
  if (plan.ready) pass_on_accounts(t, plan);
  if (primary && !plan.record && !op) consider_order(t, view, now, plan);
}

void keep(const Topology& t, TimePoint now, Plan& plan) {
  plan.doing = topo::kWatching;
  const auto sight = look(t, now);
  if (!sight.several.empty()) {
    plan.roles_stand = true;
    plan.hold("SeveralGroups", sight.several +
                                   ": decide which of them is right, and stop group "
                                   "replication on the members of the others");
    return;
  }
  topo::ensure_accounts(t, t.record.epoch, plan);
  if (sight.view) return in_group(t, *sight.view, now, plan);
  keep_roles(t, now, plan);
  without_group(t, now, plan);
}

void plan_next(const Topology& t, TimePoint now, Plan& plan) {
  if (t.record.current.empty()) return discover(t, now, plan);
  if (t.record.group.empty()) {
    plan.roles_stand = true;
    return plan.hold("ModeChanged",
                     "these servers replicate in another mode: set spec.mode back, or make another "
                     "MysqlReplication of new servers");
  }
  if (t.record.operation && t.record.operation->type == OperationType::Bootstrap)
    return resume_bootstrap(t, now, plan);
  keep(t, now, plan);
}

}  // namespace

Plan decide(const Topology& t, TimePoint now) { return topo::decide_by(plan_next, t, now); }

bool belongs(const Topology& t, const Member& m) { return t.counts(m) || m.is_listed(); }

topo::Command start_command(const Topology& t, const Member& m) {
  return {.member = m.name,
          .verb = Verb::StartGroup,
          .epoch = t.record.epoch,
          .group = t.record.group,
          .accounts = t.accounts};
}

void assign_roles(const Topology& t, const View& view, TimePoint now, Plan& plan) {
  const auto* primary = view.primary();
  for (const auto* m : t.voters()) {
    // Whom we cannot reach others may: the group says whether it works.
    const bool serves =
        view.has_online(*m) && !death_of(t, *m, now) && (!m->answers(now) || works(*m, now));
    plan.roles[m->name] = !serves ? Role::None : m == primary ? Role::Source : Role::Replica;
  }
}

bool follow_election(const Topology& t, const View& view, Plan& plan) {
  const auto* primary = view.primary();
  if (!primary || primary->name == t.record.current) return false;
  const auto& op = t.record.operation;
  const bool switches = op && op->type == OperationType::Switchover;
  auto record = switches ? after_operation(t, *primary) : t.record;
  if (!switches || op->candidate != primary->name) record.epoch.value += 1;
  const auto text = story(t.record, *primary);
  if (!switches)
    record.last = topo::Finished{.type = OperationType::Failover,
                                 .from = t.record.current,
                                 .candidate = primary->name,
                                 .epoch = record.epoch,
                                 .text = text,
                                 .started = t.wall,
                                 .finished = t.wall};
  record.current = primary->name;
  plan.record = std::move(record);
  plan.doing = text;
  return true;
}

}  // namespace troupe::mysql_group
