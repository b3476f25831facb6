#include "k8s/sim/kubelet/pod_spec.hpp"

#include "k8s/sim/controllers/json_access.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

// A probe's port is a number or the name of one of the container's ports.
std::uint16_t resolve_port(const json::value& container, const json::value& handler) {
  const json::value* port = find(handler, {"port"});
  if (port == nullptr) return 0;
  if (port->is_number()) return static_cast<std::uint16_t>(number(handler, {"port"}));
  const json::value* named = find_named(items(container, {"ports"}), text(handler, {"port"}));
  return named == nullptr ? 0 : static_cast<std::uint16_t>(number(*named, {"containerPort"}));
}

std::vector<std::string> strings(const json::array& list) {
  std::vector<std::string> result;
  for (const json::value& element : list) result.push_back(scalar_text(element));
  return result;
}

HttpHandler parse_http(const json::value& container, const json::value& get) {
  HttpHandler http{std::string(text(get, {"host"})),
                   resolve_port(container, get),
                   std::string(text(get, {"path"}, "/")),
                   text(get, {"scheme"}) == "HTTPS",
                   {}};
  if (!http.path.starts_with('/')) http.path.insert(0, "/");
  for (const json::value& header : items(get, {"httpHeaders"})) {
    http.headers.emplace_back(text(header, {"name"}), text(header, {"value"}));
  }
  return http;
}

Handler parse_handler(const json::value& container, const json::value& handler) {
  if (const json::value* exec = find(handler, {"exec"})) {
    return ExecHandler{strings(items(*exec, {"command"}))};
  }
  if (const json::value* get = find(handler, {"httpGet"})) return parse_http(container, *get);
  if (const json::value* tcp = find(handler, {"tcpSocket"})) {
    return TcpHandler{std::string(text(*tcp, {"host"})), resolve_port(container, *tcp)};
  }
  if (const json::value* sleep = find(handler, {"sleep"})) {
    return SleepHandler{seconds(number(*sleep, {"seconds"}))};
  }
  return UnknownHandler{find(handler, {"grpc"}) != nullptr ? "grpc" : "empty"};
}

std::optional<ProbeSpec> parse_probe(const json::value& container, std::string_view member) {
  const json::value* probe = find(container, {member});
  if (probe == nullptr || !probe->is_object()) return std::nullopt;
  ProbeSpec spec{parse_handler(container, *probe)};
  spec.initial_delay = seconds(number(*probe, {"initialDelaySeconds"}, 0));
  spec.period = seconds(number(*probe, {"periodSeconds"}, 10));
  spec.timeout = seconds(number(*probe, {"timeoutSeconds"}, 1));
  spec.success_threshold = static_cast<int>(number(*probe, {"successThreshold"}, 1));
  spec.failure_threshold = static_cast<int>(number(*probe, {"failureThreshold"}, 3));
  if (find(*probe, {"terminationGracePeriodSeconds"}) != nullptr) {
    spec.termination_grace = seconds(number(*probe, {"terminationGracePeriodSeconds"}));
  }
  return spec;
}

std::optional<Handler> parse_hook(const json::value& container, std::string_view member) {
  const json::value* hook = find(container, {"lifecycle", member});
  if (hook == nullptr || !hook->is_object()) return std::nullopt;
  return parse_handler(container, *hook);
}

ContainerSpec parse_container(const json::value& container, ContainerRole role) {
  return {std::string(text(container, {"name"})),
          std::string(text(container, {"image"})),
          role,
          parse_probe(container, "startupProbe"),
          parse_probe(container, "livenessProbe"),
          parse_probe(container, "readinessProbe"),
          parse_hook(container, "postStart"),
          parse_hook(container, "preStop"),
          container};
}

RestartPolicy parse_restart_policy(std::string_view policy) {
  if (policy == "Never") return RestartPolicy::Never;
  if (policy == "OnFailure") return RestartPolicy::OnFailure;
  return RestartPolicy::Always;
}

}  // namespace

std::optional<std::size_t> PodSpec::index_of(std::string_view container) const {
  for (std::size_t i = 0; i < containers.size(); ++i) {
    if (containers[i].name == container) return i;
  }
  return std::nullopt;
}

PodSpec parse_pod(const json::value& pod) {
  PodSpec spec;
  spec.ns = namespace_of(pod);
  spec.name = name_of(pod);
  spec.uid = uid_of(pod);
  spec.node = text(pod, {"spec", "nodeName"});
  spec.service_account = text(pod, {"spec", "serviceAccountName"}, "default");
  spec.restart_policy = parse_restart_policy(text(pod, {"spec", "restartPolicy"}));
  spec.termination_grace = seconds(number(pod, {"spec", "terminationGracePeriodSeconds"}, 30));
  if (find(pod, {"spec", "activeDeadlineSeconds"}) != nullptr) {
    spec.active_deadline = seconds(number(pod, {"spec", "activeDeadlineSeconds"}));
  }
  spec.host_network = flag(pod, {"spec", "hostNetwork"});
  for (const json::value& container : items(pod, {"spec", "initContainers"})) {
    const bool sidecar = text(container, {"restartPolicy"}) == "Always";
    spec.containers.push_back(
        parse_container(container, sidecar ? ContainerRole::Sidecar : ContainerRole::Init));
  }
  for (const json::value& container : items(pod, {"spec", "containers"})) {
    spec.containers.push_back(parse_container(container, ContainerRole::Main));
  }
  return spec;
}

}  // namespace troupe::sim
