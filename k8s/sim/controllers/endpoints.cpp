#include "k8s/sim/controllers/endpoints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/controllers/labels.hpp"
#include "k8s/sim/controllers/work_queue.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view kServices = "services";
constexpr std::string_view kSlices = "endpointslices.discovery.k8s.io";
constexpr std::string_view kEndpoints = "endpoints";
constexpr std::string_view kManager = "endpointslice-controller.k8s.io";
// As the real controller: more endpoints go to further slices.
constexpr std::size_t kMaxEndpointsPerSlice = 100;

struct Member {
  CachedObject pod;
  bool ready = false;
  bool terminating = false;
};

bool publishes_all(const json::value& service) {
  return flag(service, {"spec", "publishNotReadyAddresses"});
}

// Numbers of a Service's ports at one pod; target ports may be names that differ between pods.
json::array ports_at(const json::value& service, const json::value& pod) {
  json::array ports;
  for (const json::value& port : items(service, {"spec", "ports"})) {
    const json::value* target = find(port, {"targetPort"});
    std::int64_t resolved = number(port, {"port"});
    if (target != nullptr && target->is_number()) resolved = number(port, {"targetPort"});
    if (target != nullptr && target->is_string()) {
      resolved = 0;
      for (const json::value& container : items(pod, {"spec", "containers"})) {
        const json::value* named =
            find_named(items(container, {"ports"}), text(port, {"targetPort"}));
        if (named != nullptr) resolved = number(*named, {"containerPort"});
      }
      if (resolved == 0) continue;
    }
    json::object entry{{"name", text(port, {"name"})},
                       {"port", resolved},
                       {"protocol", text(port, {"protocol"}, "TCP")}};
    if (const json::value* app = find(port, {"appProtocol"})) entry["appProtocol"] = *app;
    ports.push_back(std::move(entry));
  }
  return ports;
}

bool has_place(const json::value& pod) {
  const std::string_view phase = text(pod, {"status", "phase"});
  return !text(pod, {"status", "podIP"}).empty() && phase != "Failed" && phase != "Succeeded";
}

// Members by the ports they offer, as text so that equal ones meet.
std::map<std::string, std::vector<Member>> group_by_ports(const json::value& service,
                                                          const std::vector<CachedObject>& pods) {
  std::map<std::string, std::vector<Member>> groups;
  for (const CachedObject& pod : pods) {
    if (!has_place(*pod)) continue;
    const json::array ports = ports_at(service, *pod);
    if (ports.empty() && !items(service, {"spec", "ports"}).empty()) continue;
    groups[json::serialize(ports)].push_back(
        {pod, condition_is_true(*pod, "Ready") || publishes_all(service), is_deleting(*pod)});
  }
  return groups;
}

json::object target_of(const json::value& pod) {
  return {{"kind", "Pod"},
          {"name", name_of(pod)},
          {"namespace", namespace_of(pod)},
          {"uid", uid_of(pod)}};
}

void add_hostname(json::object& entry, const json::value& service, const json::value& pod) {
  const std::string_view hostname = text(pod, {"spec", "hostname"});
  if (!hostname.empty() && text(pod, {"spec", "subdomain"}) == name_of(service)) {
    entry["hostname"] = hostname;
  }
}

json::object slice_entry(const json::value& service, const Member& member) {
  const json::value& pod = *member.pod;
  const bool ready = member.ready && (!member.terminating || publishes_all(service));
  json::object entry;
  entry["addresses"] = json::array{json::value(text(pod, {"status", "podIP"}))};
  entry["conditions"] = json::object{
      {"ready", ready}, {"serving", member.ready}, {"terminating", member.terminating}};
  add_hostname(entry, service, pod);
  entry["nodeName"] = text(pod, {"spec", "nodeName"});
  entry["targetRef"] = target_of(pod);
  return entry;
}

