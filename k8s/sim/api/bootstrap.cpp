#include "k8s/sim/api/bootstrap.hpp"

#include "k8s/sim/api/service_allocator.hpp"

namespace troupe::sim {
namespace {

constexpr auto kManager = "kube-apiserver";

WriteRequest request_for(Core& core, std::string_view collection, std::string_view ns,
                         std::string_view name, WallTime now) {
  return {.type = core.registry.find_collection(collection),
          .ns = std::string(ns),
          .name = std::string(name),
          .manager = kManager,
          .now = now};
}

void make(Core& core, Writer& writer, std::string_view collection, std::string_view ns,
          json::object object, WallTime now) {
  const auto created =
      writer.create(request_for(core, collection, ns, "", now), json::value(std::move(object)));
  if (!created) throw std::logic_error("cannot set up the cluster: " + created.error().message);
}

json::object named(std::string_view name) { return {{"metadata", {{"name", name}}}}; }

json::object priority_class(std::string_view name, std::int64_t value) {
  auto object = named(name);
  object["value"] = value;
  object["description"] = "Used for system critical pods.";
  return object;
}

}  // namespace

void bootstrap_cluster(Core& core, Writer& writer, WallTime now) {
  for (const auto* ns : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
    make(core, writer, "namespaces", "", named(ns), now);
  }
  make(core, writer, "priorityclasses.scheduling.k8s.io", "",
       priority_class("system-node-critical", 2'000'001'000), now);
  make(core, writer, "priorityclasses.scheduling.k8s.io", "",
       priority_class("system-cluster-critical", 2'000'000'000), now);
  auto role = named("cluster-admin");
  const json::array any{"*"};
  role["rules"] = json::array{json::object{{"apiGroups", any}, {"resources", any}, {"verbs", any}},
                              json::object{{"nonResourceURLs", any}, {"verbs", any}}};
  make(core, writer, "clusterroles.rbac.authorization.k8s.io", "", std::move(role), now);

  json::object service{
      {"metadata",
       {{"name", "kubernetes"},
        {"labels", {{"component", "apiserver"}, {"provider", "kubernetes"}}}}},
      {"spec",
       {{"clusterIP", core.services->api_server_address()},
        {"ports", json::array{json::object{{"name", "https"},
                                           {"port", 443},
                                           {"protocol", "TCP"},
                                           {"targetPort", std::int64_t{core.options.advertise_port}}}}}}}};
  make(core, writer, "services", "default", std::move(service), now);
  publish_endpoint(core, writer, now);
}

void publish_endpoint(Core& core, Writer& writer, WallTime now) {
  const std::int64_t port = core.options.advertise_port;
  const auto& address = core.options.advertise_address;
  const json::array ports{json::object{{"name", "https"}, {"port", port}, {"protocol", "TCP"}}};
  const json::object endpoints{
      {"metadata", {{"name", "kubernetes"}}},
      {"subsets",
       json::array{json::object{{"addresses", json::array{json::object{{"ip", address}}}},
                                {"ports", ports}}}}};
  const json::object slice{
      {"metadata",
       {{"name", "kubernetes"}, {"labels", {{"kubernetes.io/service-name", "kubernetes"}}}}},
      {"addressType", "IPv4"},
      {"endpoints", json::array{json::object{{"addresses", json::array{address}},
                                             {"conditions", {{"ready", true}}}}}},
      {"ports", ports}};
  const std::pair<const char*, const json::object*> both[] = {
      {"endpoints", &endpoints}, {"endpointslices.discovery.k8s.io", &slice}};
  for (const auto& [collection, object] : both) {
    if (core.find(collection, "default", "kubernetes") == nullptr) {
      make(core, writer, collection, "default", *object, now);
    } else {
      (void)writer.replace(request_for(core, collection, "default", "kubernetes", now),
                           json::value(*object));
    }
  }
}

}  // namespace troupe::sim
