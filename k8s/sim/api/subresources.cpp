#include "k8s/sim/api/subresources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "k8s/sim/api/body.hpp"
#include "k8s/sim/api/patch.hpp"
#include "k8s/sim/api/selector.hpp"

namespace troupe::sim {
namespace {

// A selector as the text that Scale carries.
std::string selector_text(const json::value* selector) {
  if (selector == nullptr) return {};
  if (selector->is_string()) return std::string(selector->get_string());
  const auto* labels = object_at(*selector, "matchLabels");
  std::string text;
  if (labels == nullptr) return text;
  for (const auto& [key, value] : *labels) {
    if (!value.is_string()) continue;
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", std::string_view(key),
                        std::string_view(value.get_string()));
  }
  return text;
}

json::object scale_of(const ScalePaths& paths, const json::object& object) {
  json::object metadata;
  for (const auto* name : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    if (const auto* value = find(object, fmt::format("metadata.{}", name))) metadata[name] = *value;
  }
  json::object spec;
  if (const auto replicas = int_at(object, paths.spec_replicas)) spec["replicas"] = *replicas;
  json::object status{{"replicas", int_at(object, paths.status_replicas).value_or(0)}};
  if (!paths.selector.empty()) {
    const auto selector = selector_text(find(object, paths.selector));
    if (!selector.empty()) status["selector"] = selector;
  }
  return {{"kind", "Scale"},
          {"apiVersion", "autoscaling/v1"},
          {"metadata", std::move(metadata)},
          {"spec", std::move(spec)},
          {"status", std::move(status)}};
}

ApiResult<json::object> wanted_scale(SubresourceCall& call, const json::object& current) {
  json::value scale(current);
  if (call.request.method == "PUT") {
    scale = call.body;
  } else if (call.request.content_type.starts_with("application/json-patch+json")) {
    auto patched = json_patch(scale, call.body);
    if (!patched) return patched.error();
    scale = std::move(*patched);
  } else {
    merge_patch(scale, call.body);
  }
  if (!scale.is_object()) return bad_request("the body of the request is not a Scale");
  return std::move(scale.get_object());
}

bool is_ready(const json::object& pod) {
  const auto* conditions = array_at(pod, "status.conditions");
  return conditions != nullptr &&
         std::any_of(conditions->begin(), conditions->end(), [](const auto& c) {
           return string_at(c, "type") == "Ready" && string_at(c, "status") == "True";
         });
}

struct Budget {
  std::int64_t desired = 0;
  std::int64_t healthy = 0;
};

// minAvailable and maxUnavailable are numbers or percentages of the pods there are, rounded up.
std::int64_t scaled(const json::value& amount, std::int64_t pods) {
  if (const auto number = to_int(amount)) return *number;
  const auto* text = amount.if_string();
  std::int64_t percent = 0;
  if (text == nullptr) return 0;
  std::from_chars(text->data(), text->data() + text->size(), percent);
  return (percent * pods + 99) / 100;
}

Budget measure(const Core& core, const json::object& budget) {
  const auto* selector = object_at(budget, "spec.selector");
  const auto labels = selector == nullptr ? LabelSelector() : LabelSelector::from_object(*selector);
  Budget result;
  std::int64_t pods = 0;
  const auto* all = core.store.find_collection("pods");
  if (all == nullptr || selector == nullptr) return result;
  for (const auto& [key, pod] : all->objects()) {
    const auto& object = pod->object();
    if (namespace_of(object) != namespace_of(budget) || !labels.matches_object(object)) continue;
    const auto phase = string_at(object, "status.phase");
    if (phase == "Succeeded" || phase == "Failed") continue;
    ++pods;
    result.healthy += !is_deleting(object) && is_ready(object) ? 1 : 0;
  }
  if (const auto* least = find(budget, "spec.minAvailable")) {
    result.desired = scaled(*least, pods);
  } else if (const auto* most = find(budget, "spec.maxUnavailable")) {
    result.desired = pods - scaled(*most, pods);
  }
  return result;
}

// 429 when a budget that covers the pod has nothing left; several budgets are a mistake.
ApiResult<void> check_budgets(const Core& core, const json::object& pod) {
  const auto* all = core.store.find_collection("poddisruptionbudgets.policy");
  if (all == nullptr) return {};
  std::vector<const json::object*> covering;
  for (const auto& [key, budget] : all->objects()) {
    const auto& object = budget->object();
    const auto* selector = object_at(object, "spec.selector");
    if (namespace_of(object) != namespace_of(pod) || selector == nullptr) continue;
    if (LabelSelector::from_object(*selector).matches_object(pod)) covering.push_back(&object);
  }
  if (covering.empty()) return {};
  if (covering.size() > 1) {
    return internal_error(
        "This pod has more than one PodDisruptionBudget, which the eviction "
        "subresource does not support.");
  }
  const auto budget = measure(core, *covering.front());
  if (!is_ready(pod) && budget.healthy >= budget.desired) return {};
  if (budget.healthy > budget.desired) return {};
  auto error =
      too_many_requests("Cannot evict pod as it would violate the pod's disruption budget.", 10);
  error.causes.push_back(
      {"DisruptionBudget",
       fmt::format("The disruption budget {} needs {} healthy pods and has {} currently",
                   name_of(*covering.front()), budget.desired, budget.healthy),
       ""});
  return error;
}

}  // namespace