json::object new_slice(const json::value& service, const std::string& name,
                       const std::string& ports) {
  json::object labels = fields(service, {"metadata", "labels"});
  labels["kubernetes.io/service-name"] = name_of(service);
  labels["endpointslice.kubernetes.io/managed-by"] = kManager;
  if (text(service, {"spec", "clusterIP"}) == "None") labels["service.kubernetes.io/headless"] = "";
  json::object metadata{
      {"name", name}, {"namespace", namespace_of(service)}, {"labels", std::move(labels)}};
  metadata["ownerReferences"] = json::array{json::value(controller_reference(service))};
  return {{"apiVersion", "discovery.k8s.io/v1"}, {"kind", "EndpointSlice"},
          {"metadata", std::move(metadata)},     {"addressType", "IPv4"},
          {"endpoints", json::array()},          {"ports", json::parse(ports)}};
}

// The parts that this controller decides.
bool same_content(const json::value& known, const json::object& wanted) {
  for (const std::string_view member : {"endpoints", "ports", "subsets"}) {
    const json::value* want = wanted.if_contains(member);
    const json::value* have = find(known, {member});
    const json::value nothing = json::array();
    if ((want == nullptr ? nothing : *want) != (have == nullptr ? nothing : *have)) return false;
  }
  return fields(known, {"metadata", "labels"}) == wanted.at("metadata").at("labels").as_object();
}

class EndpointsController final : public Controller {
 public:
  EndpointsController(const ControllerContext& context, const PodIndex& pods)
      : context_(context),
        pods_(pods),
        services_(context.caches.of(kServices)),
        slices_(context.caches.of(kSlices)),
        endpoints_(context.caches.of(kEndpoints)),
        queue_(context.io, [this](const ObjectKey& key) { reconcile(key); }) {
    services_.subscribe([this](const CachedObject& before, const CachedObject& after) {
      index_service(before, false);
      index_service(after, true);
      queue_.add(after != nullptr ? after : before);
    });
    context.caches.of("pods").subscribe(
        [this](const CachedObject& before, const CachedObject& after) {
          enqueue_services_of(before);
          enqueue_services_of(after);
        });
    slices_.subscribe([this](const CachedObject& before, const CachedObject& after) {
      index_slice(before, false);
      index_slice(after, true);
    });
  }

 private:
  using Label = std::pair<std::string, std::string>;  // namespace, "key=value"

  static Label label_of(std::string_view ns, const json::key_value_pair& label) {
    return {std::string(ns),
            fmt::format("{}={}", std::string_view(label.key()), scalar_text(label.value()))};
  }

  void index_service(const CachedObject& service, bool add) {
    if (service == nullptr) return;
    const json::object& selector = fields(*service, {"spec", "selector"});
    if (selector.empty()) return;
    auto& services = by_label_[label_of(namespace_of(*service), *selector.begin())];
    if (add) {
      services.insert(key_of(*service));
    } else {
      services.erase(key_of(*service));
    }
  }

  void index_slice(const CachedObject& slice, bool add) {
    if (slice == nullptr) return;
    if (text(*slice, {"metadata", "labels", "endpointslice.kubernetes.io/managed-by"}) !=
        kManager) {
      return;
    }
    const ObjectKey service{
        std::string(namespace_of(*slice)),
        std::string(text(*slice, {"metadata", "labels", "kubernetes.io/service-name"}))};
    if (add) {
      slices_of_[service].insert(key_of(*slice));
    } else {
      slices_of_[service].erase(key_of(*slice));
    }
  }

  void enqueue_services_of(const CachedObject& pod) {
    if (pod == nullptr) return;
    for (const auto& label : fields(*pod, {"metadata", "labels"})) {
      const auto found = by_label_.find(label_of(namespace_of(*pod), label));
      if (found == by_label_.end()) continue;
      for (const ObjectKey& service : found->second) queue_.add(service);
    }
  }

  void reconcile(const ObjectKey& key) {
    const CachedObject service = services_.find(key);
    if (service == nullptr) {
      (void)context_.api.remove(kEndpoints, key.ns, key.name);
      slices_of_.erase(key);
      return;  // its slices go with their owner
    }
    const json::object& selector = fields(*service, {"spec", "selector"});
    if (selector.empty() || text(*service, {"spec", "type"}) == "ExternalName") return;
    const std::vector<CachedObject> pods = pods_.select_map(key.ns, selector);
    write_endpoints(key, endpoints_of(*service, pods));
    write_slices(key, endpoint_slices_of(*service, pods));
  }

