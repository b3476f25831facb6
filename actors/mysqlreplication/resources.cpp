// Labels of Pods, Services, the disruption budget: who is reached by which name.
#include <fmt/format.h>

#include <algorithm>

#include "actors/model/ensure.hpp"
#include "actors/model/names.hpp"
#include "actors/mysqlreplication/parts.hpp"

namespace troupe::actors::mysqlreplication {

namespace topo = mysql_topology;

namespace {

constexpr std::string_view kManager = "troupe-replication";

// Labels of a Pod are a concern of their own; the rest of it is the Unit's.
void label(const k8s::Pod& pod, std::string_view instance, std::string_view readonly, Decision& d) {
  const auto& labels = pod.metadata.labels;
  if (labels.get(kReplicationLabel) == instance && labels.get(kReadonlyLabel) == readonly) return;
  if (pod.metadata.deletionTimestamp && readonly == "false") return;
  auto body = skeleton<k8s::Pod>(pod.metadata.namespace_, pod.metadata.name);
  auto& metadata = body["metadata"].as_object();
  metadata["uid"] = pod.metadata.uid.view();  // of this Pod only, and never makes one
  boost::json::object wanted;
  if (!instance.empty()) wanted[kReplicationLabel] = instance;
  if (!readonly.empty()) wanted[kReadonlyLabel] = readonly;
  metadata["labels"] = std::move(wanted);
  const auto object = ref_to(pod);
  d.add(apply_key("Pod", object, kManager), Apply{.object = object,
                                                  .manager = std::string(kManager),
                                                  .body = boost::json::serialize(body),
                                                  .urgent = true});
}

// Pods of others are theirs to label.
bool bears_our_label(const World& w, const k8s::ObjectPtr<k8s::Pod>& pod) {
  return pod && pod->metadata.labels.get(kReplicationLabel) == w.object->metadata.name;
}

std::string_view readonly_text(topo::Role role) {
  switch (role) {
    case topo::Role::Source:
      return "false";
    case topo::Role::Replica:
      return "true";
    case topo::Role::None:
      return "";
  }
  return "";
}

topo::Role role_of(const k8s::Pod& pod) {
  const auto readonly = pod.metadata.labels.get(kReadonlyLabel);
  for (const auto role : {topo::Role::Source, topo::Role::Replica})
    if (readonly == readonly_text(role)) return role;
  return topo::Role::None;
}

void service(const World& w, const k8s::ObjectPtr<k8s::Service>& live, std::string_view suffix,
             std::string_view readonly, Decision& d) {
  const auto& o = *w.object;
  const auto name = fmt::format("{}-{}", o.metadata.name, suffix);
  auto body = skeleton<k8s::Service>(o.metadata.namespace_, name);
  auto& metadata = body["metadata"].as_object();
  metadata["labels"] = to_json(o.metadata.labels);
  metadata["ownerReferences"] = owned_by(o);
  const auto port = o.spec.source.port;
  body["spec"] = {
      {"type", k8s::to_string(o.spec.service.type)},
      {"selector", {{kReplicationLabel, o.metadata.name.view()}, {kReadonlyLabel, readonly}}},
      {"ports", {{{"name", "mysql"}, {"protocol", "TCP"}, {"port", port}, {"targetPort", port}}}}};
  // One label more, and it selects nobody.
  const bool drifted = live && (live->spec.selector.size() != 2 ||
                                live->spec.selector.get(kReadonlyLabel) != readonly ||
                                live->spec.selector.get(kReplicationLabel) != o.metadata.name);
  ensure(d, "Service", ref<k8s::Service>(o.metadata.namespace_, name), kManager, std::move(body),
         live ? &live->metadata : nullptr, drifted);
}

// As many may be away as the acknowledgements that a commit needs can spare.
void budget(const World& w, std::size_t voters, Decision& d) {
  const auto& o = *w.object;
  const auto object = ref<k8s::PodDisruptionBudget>(o.metadata.namespace_, o.metadata.name);
  if (voters < 3) {
    if (w.budget)
      d.add("delete PodDisruptionBudget " + object.name,
            Delete{object, w.budget->metadata.uid.str(), {}});
    return;
  }
  auto body = skeleton<k8s::PodDisruptionBudget>(o.metadata.namespace_, o.metadata.name);
  body["metadata"].as_object()["ownerReferences"] = owned_by(o);
  body["spec"] = {{"maxUnavailable", 1},
                  {"selector", {{"matchLabels", {{kReplicationLabel, o.metadata.name.view()}}}}}};
  ensure(d, "PodDisruptionBudget", object, kManager, std::move(body),
         w.budget ? &w.budget->metadata : nullptr);
}

void label_pods(const World& w, const topo::Plan& plan, Decision& d) {
  const auto instance = w.object->metadata.name.view();
  for (const auto& n : w.nodes) {
    if (!n.pod || !is_ours(w, n)) continue;
    if (n.takes_part())
      label(*n.pod, instance, readonly_text(topo::role_after(plan, n.name, role_of(*n.pod))), d);
    else
      label(*n.pod, "", "", d);
  }
  for (const auto& pod : w.strays) label(*pod, "", "", d);
}

void services_and_budget(const World& w, const topo::Plan& plan, std::size_t voters, Decision& d) {
  const auto& o = *w.object;
  service(w, w.readwrite, "readwrite", "false", d);
  if (!o.spec.replica.empty())
    service(w, w.readonly, "readonly", "true", d);
  else if (w.readonly && !plan.roles_stand)
    d.add("delete Service " + w.readonly->metadata.name.str(),
          Delete{ref_to(*w.readonly), w.readonly->metadata.uid.str(), {}});
  if (!plan.roles_stand) budget(w, voters, d);
}

}  // namespace

void keep_resources(const World& w, Memory& memory, const topo::Plan& plan, Decision& d) {
  if (!plan.roles_stand) label_pods(w, plan, d);
  // They would lead nowhere, perhaps for good: all members may be another's.
  if (!has_members(w) && !w.readwrite) return;
  const auto voters = static_cast<std::size_t>(
      std::count_if(w.nodes.begin(), w.nodes.end(), std::mem_fn(&Node::takes_part)));
  const auto inputs = Inputs()
                          .specified(w.object)
                          .version(w.readwrite)
                          .version(w.readonly)
                          .specified(w.budget)
                          .number(voters)
                          .number(plan.roles_stand);
  memory.resources.keep(inputs, d, [&] { services_and_budget(w, plan, voters, d); });
}

void remove_labels(const World& w, Decision& d) {
  for (const auto& n : w.nodes)
    if (bears_our_label(w, n.pod)) label(*n.pod, "", "", d);
  for (const auto& pod : w.strays) label(*pod, "", "", d);
}

bool labels_are_gone(const World& w) {
  return w.strays.empty() && std::none_of(w.nodes.begin(), w.nodes.end(), [&w](const Node& n) {
           return bears_our_label(w, n.pod);
         });
}

}  // namespace troupe::actors::mysqlreplication
