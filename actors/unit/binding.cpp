// spec.unbindNode: false. The node that the Pod first runs on is noted in an annotation, and in the
// template as a node selector, which the scheduler adds to whatever else the template asks for.
//
// A Pod that runs can neither take the selector nor lose it, and must not be replaced for it: so it
// is left out of the template's hash, and a Pod keeps what it was made with.
#include <fmt/format.h>

#include "actors/model/ensure.hpp"
#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/unit/parts.hpp"

namespace troupe::actors::unit {
namespace {

using boost::json::object;

constexpr std::string_view kHostname = "kubernetes.io/hostname";

// Nodes are selected by label, which is not always their name.
std::string hostname_of(const k8s::ObjectPtr<k8s::Node>& node, std::string_view name) {
  const auto label = node ? node->metadata.labels.get(kHostname) : k8s::Text();
  return label.empty() ? std::string(name) : label.str();
}

std::string selected(const object& pod_spec) {
  const auto* selector = find_object(pod_spec, "nodeSelector");
  return selector ? text_at(*selector, kHostname) : std::string();
}

void patch(const World& w, boost::json::value node, boost::json::value hostname, Decision& d) {
  patch_as_seen(
      d, "note node", *w.object,
      {{"metadata", {{"annotations", object{{kLastNodeAnnotation, std::move(node)}}}}},
       {"spec",
        {{"template", {{"spec", {{"nodeSelector", object{{kHostname, std::move(hostname)}}}}}}}}}});
}

}  // namespace

std::string noted_node(const k8s::Unit& unit) {
  return unit.metadata.annotations.get(kLastNodeAnnotation).str();
}

std::string take_binding_out(const World& w, object& pod_spec) {
  const auto noted = noted_node(*w.object);
  auto hostname = selected(pod_spec);
  const bool ours = !noted.empty() && hostname == hostname_of(w.bound_node, noted);
  if (!ours) hostname.clear();
  // Order is part of the hash; and a selector that was taken back leaves an empty object.
  if (auto* selector = pod_spec.if_contains("nodeSelector"); selector && selector->is_object()) {
    if (ours) selector->as_object().stable_erase(kHostname);
    if (selector->as_object().empty()) pod_spec.stable_erase("nodeSelector");
  }
  return hostname;
}

void put_binding_in(object& pod_spec, std::string_view hostname) {
  object_at(pod_spec, "nodeSelector")[kHostname] = hostname;
}

void keep_binding(const World& w, Decision& d) {
  const auto noted = noted_node(*w.object);
  if (w.object->spec.unbindNode) {
    if (noted.empty()) return;
    auto spec = template_spec(w);
    const auto before = selected(spec);
    const bool ours = !take_binding_out(w, spec).empty();
    patch(w, nullptr, ours || before.empty() ? boost::json::value() : boost::json::string(before),
          d);
    return;
  }
  if (!noted.empty()) {
    if (!w.bound_node && !(w.pod && !w.pod->spec.nodeName.empty()))
      d.hold("NodeMissing",
             fmt::format("node {}, which the Unit is bound to, does not exist: set spec.unbindNode "
                         "to let the Pod move",
                         noted));
    return;
  }
  if (!w.pod || w.pod->spec.nodeName.empty() || w.pod->metadata.deletionTimestamp) return;
  // A template that names a node needs no second word.
  if (!selected(template_spec(w)).empty()) return;
  const auto node = w.pod->spec.nodeName.view();
  patch(w, boost::json::string(node), boost::json::string(hostname_of(w.node, node)), d);
}

}  // namespace troupe::actors::unit
