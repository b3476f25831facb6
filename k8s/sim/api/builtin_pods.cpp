// pods and pod templates: defaults, admission, what may change, what kubectl shows.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "k8s/sim/api/builtins.hpp"
#include "k8s/sim/api/core.hpp"
#include "k8s/sim/api/metadata.hpp"
#include "k8s/sim/api/pod_summary.hpp"
#include "k8s/sim/api/schema_quantity.hpp"
#include "k8s/sim/api/subresources.hpp"
#include "k8s/sim/api/table.hpp"

namespace troupe::sim {
namespace {

constexpr std::int64_t kDefaultGraceSeconds = 30;
constexpr std::int64_t kTolerationSeconds = 300;
constexpr std::int64_t kTokenSeconds = 3607;  // what the ServiceAccount admission asks for
constexpr std::string_view kTokenMount = "/var/run/secrets/kubernetes.io/serviceaccount";

constexpr std::string_view kImmutableSpec =
    "pod updates may not change fields other than "
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
    "previously negative)";

void for_each_container(json::object& spec, const std::function<void(json::object&)>& visit) {
  for (const auto* list : {"initContainers", "containers"}) {
    auto* containers = spec.if_contains(list);
    if (containers == nullptr || !containers->is_array()) continue;
    for (auto& container : containers->get_array()) {
      if (container.is_object()) visit(container.get_object());
    }
  }
}

// Always for an image without a tag or with :latest.
std::string_view pull_policy(std::string_view image) {
  if (image.find('@') != std::string_view::npos) return "IfNotPresent";
  const auto name = image.substr(image.rfind('/') == std::string_view::npos ? 0 : image.rfind('/'));
  const auto colon = name.find(':');
  return colon == std::string_view::npos || name.substr(colon) == ":latest" ? "Always"
                                                                            : "IfNotPresent";
}

void default_requests(json::object& container) {
  const auto* limits = object_at(container, "resources.limits");
  if (limits == nullptr) return;
  const json::object copy = *limits;
  auto& requests = child(child(container, "resources"), "requests");
  for (const auto& [name, amount] : copy) {
    if (!requests.contains(name)) requests[name] = amount;
  }
}

void default_volume_sources(json::object& spec) {
  auto* volumes = spec.if_contains("volumes");
  if (volumes == nullptr || !volumes->is_array()) return;
  for (auto& volume : volumes->get_array()) {
    if (volume.is_object() && volume.get_object().size() == 1) {
      volume.get_object()["emptyDir"] = json::object();
    }
  }
}

// What depends on other fields and so is no table.
void default_pod_spec(json::object& spec) {
  for_each_container(spec, [](json::object& container) {
    if (!container.contains("imagePullPolicy")) {
      container["imagePullPolicy"] = pull_policy(string_at(container, "image"));
    }
    default_requests(container);
  });
  default_volume_sources(spec);
  if (true_at(spec, "hostNetwork")) {
    for_each_container(spec, [](json::object& container) {
      auto* ports = container.if_contains("ports");
      if (ports == nullptr || !ports->is_array()) return;
      for (auto& port : ports->get_array()) {
        auto* object = port.if_object();
        if (object != nullptr && !object->contains("hostPort") &&
            object->contains("containerPort")) {
          const json::value port_number = object->at("containerPort");
          (*object)["hostPort"] = port_number;
        }
      }
    });
  }
}

bool has_toleration(const json::array& tolerations, std::string_view key) {
  return std::any_of(tolerations.begin(), tolerations.end(), [&](const auto& t) {
    const auto effect = string_at(t, "effect");
    return (string_at(t, "key") == key || string_at(t, "key").empty()) &&
           (effect.empty() || effect == "NoExecute");
  });
}

void add_default_tolerations(json::object& spec) {
  auto& slot = spec["tolerations"];
  if (!slot.is_array()) slot.emplace_array();
  auto& tolerations = slot.get_array();
  for (const auto* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    if (has_toleration(tolerations, key)) continue;
    tolerations.push_back(json::object{{"key", key},
                                       {"operator", "Exists"},
                                       {"effect", "NoExecute"},
                                       {"tolerationSeconds", kTolerationSeconds}});
  }
}

json::object token_volume(std::string_view name) {
  const json::array sources = {
      json::object{
          {"serviceAccountToken", {{"expirationSeconds", kTokenSeconds}, {"path", "token"}}}},
      json::object{{"configMap",
                    {{"name", "kube-root-ca.crt"},
                     {"items", json::array{json::object{{"key", "ca.crt"}, {"path", "ca.crt"}}}}}}},
      json::object{
          {"downwardAPI",
           {{"items",
             json::array{json::object{
                 {"path", "namespace"},
                 {"fieldRef", {{"apiVersion", "v1"}, {"fieldPath", "metadata.namespace"}}}}}}}}}};
  return {{"name", name}, {"projected", {{"defaultMode", 420}, {"sources", sources}}}};
}

bool wants_token(const json::object& spec, const json::object& account) {
  for (const auto* object : {&spec, &account}) {
    const auto* automount = object->if_contains("automountServiceAccountToken");
    if (automount != nullptr && automount->is_bool()) return automount->get_bool();
  }
  return true;
}

void mount_token(Random& random, json::object& spec) {
  const auto name = "kube-api-access-" + random.name_suffix();
  bool used = false;
  for_each_container(spec, [&](json::object& container) {
    auto& slot = container["volumeMounts"];
    if (!slot.is_array()) slot.emplace_array();
    auto& mounts = slot.get_array();
    const bool taken = std::any_of(mounts.begin(), mounts.end(), [](const auto& m) {
      return string_at(m, "mountPath") == kTokenMount;
    });
    if (taken) return;
    mounts.push_back(json::object{{"name", name}, {"readOnly", true}, {"mountPath", kTokenMount}});
    used = true;
  });
  if (!used) return;
  auto& slot = spec["volumes"];
  if (!slot.is_array()) slot.emplace_array();
  slot.get_array().push_back(token_volume(name));
}

ApiResult<void> admit_service_account(WriteScope& scope, json::object& pod) {
  auto& spec = child(pod, "spec");
  if (string_at(spec, "serviceAccountName").empty()) {
    const auto old_name = std::string(string_at(spec, "serviceAccount"));
    spec["serviceAccountName"] = old_name.empty() ? "default" : old_name;
  }
  const auto name = std::string(string_at(spec, "serviceAccountName"));
  spec["serviceAccount"] = name;
  const auto account = scope.core.find("serviceaccounts", scope.ns, name);
  if (account == nullptr) {
    return forbidden(
        {"", "pods"}, name_of(pod),
        fmt::format("error looking up service account {}/{}: serviceaccount \"{}\" not "
                    "found",
                    scope.ns, name, name));
  }
  if (wants_token(spec, account->object())) mount_token(scope.core.random, spec);
  return {};
}

ApiResult<void> admit_priority(WriteScope& scope, json::object& pod) {
  auto& spec = child(pod, "spec");
  const auto name = std::string(string_at(spec, "priorityClassName"));
  std::int64_t priority = 0;
  std::string preemption = "PreemptLowerPriority";
  if (!name.empty()) {
    const auto found = scope.core.find("priorityclasses.scheduling.k8s.io", "", name);
    if (found == nullptr) {
      return forbidden({"", "pods"}, name_of(pod),
                       fmt::format("no PriorityClass with name {} was found", name));
    }
    priority = int_at(found->object(), "value").value_or(0);
    const auto policy = string_at(found->object(), "preemptionPolicy");
    if (!policy.empty()) preemption = policy;
  }
  spec["priority"] = priority;
  if (!spec.contains("preemptionPolicy")) spec["preemptionPolicy"] = preemption;
  return {};
}

std::string qos_class(const json::object& spec) {
  bool any = false;
  bool guaranteed = true;
  for (const auto* list : {"initContainers", "containers"}) {
    const auto* containers = array_at(spec, list);
    if (containers == nullptr) continue;
    for (const auto& container : *containers) {
      for (const auto* resource : {"cpu", "memory"}) {
        const auto* requests = object_at(container, "resources.requests");
        const auto* limits = object_at(container, "resources.limits");
        const auto* request = requests == nullptr ? nullptr : requests->if_contains(resource);
        const auto* limit = limits == nullptr ? nullptr : limits->if_contains(resource);
        any |= request != nullptr || limit != nullptr;
        guaranteed &= request != nullptr && limit != nullptr && *request == *limit;
      }
    }
  }
  return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

ApiResult<void> prepare_pod(WriteScope& scope, json::object& pod, const json::object* old) {
  auto& spec = child(pod, "spec");
  default_pod_spec(spec);
  if (old != nullptr) return {};
  add_default_tolerations(spec);
  if (auto ok = admit_service_account(scope, pod); !ok) return ok.error();
  if (auto ok = admit_priority(scope, pod); !ok) return ok.error();
  pod["status"] = json::object{{"phase", "Pending"}, {"qosClass", qos_class(child(pod, "spec"))}};
  return {};
}

// The spec with everything that may change taken from `old`.
json::object without_mutable_fields(json::object spec, const json::object& old) {
  const auto take = [&](const char* name) {
    if (const auto* value = old.if_contains(name)) {
      spec[name] = *value;
    } else {
      spec.erase(name);
    }
  };
  for (const auto* name : {"activeDeadlineSeconds", "tolerations", "schedulingGates"}) take(name);
  if (int_at(old, "terminationGracePeriodSeconds").value_or(0) < 0) {
    take("terminationGracePeriodSeconds");
  }
  for (const auto* list : {"initContainers", "containers"}) {
    const auto* before = array_at(old, list);
    auto* after = spec.if_contains(list);
    if (before == nullptr || after == nullptr || !after->is_array()) continue;
    auto& items = after->get_array();
    for (std::size_t i = 0; i < std::min(items.size(), before->size()); ++i) {
      if (!items[i].is_object() || !(*before)[i].is_object()) continue;
      for (const auto* field : {"image", "imagePullPolicy"}) {
        if (const auto* value = (*before)[i].get_object().if_contains(field)) {
          items[i].get_object()[field] = *value;
        }
      }
    }
  }
  return spec;
}

void validate_pod_update(const json::object& spec, const json::object& old,
                         std::vector<FieldError>& errors) {
  if (!same(without_mutable_fields(spec, old), old)) {
    errors.push_back(forbidden("spec", kImmutableSpec));
  }
  const auto* before = array_at(old, "tolerations");
  const auto* after = array_at(spec, "tolerations");
  if (before == nullptr) return;
  const bool kept = std::all_of(before->begin(), before->end(), [&](const auto& t) {
    return after != nullptr && std::find(after->begin(), after->end(), t) != after->end();
  });
  if (!kept) {
    errors.push_back(
        forbidden("spec.tolerations",
                  "existing toleration can not be modified except its tolerationSeconds"));
  }
}

void validate_pod(const WriteScope& scope, const json::object& pod, const json::object* old,
                  std::vector<FieldError>& errors) {
  if (scope.subresource == "status") return;
  const auto* spec = object_at(pod, "spec");
  if (spec == nullptr) return;
  if (old == nullptr) {
    validate_pod_spec(*spec, "spec", errors);
  } else if (const auto* before = object_at(*old, "spec")) {
    validate_pod_update(*spec, *before, errors);
  }
}

std::int64_t pod_grace(const json::object& pod, std::optional<std::int64_t> wanted) {
  const auto phase = string_at(pod, "status.phase");
  const bool runs =
      !string_at(pod, "spec.nodeName").empty() && phase != "Succeeded" && phase != "Failed";
  if (!runs) return 0;
  const auto own = int_at(pod, "spec.terminationGracePeriodSeconds").value_or(kDefaultGraceSeconds);
  auto grace = std::max<std::int64_t>(wanted.value_or(own), 0);
  if (is_deleting(pod)) {
    grace = std::min(grace, int_at(pod, "metadata.deletionGracePeriodSeconds").value_or(grace));
  }
  return grace;
}

ResourceType pods() {
  const auto cell = [](std::string name, int priority, auto text) {
    return Column{
        .name = std::move(name), .priority = priority, .cell = [text](const auto& o, WallTime now) {
          return json::value(text(o, now));
        }};
  };
  const auto none = [](const char* path) {
    return [path](const json::object& o, WallTime) {
      const auto text = string_at(o, path);
      return text.empty() ? std::string("<none>") : std::string(text);
    };
  };
  ResourceType type{
      .group = "",
      .version = "v1",
      .kind = "Pod",
      .plural = "pods",
      .singular = "pod",
      .short_names = {"po"},
      .categories = {"all"},
      .has_status = true,
      .counts_generations = true,
      .selectable_fields = {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName",
                            "spec.serviceAccountName", "spec.hostNetwork", "status.phase",
                            "status.podIP", "status.nominatedNodeName"},
      .defaults = pod_spec_defaults("spec."),
      .columns = {name_column(),
                  cell("Ready", 0, [](const auto& o, WallTime) { return pod_ready_text(o); }),
                  cell("Status", 0, [](const auto& o, WallTime) { return pod_status_text(o); }),
                  cell("Restarts", 0, pod_restarts_text), age_column(),
                  cell("IP", 1, none("status.podIP")), cell("Node", 1, none("spec.nodeName")),
                  cell("Nominated Node", 1, none("status.nominatedNodeName")),
                  cell("Readiness Gates", 1,
                       [](const auto& o, WallTime) { return pod_gates_text(o); })},
      .subresources = {
          {"status", "", "v1", "Pod", {"get", "patch", "update"}, nullptr},
          {"log", "", "v1", "Pod", {"get"}, nullptr},
          {"exec", "", "v1", "PodExecOptions", {"create", "get"}, nullptr},
          {"attach", "", "v1", "PodAttachOptions", {"create", "get"}, nullptr},
          {"portforward", "", "v1", "PodPortForwardOptions", {"create", "get"}, nullptr},
          {"binding", "", "v1", "Binding", {"create"}, bind_pod},
          {"eviction", "policy", "v1", "Eviction", {"create"}, evict_pod}}};
  type.strategy.prepare = prepare_pod;
  type.strategy.validate = validate_pod;
  type.strategy.grace = pod_grace;
  return type;
}

void validate_mounts(const json::object& container, const std::string& path,
                     const std::set<std::string, std::less<>>& volumes,
                     std::vector<FieldError>& errors) {
  const auto* mounts = array_at(container, "volumeMounts");
  if (mounts == nullptr) return;
  std::set<std::string, std::less<>> paths;
  for (std::size_t i = 0; i < mounts->size(); ++i) {
    const auto at = fmt::format("{}.volumeMounts[{}]", path, i);
    const auto name = string_at((*mounts)[i], "name");
    const auto where = string_at((*mounts)[i], "mountPath");
    if (name.empty()) {
      errors.push_back(required(at + ".name"));
    } else if (!volumes.contains(name)) {
      errors.push_back(
          {FieldReason::Invalid, at + ".name", fmt::format("Not found: \"{}\"", name)});
    }
    if (where.empty()) {
      errors.push_back(required(at + ".mountPath"));
    } else if (!paths.emplace(where).second) {
      errors.push_back(invalid(at + ".mountPath", fmt::format("\"{}\"", where), "must be unique"));
    }
  }
}

void validate_ports(const json::object& container, const std::string& path,
                    std::vector<FieldError>& errors) {
  const auto* ports = array_at(container, "ports");
  if (ports == nullptr) return;
  std::set<std::string, std::less<>> names;
  for (std::size_t i = 0; i < ports->size(); ++i) {
    const auto at = fmt::format("{}.ports[{}]", path, i);
    const auto port = int_at((*ports)[i], "containerPort");
    if (!port || *port == 0) {
      errors.push_back(required(at + ".containerPort"));
    } else if (*port < 1 || *port > 65535) {
      errors.push_back(invalid(at + ".containerPort", std::to_string(*port),
                               "must be between 1 and 65535, inclusive"));
    }
    const auto name = string_at((*ports)[i], "name");
    if (!name.empty() && !names.emplace(name).second) {
      errors.push_back(duplicate(at + ".name", fmt::format("\"{}\"", name)));
    }
  }
}

void validate_resources(const json::object& container, const std::string& path,
                        std::vector<FieldError>& errors) {
  const auto* requests = object_at(container, "resources.requests");
  const auto* limits = object_at(container, "resources.limits");
  if (requests == nullptr || limits == nullptr) return;
  for (const auto& [name, amount] : *requests) {
    const auto* limit = limits->if_contains(name);
    if (limit == nullptr || !amount.is_string() || !limit->is_string()) continue;
    const auto wanted = Quantity::parse(amount.get_string());
    const auto allowed = Quantity::parse(limit->get_string());
    if (wanted && allowed && *wanted > *allowed) {
      errors.push_back(
          invalid(fmt::format("{}.resources.requests", path), json::serialize(amount),
                  fmt::format("must be less than or equal to {} limit of {}",
                              std::string_view(name), std::string_view(limit->get_string()))));
    }
  }
}

void validate_container(const json::object& container, const std::string& path,
                        const std::set<std::string, std::less<>>& volumes,
                        std::set<std::string, std::less<>>& names,
                        std::vector<FieldError>& errors) {
  const auto name = string_at(container, "name");
  if (name.empty()) {
    errors.push_back(required(path + ".name"));
  } else if (auto problem = dns_label_problem(name); !problem.empty()) {
    errors.push_back(invalid(path + ".name", fmt::format("\"{}\"", name), problem));
  } else if (!names.emplace(name).second) {
    errors.push_back(duplicate(path + ".name", fmt::format("\"{}\"", name)));
  }
  if (string_at(container, "image").empty()) errors.push_back(required(path + ".image"));
  validate_mounts(container, path, volumes, errors);
  validate_ports(container, path, errors);
  validate_resources(container, path, errors);
  if (const auto* env = array_at(container, "env")) {
    for (std::size_t i = 0; i < env->size(); ++i) {
      if (string_at((*env)[i], "name").empty()) {
        errors.push_back(required(fmt::format("{}.env[{}].name", path, i)));
      }
    }
  }
}

}  // namespace

void validate_pod_spec(const json::object& spec, const std::string& path,
                       std::vector<FieldError>& errors) {
  std::set<std::string, std::less<>> volumes;
  if (const auto* list = array_at(spec, "volumes")) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto at = fmt::format("{}.volumes[{}].name", path, i);
      const auto name = string_at((*list)[i], "name");
      if (name.empty()) {
        errors.push_back(required(at));
      } else if (!volumes.emplace(name).second) {
        errors.push_back(duplicate(at, fmt::format("\"{}\"", name)));
      }
    }
  }
  std::set<std::string, std::less<>> names;
  for (const auto* list : {"initContainers", "containers"}) {
    const auto* containers = array_at(spec, list);
    if (containers == nullptr) continue;
    for (std::size_t i = 0; i < containers->size(); ++i) {
      if (const auto* container = (*containers)[i].if_object()) {
        validate_container(*container, fmt::format("{}.{}[{}]", path, list, i), volumes, names,
                           errors);
      }
    }
  }
  const auto* containers = array_at(spec, "containers");
  if (containers == nullptr || containers->empty())
    errors.push_back(required(path + ".containers"));
  const auto policy = string_at(spec, "restartPolicy");
  if (!policy.empty() && policy != "Always" && policy != "OnFailure" && policy != "Never") {
    errors.push_back(not_supported(path + ".restartPolicy", fmt::format("\"{}\"", policy),
                                   {"Always", "OnFailure", "Never"}));
  }
}

