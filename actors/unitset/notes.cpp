// Annotations of the set: where its Units ran, which node ports its Services were given.
#include <fmt/format.h>

#include "actors/model/ensure.hpp"
#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"

namespace troupe::actors::unitset {
namespace {

using boost::json::object;

// Our entries of the node map, and {"<service>": {"<port>": 30306}}.
constexpr std::string_view kFilledNodes = "troupe.dev/node-name-map-filled";
constexpr std::string_view kNodePorts = "troupe.dev/node-ports";
constexpr std::string_view kNeverPin = "noneSet";

object annotation(const World& w, std::string_view name) {
  return parse_object(w.object->metadata.annotations.get(name));
}

// Whether the entry is one that we filled in and nobody has changed since.
bool is_filled(const object& map, const object& filled, std::string_view unit) {
  const auto* entry = map.if_contains(unit);
  const auto* ours = filled.if_contains(unit);
  return entry && ours && *entry == *ours;
}

bool has_slot(const World& w, std::string_view unit) {
  for (const auto* slots : {&w.slots, &w.surplus})
    for (const auto& s : *slots)
      if (s.name == unit) return true;
  return false;
}

void fill_nodes(const World& w, object& map, object& filled) {
  for (const auto& slot : w.slots) {
    const auto node = slot.unit ? slot.unit->status.nodeName : k8s::Text();
    if (node.empty() || (map.contains(slot.name) && !is_filled(map, filled, slot.name))) continue;
    map[slot.name] = filled[slot.name] = node.view();
  }
  const object before = filled;
  for (const auto& [unit, node] : before) {
    if (has_slot(w, unit)) continue;
    if (is_filled(map, filled, unit)) map.erase(unit);
    filled.erase(unit);
  }
}

void note_ports(const k8s::ObjectPtr<k8s::Service>& service, object& noted) {
  if (!service) return;
  for (const auto& port : service->spec.ports)
    if (port.nodePort != 0)
      object_at(noted, service->metadata.name.view())[port.name.view()] = port.nodePort;
}

// null removes an annotation.
boost::json::value text_of(const object& content) {
  if (content.empty()) return nullptr;
  return boost::json::string(boost::json::serialize(content));
}

}  // namespace

std::optional<std::string> pinned_node(const World& w, const Slot& slot) {
  const auto map = annotation(w, kNodeMapAnnotation);
  const auto node = text_at(map, slot.name);
  if (node.empty() || node == kNeverPin) return std::nullopt;
  if (is_filled(map, annotation(w, kFilledNodes), slot.name)) return std::nullopt;
  return node;
}

std::int64_t noted_node_port(const World& w, std::string_view service, std::string_view port) {
  const auto noted = annotation(w, kNodePorts);
  const auto* ports = find_object(noted, service);
  const auto* number = ports ? ports->if_contains(port) : nullptr;
  return number && number->is_int64() ? number->as_int64() : 0;
}

void keep_notes(const World& w, Decision& d) {
  const auto& o = *w.object;
  const auto text = o.metadata.annotations.get(kNodeMapAnnotation);
  auto map = annotation(w, kNodeMapAnnotation);
  auto filled = annotation(w, kFilledNodes);
  auto ports = annotation(w, kNodePorts);
  const auto had_map = map, had_filled = filled, had_ports = ports;
  if (map.empty() && !text.empty() && text != "{}")
    d.hold("NodeMapInvalid",
           fmt::format("annotation {} must be a JSON object such as {{\"{}-0\": \"node-1\"}}",
                       kNodeMapAnnotation, o.metadata.name));
  else
    fill_nodes(w, map, filled);
  note_ports(w.external, ports);
  for (const auto& slot : w.slots) note_ports(slot.service, ports);

  object changed;
  if (map != had_map) changed[kNodeMapAnnotation] = text_of(map);
  if (filled != had_filled) changed[kFilledNodes] = text_of(filled);
  if (ports != had_ports) changed[kNodePorts] = text_of(ports);
  if (changed.empty()) return;
  patch_as_seen(d, "annotate", o, {{"metadata", {{"annotations", std::move(changed)}}}});
}

}  // namespace troupe::actors::unitset
