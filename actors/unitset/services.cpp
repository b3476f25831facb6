// The headless Service that names Pods, one over all Units, one a Unit.
#include "actors/model/ensure.hpp"
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

struct Wanted {
  std::string name;
  object spec;
  object labels;
  object annotations;
};

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
  body["spec"] = std::move(wanted.spec);
  ensure(d, "Service", object, kManager, std::move(body), live ? &live->metadata : nullptr);
}

void drop(const World& w, const k8s::ObjectPtr<k8s::Service>& live, Decision& d) {
  if (!live) return;
  const auto* owner = k8s::controller_of(live->metadata);
  if (!owner || owner->uid != w.object->metadata.uid) return;
  d.add("delete Service " + live->metadata.name.str(),
        Delete{ref_to(*live), live->metadata.uid.str(), {}});
}

}  // namespace

void keep_services(const World& w, const std::vector<Port>& ports, Decision& d) {
  const auto& o = *w.object;
  const auto set = o.metadata.name.str();
  auto labels = to_json(o.metadata.labels);
  labels[kUnitSetLabel] = set;
  const object whole_set{{kUnitSetLabel, set}};

  keep(w,
       {.name = set + "-headless-svc",
        .spec = {{"clusterIP", "None"},
                 {"publishNotReadyAddresses", true},
                 {"selector", whole_set},
                 {"ports", port_list(ports)}},
        .labels = labels,
        .annotations = {}},
       w.headless, d);

  const auto& external = o.spec.externalService;
  if (external && external->type)
    keep(w,
         {.name = set + "-svc",
          .spec = {{"type", k8s::to_string(*external->type)},
                   {"selector", whole_set},
                   {"ports", port_list(ports)}},
          .labels = labels,
          .annotations = to_json(external->annotations)},
         w.external, d);
  else
    drop(w, w.external, d);

  for (const auto& slot : w.slots) {
    const auto& each = o.spec.unitService;
    if (!each || !each->type) {
      drop(w, slot.service, d);
      continue;
    }
    auto unit_labels = labels;
    unit_labels[kUnitLabel] = slot.name;
    keep(w,
         {.name = slot.name + "-svc",
          .spec = {{"type", k8s::to_string(*each->type)},
                   {"publishNotReadyAddresses", true},
                   {"selector", object{{kUnitLabel, slot.name}}},
                   {"ports", port_list(ports)}},
          .labels = std::move(unit_labels),
          .annotations = to_json(each->annotations)},
         slot.service, d);
  }
}

}  // namespace troupe::actors::unitset