json::object success_status(int code) {
  return {{"kind", "Status"},
          {"apiVersion", "v1"},
          {"metadata", json::object()},
          {"status", "Success"},
          {"code", code}};
}

Response json_response(int status, const json::value& body) {
  return Response{.status = status, .body = json::serialize(body)};
}

ApiResult<Response> handle_scale(SubresourceCall& call) {
  const auto& type = *call.write.type;
  const auto& paths = *type.scale;
  const auto found = call.core.find(type.collection, call.info.ns, call.info.name);
  if (found == nullptr) return not_found(type.name(), call.info.name);
  if (call.request.method == "GET") {
    return json_response(200, json::value(scale_of(paths, found->object())));
  }
  const auto written =
      call.writer.modify(call.write, [&](const json::value& current) -> ApiResult<json::value> {
        auto scale = wanted_scale(call, scale_of(paths, current.get_object()));
        if (!scale) return scale.error();
        const auto replicas = int_at(*scale, "spec.replicas").value_or(0);
        if (replicas < 0) {
          return invalid_object("autoscaling", "Scale", call.info.name,
                                {invalid("spec.replicas", std::to_string(replicas),
                                         "should be a non-negative integer")});
        }
        json::value wanted = current;
        set_at(wanted.get_object(), paths.spec_replicas, replicas);
        set_at(wanted.get_object(), "metadata.resourceVersion",
               json::value(string_at(*scale, "metadata.resourceVersion")));
        return wanted;
      });
  if (!written) return written.error();
  return json_response(200, json::value(scale_of(paths, written->object->object())));
}

ApiResult<Response> evict_pod(SubresourceCall& call) {
  const auto pod = call.core.find("pods", call.info.ns, call.info.name);
  if (pod == nullptr) return not_found({"", "pods"}, call.info.name);
  const auto* body = call.body.if_object();
  if (body == nullptr) return bad_request("the body of the request is not an Eviction");
  const auto phase = string_at(pod->object(), "status.phase");
  const bool unprotected =
      phase == "Succeeded" || phase == "Failed" || phase == "Pending" || is_deleting(pod->object());
  if (!unprotected) {
    if (auto ok = check_budgets(call.core, pod->object()); !ok) return ok.error();
  }
  const auto* options = object_at(*body, "deleteOptions");
  auto deletion = options == nullptr ? DeleteRequest() : parse_delete_options(*options);
  if (const auto gone = call.writer.remove(call.write, deletion); !gone) return gone.error();
  return json_response(201, json::value(success_status(201)));
}

ApiResult<void> assign_pod(Core& core, const std::string& ns, const std::string& name,
                           const std::string& node, WallTime now, bool dry_run) {
  const auto pod = core.find("pods", ns, name);
  if (pod == nullptr) return not_found({"", "pods"}, name);
  if (is_deleting(pod->object())) {
    return conflict({"", "pods/binding"}, name,
                    fmt::format("pod {} is being deleted, cannot be assigned to a host", name));
  }
  const auto assigned = string_at(pod->object(), "spec.nodeName");
  if (!assigned.empty()) {
    return conflict({"", "pods/binding"}, name,
                    fmt::format("pod {} is already assigned to node \"{}\"", name, assigned));
  }
  if (dry_run) return {};
  edit_stored(core, "pods", object_key(ns, name), [&](json::object& object) {
    set_at(object, "spec.nodeName", json::value(node));
    auto& slot = child(object, "status")["conditions"];
    if (!slot.is_array()) slot.emplace_array();
    auto& conditions = slot.get_array();
    const auto is_scheduled = [](const auto& c) { return string_at(c, "type") == "PodScheduled"; };
    conditions.erase(std::remove_if(conditions.begin(), conditions.end(), is_scheduled),
                     conditions.end());
    conditions.push_back(json::object{{"type", "PodScheduled"},
                                      {"status", "True"},
                                      {"lastProbeTime", nullptr},
                                      {"lastTransitionTime", to_rfc3339(now)}});
  });
  return {};
}

ApiResult<Response> bind_pod(SubresourceCall& call) {
  const std::string node(string_at(call.body, "target.name"));
  if (node.empty()) {
    return invalid_object("", "Binding", call.info.name, {required("target.name")});
  }
  const auto bound =
      assign_pod(call.core, call.info.ns, call.info.name, node, call.write.now, call.write.dry_run);
  if (!bound) return bound.error();
  return json_response(201, json::value(success_status(201)));
}

ApiResult<Response> finalize_namespace(SubresourceCall& call) {
  const auto found = call.core.find("namespaces", "", call.info.name);
  if (found == nullptr) return not_found({"", "namespaces"}, call.info.name);
  json::value finalizers = json::array();
  if (const auto* wanted = find(call.body, "spec.finalizers")) finalizers = *wanted;
  json::value shown = found->value;
  set_at(shown.get_object(), "spec.finalizers", finalizers);
  edit_stored(call.core, "namespaces", call.info.name,
              [&](json::object& o) { set_at(o, "spec.finalizers", finalizers); });
  return json_response(200, shown);
}

}  // namespace troupe::sim
