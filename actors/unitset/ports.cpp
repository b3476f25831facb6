// The ports of a set's Units, and which copies are of its version.
#include <fmt/format.h>

#include <charconv>

#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/unitset/parts.hpp"

namespace troupe::actors::unitset {
namespace {

using boost::json::object;

constexpr std::int64_t kHighestPort = 65535;

// Written as a number, or as a text that holds nothing else.
std::int64_t number_of(const boost::json::value& v) {
  if (v.is_int64()) return v.as_int64();
  if (!v.is_string()) return 0;
  const std::string_view text = v.as_string();
  std::int64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  return ec == std::errc() && end == text.data() + text.size() ? n : 0;
}

// {"name": "mysql", "containerPort": "3306", "protocol": "TCP"}; the number 0 if it is none.
Port port_of(const boost::json::value& item) {
  Port p;
  if (!item.is_object()) return p;
  const auto& o = item.as_object();
  p.name = text_at(o, "name");
  if (auto protocol = text_at(o, "protocol"); !protocol.empty()) p.protocol = std::move(protocol);
  const auto* number = o.if_contains("containerPort");
  const auto n = number ? number_of(*number) : 0;
  if (n >= 1 && n <= kHighestPort) p.number = static_cast<std::int32_t>(n);
  return p;
}

Result<std::vector<Port>> shared_ports(const World& w, const std::string& key) {
  const auto& name = w.object->spec.sharedConfigName;
  boost::system::error_code ec;
  const auto list = boost::json::parse(w.shared->data.get(key).view(), ec);
  if (ec || !list.is_array())
    return error(Code::Invalid,
                 fmt::format("ConfigMap {}: key {} must be a JSON array such as "
                             "[{{\"name\": \"mysql\", \"containerPort\": \"3306\"}}]",
                             name, key));
  std::vector<Port> ports;
  for (const auto& item : list.as_array()) {
    ports.push_back(port_of(item));
    if (ports.back().number == 0)
      return error(Code::Invalid,
                   fmt::format("ConfigMap {}: key {}: port {} needs a containerPort from 1 to {}",
                               name, key, ports.back().name, kHighestPort));
  }
  return ports;
}

}  // namespace

bool is_of_version(const World& w, const k8s::ObjectMeta& copy) {
  return copy.annotations.get(kVersionAnnotation) == w.object->spec.version;
}

Result<std::vector<Port>> ports_of(const World& w) {
  const auto& spec = w.object->spec;
  const auto key = fmt::format("{}_ports", spec.type);
  if (w.shared && w.shared->data.contains(key)) return shared_ports(w, key);
  const auto* pod = find_object(*w.base_template, "spec");
  const auto* containers = pod ? find_array(*pod, "containers") : nullptr;
  const auto* main = containers ? find_named(*containers, spec.type.view()) : nullptr;
  if (!main)
    return error(Code::Invalid, fmt::format("PodTemplate {}/{} has no container named {}",
                                            w.operator_namespace, w.template_name, spec.type));
  std::vector<Port> ports;
  if (const auto* list = find_array(*main, "ports"))
    for (const auto& item : *list) ports.push_back(port_of(item));
  return ports;
}

}  // namespace troupe::actors::unitset