std::vector<FieldDefault> pod_spec_defaults(std::string_view prefix) {
  std::vector<FieldDefault> defaults;
  const auto add = [&](std::string_view path, json::value value) {
    defaults.push_back({std::string(prefix).append(path), std::move(value)});
  };
  add("restartPolicy", "Always");
  add("terminationGracePeriodSeconds", kDefaultGraceSeconds);
  add("dnsPolicy", "ClusterFirst");
  add("schedulerName", "default-scheduler");
  add("securityContext", json::object());
  if (prefix == "spec.") add("enableServiceLinks", true);
  for (const std::string list : {"containers[].", "initContainers[]."}) {
    add(list + "terminationMessagePath", "/dev/termination-log");
    add(list + "terminationMessagePolicy", "File");
    add(list + "resources", json::object());
    add(list + "ports[].protocol", "TCP");
    add(list + "env[].valueFrom.fieldRef.apiVersion", "v1");
    for (const std::string probe : {"livenessProbe.", "readinessProbe.", "startupProbe."}) {
      add(list + probe + "timeoutSeconds", 1);
      add(list + probe + "periodSeconds", 10);
      add(list + probe + "successThreshold", 1);
      add(list + probe + "failureThreshold", 3);
      add(list + probe + "httpGet.scheme", "HTTP");
      add(list + probe + "httpGet.path", "/");
      add(list + probe + "grpc.service", "");
    }
    for (const std::string hook : {"lifecycle.preStop.", "lifecycle.postStart."}) {
      add(list + hook + "httpGet.scheme", "HTTP");
      add(list + hook + "httpGet.path", "/");
    }
  }
  for (const auto* source : {"secret", "configMap", "downwardAPI", "projected"}) {
    add(fmt::format("volumes[].{}.defaultMode", source), 420);
  }
  add("volumes[].hostPath.type", "");
  add("volumes[].downwardAPI.items[].fieldRef.apiVersion", "v1");
  add("volumes[].projected.sources[].downwardAPI.items[].fieldRef.apiVersion", "v1");
  add("volumes[].projected.sources[].serviceAccountToken.expirationSeconds", 3600);
  return defaults;
}

std::vector<ResourceType> pod_types() {
  ResourceType templates{.group = "",
                         .version = "v1",
                         .kind = "PodTemplate",
                         .plural = "podtemplates",
                         .singular = "podtemplate",
                         .defaults = pod_spec_defaults("template.spec."),
                         .columns = {name_column(), age_column()}};
  return {pods(), std::move(templates)};
}

}  // namespace troupe::sim
