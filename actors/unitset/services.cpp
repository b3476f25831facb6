// The headless Service that names Pods, one over all Units, one a Unit.
#include "actors/model/ensure.hpp"
#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"

namespace troupe::actors::unitset {
namespace {

using boost::json::array;
using boost::json::object;

array port_list(const std::vector<Port>& ports) {
  array out;
  for (const auto& p : ports)
    out.push_back(
        {{"name", p.name}, {"protocol", p.protocol}, {"port", p.number}, {"targetPort", p.number}});
  return out;
}

// A Service that is made again gets the node ports that it had: clients know them.
array port_list(const World& w, std::string_view service, k8s::ServiceType type,
                const std::vector<Port>& ports) {
  auto out = port_list(ports);
  if (type == k8s::ServiceType::ClusterIP) return out;
  for (auto& p : out)
    if (const auto noted = noted_node_port(w, service, text_at(p.as_object(), "name")))
      p.as_object()["nodePort"] = noted;
  return out;
}

struct Wanted {
  std::string name;
  object spec;
  object labels;
  object annotations;
};

// What a hand may have changed since we applied it.
bool has_drifted(const k8s::Service& live, const object& wanted) {
  if (wanted.contains("type") && live.spec.type != text_at(wanted, "type")) return true;
  if (to_json(live.spec.selector) != wanted.at("selector")) return true;
  const auto& ports = wanted.at("ports").as_array();
  if (live.spec.ports.size() != ports.size()) return true;
  for (const auto& p : ports) {
    const auto* has = live.spec.ports.find(&k8s::ServicePort::name, text_at(p.as_object(), "name"));
    if (!has || has->port != p.as_object().at("port").as_int64()) return true;
  }
  return false;
}

void keep(const World& w, Wanted wanted, const k8s::ObjectPtr<k8s::Service>& live, Decision& d) {
  const auto& o = *w.object;
  const auto object = ref<k8s::Service>(o.metadata.namespace_, wanted.name);
  // <set>-svc of one set may bear the name of a Unit's Service of another.
  if (live) {
    const auto* owner = k8s::controller_of(live->metadata);
    if (!owner || owner->uid != o.metadata.uid)
      return d.hold("NameTaken", "Service " + wanted.name +
                                     " belongs to something else: rename this UnitSet, or "
                                     "delete that Service");
  }
  auto body = skeleton<k8s::Service>(o.metadata.namespace_, wanted.name);
  auto& metadata = body["metadata"].as_object();
  metadata["labels"] = std::move(wanted.labels);
  if (!wanted.annotations.empty()) metadata["annotations"] = std::move(wanted.annotations);
  metadata["ownerReferences"] = owned_by(o);
  const bool drifted = live && has_drifted(*live, wanted.spec);
  body["spec"] = std::move(wanted.spec);
  ensure(d, "Service", object, kManager, std::move(body), live ? &live->metadata : nullptr,
         drifted);
}

void drop(const World& w, const k8s::ObjectPtr<k8s::Service>& live, Decision& d) {
  if (!live) return;
  const auto* owner = k8s::controller_of(live->metadata);
  if (!owner || owner->uid != w.object->metadata.uid) return;
  d.add("delete Service " + live->metadata.name.str(),
        Delete{ref_to(*live), live->metadata.uid.str(), {}});
}

void keep_external(const World& w, const std::vector<Port>& ports, const object& labels,
                   Decision& d) {
  const auto& wanted = w.object->spec.externalService;
  if (!wanted || !wanted->type) return drop(w, w.external, d);
  const auto set = w.object->metadata.name.str();
  const auto name = set + "-svc";
  keep(w,
       {.name = name,
        .spec = {{"type", k8s::to_string(*wanted->type)},
                 {"selector", object{{kUnitSetLabel, set}}},
                 {"ports", port_list(w, name, *wanted->type, ports)}},
        .labels = labels,
        .annotations = to_json(wanted->annotations)},
       w.external, d);
}

void keep_each(const World& w, const Slot& slot, const std::vector<Port>& ports, object labels,
               Decision& d) {
  const auto& wanted = w.object->spec.unitService;
  if (!wanted || !wanted->type) return drop(w, slot.service, d);
  const auto name = slot.name + "-svc";
  labels[kUnitLabel] = slot.name;
  keep(w,
       {.name = name,
        .spec = {{"type", k8s::to_string(*wanted->type)},
                 {"publishNotReadyAddresses", true},
                 {"selector", object{{kUnitLabel, slot.name}}},
                 {"ports", port_list(w, name, *wanted->type, ports)}},
        .labels = std::move(labels),
        .annotations = to_json(wanted->annotations)},
       slot.service, d);
}

}  // namespace

void keep_services(const World& w, const std::vector<Port>& ports, Decision& d) {
  const auto set = w.object->metadata.name.str();
  auto labels = to_json(w.object->metadata.labels);
  labels[kUnitSetLabel] = set;
  keep(w,
       {.name = set + "-headless-svc",
        .spec = {{"clusterIP", "None"},
                 {"publishNotReadyAddresses", true},
                 {"selector", object{{kUnitSetLabel, set}}},
                 {"ports", port_list(ports)}},
        .labels = labels,
        .annotations = {}},
       w.headless, d);
  keep_external(w, ports, labels, d);
  for (const auto& slot : w.slots) keep_each(w, slot, ports, labels, d);
}

}  // namespace troupe::actors::unitset