  void write_endpoints(const ObjectKey& key, json::object wanted) {
    write(kEndpoints, endpoints_.find(key), std::move(wanted));
  }

  void write_slices(const ObjectKey& service, std::vector<json::object> wanted) {
    std::set<ObjectKey> surplus = slices_of_[service];
    for (json::object& slice : wanted) {
      const ObjectKey key = key_of(slice);
      surplus.erase(key);
      write(kSlices, slices_.find(key), std::move(slice));
    }
    for (const ObjectKey& key : surplus) (void)context_.api.remove(kSlices, key.ns, key.name);
  }

  void write(std::string_view resource, const CachedObject& known, json::object wanted) {
    const ObjectKey key = key_of(wanted);
    if (known == nullptr) {
      (void)context_.api.create(resource, key.ns, std::move(wanted));
      return;
    }
    if (same_content(*known, wanted)) return;
    wanted["metadata"].as_object().erase("ownerReferences");
    if (!wanted.contains("subsets") && resource == kEndpoints) wanted["subsets"] = json::array();
    (void)context_.api.merge_patch(resource, key.ns, key.name, "", std::move(wanted));
  }

  const ControllerContext context_;
  const PodIndex& pods_;
  ObjectCache& services_;
  ObjectCache& slices_;
  ObjectCache& endpoints_;
  std::map<Label, std::set<ObjectKey>> by_label_;
  std::map<ObjectKey, std::set<ObjectKey>> slices_of_;
  WorkQueue queue_;
};

}  // namespace

std::unique_ptr<Controller> make_endpoints_controller(const ControllerContext& context,
                                                      const PodIndex& pods) {
  return std::make_unique<EndpointsController>(context, pods);
}

std::vector<json::object> endpoint_slices_of(const json::value& service,
                                             const std::vector<CachedObject>& pods) {
  auto groups = group_by_ports(service, pods);
  if (groups.empty()) groups["[]"];  // a Service without pods has an empty slice
  std::vector<json::object> slices;
  for (const auto& [ports, members] : groups) {
    for (std::size_t begin = 0; begin == 0 || begin < members.size();
         begin += kMaxEndpointsPerSlice) {
      json::object slice =
          new_slice(service, fmt::format("{}-{}", name_of(service), slices.size()), ports);
      json::array& endpoints = slice["endpoints"].as_array();
      const std::size_t end = std::min(members.size(), begin + kMaxEndpointsPerSlice);
      for (std::size_t i = begin; i < end; ++i) {
        endpoints.push_back(slice_entry(service, members[i]));
      }
      slices.push_back(std::move(slice));
    }
  }
  return slices;
}

json::object endpoints_of(const json::value& service, const std::vector<CachedObject>& pods) {
  json::array subsets;
  for (const auto& [ports, members] : group_by_ports(service, pods)) {
    json::array ready, not_ready;
    for (const Member& member : members) {
      if (member.terminating && !publishes_all(service)) continue;
      json::object entry{{"ip", text(*member.pod, {"status", "podIP"})},
                         {"nodeName", text(*member.pod, {"spec", "nodeName"})},
                         {"targetRef", target_of(*member.pod)}};
      add_hostname(entry, service, *member.pod);
      (member.ready ? ready : not_ready).push_back(std::move(entry));
    }
    json::object subset{{"ports", json::parse(ports)}};
    if (!ready.empty()) subset["addresses"] = std::move(ready);
    if (!not_ready.empty()) subset["notReadyAddresses"] = std::move(not_ready);
    if (subset.size() > 1) subsets.push_back(std::move(subset));
  }
  json::object endpoints{{"apiVersion", "v1"},
                         {"kind", "Endpoints"},
                         {"metadata",
                          {{"name", name_of(service)},
                           {"namespace", namespace_of(service)},
                           {"labels", fields(service, {"metadata", "labels"})}}}};
  if (!subsets.empty()) endpoints["subsets"] = std::move(subsets);
  return endpoints;
}

}  // namespace troupe::sim
