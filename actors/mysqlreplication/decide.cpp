#include <fmt/format.h>

#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "actors/mysql_topology/decide.hpp"
#include "actors/mysqlreplication/parts.hpp"

namespace troupe::actors {
namespace {

using namespace mysqlreplication;
namespace topo = mysql_topology;

constexpr std::string_view kFinalizer = "troupe.dev/replication";

void finalizers(const World& w, bool present, Decision& d) {
  const auto& o = *w.object;
  boost::json::array kept;
  for (const auto& f : o.metadata.finalizers)
    if (f != kFinalizer) kept.emplace_back(f.view());
  if (present) kept.emplace_back(kFinalizer);
  d.add(present ? "add finalizer" : "remove finalizer",
        MergePatch{ref_to(o),
                   boost::json::serialize(boost::json::object{
                       {"metadata",
                        {{"finalizers", std::move(kept)},
                         {"resourceVersion", std::to_string(o.metadata.resourceVersion.value)}}}}),
                   o.metadata.resourceVersion});
}

// Steps of an operation that has ended may be asked for again by the next one.
void forget_ended(Memory& memory, const topo::Topology& t) {
  if (t.record.operation && t.record.operation->type == topo::OperationType::Rebuild) return;
  for (auto& [name, steps] : memory.members) {
    steps.outcomes.erase(topo::Verb::SaveTransactions);
    steps.outcomes.erase(topo::Verb::Clone);
  }
}

void tell_notes(const World& w, const topo::Plan& plan, Decision& d) {
  for (const auto& n : plan.notes) tell(d, *w.object, n.warning, n.reason, n.text);
}

void remove_order(const World& w, Decision& d) {
  d.add("remove annotation switchover-to",
        MergePatch{ref_to(*w.object),
                   boost::json::serialize(boost::json::object{
                       {"metadata", {{"annotations", {{kSwitchoverAnnotation, nullptr}}}}}}),
                   {}});
}

Decision let_go(const World& w) {
  Decision d;
  d.doing = "being deleted: labels go, servers keep their roles";
  remove_labels(w, d);
  if (labels_are_gone(w) && k8s::has_finalizer(w.object->metadata, kFinalizer))
    finalizers(w, false, d);
  return d;
}

}  // namespace

Decision MysqlReplicationKind::decide(const World& w, Memory& memory, TimePoint now) {
  if (!w.object) return {};
  if (w.object->metadata.deletionTimestamp) return let_go(w);
  Decision d;
  if (!k8s::has_finalizer(w.object->metadata, kFinalizer)) finalizers(w, true, d);

  auto login = credentials(w);
  const auto t = topology_of(w, memory);
  forget_ended(memory, t);
  topo::Plan plan;
  if (w.object->spec.mode == k8s::ReplicationMode::Group) {
    plan.hold("ModeNotServed", "mode group_replication is not served yet: use rpl_semi_sync");
    plan.doing = "waiting for a mode that is served";
  } else if (login) {
    plan = topo::decide(t, now);
  } else {
    plan.hold("CredentialsMissing", login.error().message);
    plan.doing = "waiting for credentials";
    // Roles stay as they are: nothing is changed that cannot be seen.
    for (const auto* m : t.voters())
      plan.roles[m->name] = m->name == t.record.current ? topo::Role::Source : topo::Role::Replica;
  }
  want_observations(w, login ? &*login : nullptr, d);
  if (plan.record) write_record(w, *plan.record, d);
  if (login) ask_members(w, plan, *login, d);
  if (plan.note_done) remove_order(w, d);
  keep_resources(w, plan, d);
  tell_notes(w, plan, d);
  if (!plan.record) write_status(w, memory, plan, now, d);
  d.guards = std::move(plan.guards);
  d.doing = std::move(plan.doing);
  d.wake_at(plan.wake);
  return d;
}

}  // namespace troupe::actors
