#include "k8s/sim/api/node_call.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "k8s/sim/api/schema_formats.hpp"

namespace troupe::sim {
namespace {

std::vector<std::string> container_names(const json::object& pod) {
  std::vector<std::string> names;
  for (const auto* list : {"spec.containers", "spec.initContainers"}) {
    const auto* containers = array_at(pod, list);
    if (containers == nullptr) continue;
    for (const auto& c : *containers) names.emplace_back(string_at(c, "name"));
  }
  return names;
}

// The container asked for, or the only one.
ApiResult<std::string> choose_container(const json::object& pod, std::string_view wanted) {
  const auto names = container_names(pod);
  const auto* containers = array_at(pod, "spec.containers");
  if (wanted.empty()) {
    if (containers != nullptr && containers->size() == 1) return names.front();
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : " ") + name;
    return bad_request(fmt::format(
        "a container name must be specified for pod {}, choose one of: [{}]", name_of(pod), list));
  }
  if (std::find(names.begin(), names.end(), wanted) != names.end()) return std::string(wanted);
  return bad_request(fmt::format("container {} is not valid for pod {}", wanted, name_of(pod)));
}

LogOptions log_options(const RequestInfo& info, WallTime now) {
  LogOptions options{.follow = info.flag("follow"),
                     .previous = info.flag("previous"),
                     .timestamps = info.flag("timestamps"),
                     .tail_lines = info.number("tailLines"),
                     .limit_bytes = info.number("limitBytes")};
  if (const auto seconds = info.number("sinceSeconds")) {
    options.since = now - std::chrono::seconds(*seconds);
  } else {
    const auto since = parse_rfc3339(info.param("sinceTime"));
    if (since) options.since = std::chrono::floor<std::chrono::microseconds>(*since);
  }
  return options;
}

ExecOptions exec_options(const RequestInfo& info) {
  ExecOptions options{.tty = info.flag("tty"),
                      .use_stdin = info.flag("stdin"),
                      .use_stdout = info.flag("stdout"),
                      .use_stderr = info.flag("stderr")};
  const auto [first, last] = info.query.equal_range("command");
  for (auto it = first; it != last; ++it) options.argv.push_back(it->second);
  return options;
}

}  // namespace

bool is_node_call(const RequestInfo& info) {
  return info.resource == "pods" && info.group.empty() &&
         (info.subresource == "log" || info.subresource == "exec" || info.subresource == "attach" ||
          info.subresource == "portforward");
}

ApiResult<NodeCall> parse_node_call(const Core& core, const RequestInfo& info, WallTime now) {
  const auto pod = core.find("pods", info.ns, info.name);
  if (pod == nullptr) return not_found({"", "pods"}, info.name);
  const auto& object = pod->object();
  NodeCall call;
  call.kind = info.subresource == "log"      ? NodeCall::Kind::Logs
              : info.subresource == "exec"   ? NodeCall::Kind::Exec
              : info.subresource == "attach" ? NodeCall::Kind::Attach
                                             : NodeCall::Kind::PortForward;
  call.container = {info.ns, info.name, std::string(uid_of(object)),
                    std::string(string_at(object, "spec.nodeName")), ""};
  if (call.kind != NodeCall::Kind::PortForward) {
    auto container = choose_container(object, info.param("container"));
    if (!container) return container.error();
    call.container.container = std::move(*container);
  }
  if (call.container.node.empty()) {
    return bad_request(fmt::format("pod {} does not have a host assigned", info.name));
  }
  if (call.kind == NodeCall::Kind::Logs) {
    call.logs = log_options(info, now);
  } else if (call.kind != NodeCall::Kind::PortForward) {
    call.exec = exec_options(info);
    if (call.kind == NodeCall::Kind::Exec && call.exec.argv.empty()) {
      return bad_request("you must specify at least 1 command for the container");
    }
  }
  return call;
}

}  // namespace troupe::sim
