// A Pod as the kubelet works on it: read once from the API object, immutable afterwards (but for
// what an API server lets change, which the kubelet reads from the object itself).
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace troupe::sim {

// A sidecar is an init container with restartPolicy Always: it starts in the order of the init
// containers, is waited for until it has started, and runs until all main containers have ended.
enum class ContainerRole { Init, Sidecar, Main };
enum class RestartPolicy { Always, OnFailure, Never };

struct ExecHandler {
  std::vector<std::string> argv;
};
struct TcpHandler {
  std::string host;  // empty: the pod's address
  std::uint16_t port = 0;
};
struct HttpHandler {
  std::string host;
  std::uint16_t port = 0;
  std::string path = "/";
  bool tls = false;
  std::vector<std::pair<std::string, std::string>> headers;
};
struct SleepHandler {
  std::chrono::seconds duration{0};
};
// A handler of a kind that this kubelet does not know (gRPC); it fails and says so.
struct UnknownHandler {
  std::string kind;
};
using Handler = std::variant<ExecHandler, TcpHandler, HttpHandler, SleepHandler, UnknownHandler>;

struct ProbeSpec {
  Handler handler;
  std::chrono::seconds initial_delay{0};
  std::chrono::seconds period{10};
  std::chrono::seconds timeout{1};
  int success_threshold = 1;
  int failure_threshold = 3;
  std::optional<std::chrono::seconds> termination_grace;
};

struct ContainerSpec {
  std::string name;
  std::string image;
  ContainerRole role = ContainerRole::Main;
  std::optional<ProbeSpec> startup, liveness, readiness;
  std::optional<Handler> post_start, pre_stop;
  boost::json::value raw;
};

struct PodSpec {
  std::string ns, name, uid;
  std::string node;
  std::string service_account = "default";
  RestartPolicy restart_policy = RestartPolicy::Always;
  std::chrono::seconds termination_grace{30};
  std::optional<std::chrono::seconds> active_deadline;
  bool host_network = false;
  std::vector<ContainerSpec> containers;  // init containers and sidecars first, in their order

  std::optional<std::size_t> index_of(std::string_view container) const;
};

PodSpec parse_pod(const boost::json::value& pod);

}  // namespace troupe::sim
