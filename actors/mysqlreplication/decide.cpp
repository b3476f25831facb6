#include <fmt/format.h>

#include <algorithm>

#include "actors/model/credentials.hpp"
#include "actors/model/ensure.hpp"
#include "actors/model/flag.hpp"
#include "actors/model/names.hpp"
#include "actors/mysql_group/decide.hpp"
#include "actors/mysql_topology/decide.hpp"
#include "actors/mysqlreplication/parts.hpp"

namespace troupe::actors {
namespace {

using namespace mysqlreplication;
namespace topo = mysql_topology;

constexpr std::string_view kFinalizer = "troupe.dev/replication";

// Nothing can be decided: roles stay as they were, and nothing is changed that cannot be seen. A
// Pod of the source that is new is reached all the same.
topo::Plan hold_still(const topo::Topology& t, std::string rule, std::string text) {
  topo::Plan plan;
  plan.doing = "waiting: " + text;
  plan.hold(std::move(rule), std::move(text));
  if (!t.record.current.empty()) plan.roles[t.record.current] = topo::Role::Source;
  return plan;
}

// A group follows nobody.
topo::Plan plan_for_group(const topo::Topology& t, TimePoint now) {
  auto plan = mysql_group::decide(t, now);
  if (!t.external) return plan;
  plan.order =
      "a group has no external source: take the annotation away, or make a MysqlReplication "
      "of another mode";
  plan.refusals.push_back({"ExternalSourceUnsupported", plan.order, {}});
  return plan;
}

// A person who wrote anything that is not false wants servers left alone.
std::optional<std::string> why_stopped(const k8s::MysqlReplication& o) {
  const auto value = o.metadata.annotations.get(kClusteringStoppedAnnotation);
  const auto flag = flag_of(value);
  if (flag == false) return std::nullopt;
  return fmt::format("annotation {} is {}: no role is changed, whatever becomes of the servers",
                     kClusteringStoppedAnnotation,
                     flag ? "there"
                          : fmt::format("\"{}\", where true or false was expected, and is taken "
                                        "for true",
                                        value));
}

// That nobody takes its place is decided; that it is gone is to be known.
void tell_dead_source(const topo::Topology& t, TimePoint now, topo::Plan& plan) {
  const auto* source = t.find(t.record.current);
  if (!source) return;
  if (const auto death = topo::death_of(t, *source, now))
    plan.hold("SourceDead", death->evidence, death->since);
}

topo::Plan plan_for(const World& w, const topo::Topology& t, const Result<Credentials>& login,
                    TimePoint now) {
  if (t.mode != topo::Mode::Group && !t.record.group.empty())
    return hold_still(t, "ModeChanged",
                      "these servers are a group: set spec.mode back to group_replication, or make "
                      "another MysqlReplication of new servers");
  if (const auto why = why_stopped(*w.object)) {
    auto plan = hold_still(t, "ClusteringStopped", *why);
    tell_dead_source(t, now, plan);
    return plan;
  }
  if (login) return t.mode == topo::Mode::Group ? plan_for_group(t, now) : topo::decide(t, now);
  return hold_still(t, std::string(rule_of_credentials(login.error())), login.error().message);
}

// The same in another epoch is news.
void tell_notes(const World& w, const topo::Plan& plan, Decision& d) {
  if (!plan.record) return;
  for (const auto& n : plan.notes)
    tell(d, *w.object, n.warning, n.reason,
         fmt::format("epoch {}: {}", plan.record->epoch.value, n.text));
}

// As it was seen, and no other that somebody has given since.
void remove_order(const World& w, Decision& d) {
  patch_as_seen(d, "remove annotation switchover-to", *w.object,
                {{"metadata", {{"annotations", {{kSwitchoverAnnotation, nullptr}}}}}});
}

// One that was made in a failover is told with what was given up.
void remove_choice(const World& w, Decision& d) {
  const auto& operation = w.object->status.operation;
  if (!operation || operation->type != k8s::OperationType::Failover)
    tell(d, *w.object, true, "ChoiceWithdrawn",
         fmt::format(
             "annotation {}={} is taken away: there is nothing to choose, as no members that "
             "a new source could be have diverged",
             kRecoverOnAnnotation, w.object->metadata.annotations.get(kRecoverOnAnnotation)));
  patch_as_seen(d, "remove annotation recover-on", *w.object,
                {{"metadata", {{"annotations", {{kRecoverOnAnnotation, nullptr}}}}}});
}

// An order that names nobody at all, as `kubectl annotate ... switchover-to=` gives it.
void withdraw_empty_order(const World& w, Decision& d) {
  const auto* order = w.object->metadata.annotations.find(kSwitchoverAnnotation);
  if (!order || !order->empty()) return;
  tell(d, *w.object, true, topo::kWithdrawn,
       fmt::format("the order to switch over is withdrawn: annotation {} names nobody",
                   kSwitchoverAnnotation));
  remove_order(w, d);
}

// It stands in the status first, to be read when the order is gone.
void withdraw_order(const World& w, const topo::Plan& plan, Decision& d) {
  const auto* told = k8s::find_condition(w.object->status.conditions, kOrderObeyed);
  if (!told || told->message != plan.order) return;
  tell(d, *w.object, true, topo::kWithdrawn, plan.order);
  remove_order(w, d);
}

// Then the status, which otherwise waits for the record, says so.
bool is_refused(const World& w, std::string_view key) {
  return std::any_of(w.refused.begin(), w.refused.end(),
                     [key](const Refusal& r) { return r.key == key; });
}

Decision let_go(const World& w) {
  Decision d;
  d.doing = "being deleted: labels go, servers keep their roles";
  remove_labels(w, d);
  if (!labels_are_gone(w)) return d;
  release_members(w, d);
  if (!has_members(w) && k8s::has_finalizer(w.object->metadata, kFinalizer))
    set_finalizer(d, ref_to(*w.object), w.object->metadata, kFinalizer, false);
  return d;
}

}  // namespace

Decision MysqlReplicationKind::decide(const World& w, Memory& memory, TimePoint now) {
  if (!w.object) return {};
  if (w.object->metadata.deletionTimestamp) return let_go(w);
  Decision d;
  if (!k8s::has_finalizer(w.object->metadata, kFinalizer))
    set_finalizer(d, ref_to(*w.object), w.object->metadata, kFinalizer, true);

  keep_members(w, d);
  const auto& login = w.credentials;
  if (login) memory.accounts.of(*login);
  if (!w.external_name.empty() && w.external) memory.external.of(*w.external);
  auto plan = plan_for(w, topology_of(w, memory), login, now);
  date_guards(w, plan.guards, now);
  date_guards(w, plan.refusals, now);
  want_observations(w, login ? &*login : nullptr, d);
  if (plan.record) write_record(w, *plan.record, d);
  if (login) ask_members(w, plan, *login, d);
  if (login) remember_orders(w, plan, now, memory);
  withdraw_empty_order(w, d);
  if (plan.note_done) remove_order(w, d);
  if (plan.note_void) withdraw_order(w, plan, d);
  if (plan.choice_over) remove_choice(w, d);
  keep_resources(w, memory, plan, d);
  tell_notes(w, plan, d);
  tell_operations(w, memory, d);
  if (!plan.record || is_refused(w, kRecordKey)) write_status(w, memory, plan, now, d);
  d.guards.insert(d.guards.begin(), plan.guards.begin(), plan.guards.end());
  d.guards.insert(d.guards.end(), plan.refusals.begin(), plan.refusals.end());
  d.doing = std::move(plan.doing);
  d.wake_at(plan.wake);
  return d;
}

}  // namespace troupe::actors
