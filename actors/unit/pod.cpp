// The Pod of a Unit: its template, with the agent and its supervisor put in.
//
//   init container  troupe-supervise   copies the supervisor into a shared volume
//   native sidecar  unit-agent         from the operator's image; sees the database's volumes
//   main container                     the supervisor as process 1; its image starts nothing itself
//
// Any image that has mysqld on its path serves. A template that brings a unit-agent of its own
// keeps it.
#include <fmt/format.h>

#include "actors/model/ensure.hpp"
#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "actors/unit/parts.hpp"

namespace troupe::actors::unit {
namespace {

using boost::json::array;
using boost::json::object;

constexpr std::string_view kBinMount = "/troupe/bin";
constexpr std::string_view kRunMount = "/troupe/run";
constexpr std::string_view kTlsMount = "/troupe/tls";
constexpr std::int64_t kDefaultGrace = 60;
// On a Pod that was made with the selector of its Unit's node: the hostname.
constexpr std::string_view kBoundPod = "troupe.dev/bound-to-node";

object literal(std::string_view name, std::string_view text) {
  return {{"name", name}, {"value", text}};
}

object field(std::string_view name, std::string_view path) {
  return {{"name", name}, {"valueFrom", {{"fieldRef", {{"fieldPath", path}}}}}};
}

object mount(std::string_view name, std::string_view path, bool read_only = false) {
  object m{{"name", name}, {"mountPath", path}};
  if (read_only) m["readOnly"] = true;
  return m;
}

// DATA_MOUNT and LOG_MOUNT of templates that do not say: where the volumes data and log lie.
void derive_mounts(const object& main, array& env) {
  const auto* mounts = find_array(main, "volumeMounts");
  if (!mounts) return;
  for (const auto& m : *mounts) {
    const auto name = text_at(m.as_object(), "name");
    const auto variable = name == "data" ? "DATA_MOUNT" : name == "log" ? "LOG_MOUNT" : "";
    if (*variable && !find_named(env, variable))
      env.push_back(literal(variable, text_at(m.as_object(), "mountPath")));
  }
}

array agent_env(const World& w, const object& main, std::string_view type) {
  array env;
  if (const auto* of_main = find_array(main, "env"))
    for (const auto& e : *of_main)
      // What comes from Secrets stays with the database; the operator sends what the agent needs.
      if (!e.as_object().contains("valueFrom")) env.push_back(e);
  derive_mounts(main, env);
  const auto add = [&env](object e) {
    if (!find_named(env, text_at(e, "name"))) env.push_back(std::move(e));
  };
  add(field("NAMESPACE", "metadata.namespace"));
  add(field("POD_NAME", "metadata.name"));
  add(field("TROUPE_POD_IP", "status.podIP"));
  add(literal("UNIT_TYPE", type));
  add(literal("TROUPE_RUN_DIR", kRunMount));
  add(literal("TROUPE_TLS_DIR", kTlsMount));
  const auto subdomain = text_at(template_spec(w), "subdomain");
  if (!subdomain.empty())
    add(literal("TROUPE_REPORT_HOST", fmt::format("{}.{}.{}", w.object->metadata.name, subdomain,
                                                  w.object->metadata.namespace_)));
  return env;
}

object agent_container(const World& w, const object& main, std::string_view type) {
  array mounts;
  if (const auto* of_main = find_array(main, "volumeMounts")) mounts = *of_main;
  mounts.push_back(mount("troupe-run", kRunMount));
  mounts.push_back(mount("troupe-tls", kTlsMount, true));
  object agent{{"name", kAgentContainer},
               {"image", w.image},
               {"imagePullPolicy", "IfNotPresent"},
               {"command", array{"troupe-agent"}},
               {"restartPolicy", "Always"},
               {"env", agent_env(w, main, type)},
               {"ports", array{object{{"name", "unit-agent"},
                                      {"containerPort", agent::kAgentPort},
                                      {"protocol", "TCP"}}}},
               {"resources", {{"requests", {{"cpu", "50m"}, {"memory", "64Mi"}}}}},
               {"volumeMounts", std::move(mounts)}};
  if (const auto* context = main.if_contains("securityContext"))
    agent["securityContext"] = *context;
  return agent;
}

// Clients read the agent's my.cnf there, behind those of their image: it names the server's socket.
void tell_clients(object& main) {
  auto& env = array_at(main, "env");
  if (!find_named(env, "MYSQL_HOME"))
    env.push_back(literal("MYSQL_HOME", fmt::format("{}/client", kRunMount)));
}

void put_supervisor_first(object& main, std::int64_t grace) {
  main["command"] =
      array{fmt::format("{}/troupe-supervise", kBinMount), "run",     "--socket",
            fmt::format("{}/supervise/sock", kRunMount),   "--grace", std::to_string(grace)};
  main.erase("args");
  auto& mounts = array_at(main, "volumeMounts");
  mounts.push_back(mount("troupe-bin", kBinMount, true));
  mounts.push_back(mount("troupe-run", kRunMount));
  mounts.push_back(mount("troupe-tls", kTlsMount, true));
}

void inject(const World& w, object& spec, std::string_view type) {
  auto* main = find_named(array_at(spec, "containers"), type);
  if (!main || find_named(array_at(spec, "initContainers"), kAgentContainer)) return;
  const auto* configured = spec.if_contains("terminationGracePeriodSeconds");
  const auto grace = configured && configured->is_int64() ? configured->as_int64() : kDefaultGrace;
  spec["terminationGracePeriodSeconds"] = grace;

  auto& volumes = array_at(spec, "volumes");
  volumes.push_back({{"name", "troupe-bin"}, {"emptyDir", object()}});
  volumes.push_back({{"name", "troupe-run"}, {"emptyDir", object()}});
  volumes.push_back(
      {{"name", "troupe-tls"},
       {"secret",
        {{"secretName", certificate_secret(w.object->metadata.name)}, {"defaultMode", 0444}}}});

  auto& init = array_at(spec, "initContainers");
  object install{{"name", "troupe-supervise"},
                 {"image", w.image},
                 {"imagePullPolicy", "IfNotPresent"},
                 {"command", array{"troupe-supervise", "install", kBinMount}},
                 {"volumeMounts", array{mount("troupe-bin", kBinMount)}}};
  if (const auto* context = main->if_contains("securityContext"))
    install["securityContext"] = *context;
  init.push_back(std::move(install));
  init.push_back(agent_container(w, *main, type));
  put_supervisor_first(*main, grace);
  tell_clients(*main);
}

// All that a Pod has from its Unit, besides labels and annotations, which change while it runs.
std::string unit_hash(const World& w, object spec, std::string_view type) {
  take_binding_out(w, spec);
  return applied_hash({{"main", type}, {"spec", std::move(spec)}});
}

std::string main_container(const k8s::Unit& unit, const object& pod_template) {
  const auto named = unit.metadata.annotations.get(kMainContainerAnnotation);
  if (!named.empty()) return named.str();
  if (const auto* metadata = find_object(pod_template, "metadata"))
    if (const auto* annotations = find_object(*metadata, "annotations"))
      if (auto text = text_at(*annotations, kMainContainerAnnotation); !text.empty()) return text;
  const auto* containers = find_array(pod_template.at("spec").as_object(), "containers");
  if (!containers || containers->empty()) return {};
  return text_at(containers->front().as_object(), "name");
}

}  // namespace

void read_template(World& w) {
  w.pod_template = parse_object(w.object->spec.template_.text());
  object_at(w.pod_template, "spec");
  w.main_container = main_container(*w.object, w.pod_template);
}

const object& template_spec(const World& w) { return w.pod_template.at("spec").as_object(); }

std::optional<std::string> env_of(const World& w, std::string_view name) {
  const auto* containers = find_array(template_spec(w), "containers");
  const auto* found = containers ? find_named(*containers, w.main_container) : nullptr;
  const auto* env = found ? find_array(*found, "env") : nullptr;
  const auto* variable = env ? find_named(*env, name) : nullptr;
  return variable ? std::optional(text_at(*variable, "value")) : std::nullopt;
}

std::string owner_of_accounts(const k8s::Unit& unit) {
  const auto set = unit.metadata.labels.get(kUnitSetLabel);
  return set.empty() ? unit.metadata.name.str() : set.str();
}

object pod_body(const World& w) {
  const auto& o = *w.object;
  const auto& type = w.main_container;
  auto body = skeleton<k8s::Pod>(o.metadata.namespace_, o.metadata.name);
  auto& metadata = body["metadata"].as_object();
  auto labels = to_json(o.metadata.labels);
  labels.erase(kOwnerLabel);
  const auto* from = find_object(w.pod_template, "metadata");
  if (const auto* more = from ? find_object(*from, "labels") : nullptr)
    for (const auto& l : *more) labels[l.key()] = l.value();
  // The operator watches Pods that bear it; a Unit that stands alone has it from nobody else.
  labels[kUnitLabel] = o.metadata.name.view();
  const auto* noted = from ? find_object(*from, "annotations") : nullptr;
  auto annotations = noted ? *noted : object();
  annotations[kMainContainerAnnotation] = type;
  metadata["labels"] = std::move(labels);
  metadata["ownerReferences"] = owned_by(o);

  auto spec = template_spec(w);
  annotations[kUnitHash] = unit_hash(w, spec, type);
  if (!spec.contains("hostname")) spec["hostname"] = o.metadata.name.view();
  inject(w, spec, type);
  auto hostname = take_binding_out(w, spec);
  // Labels and annotations can change on a Pod that runs; its specification cannot.
  annotations[kTemplateHash] = applied_hash(spec);
  if (w.pod) hostname = w.pod->metadata.annotations.get(kBoundPod).str();
  if (!hostname.empty()) {
    put_binding_in(spec, hostname);
    annotations[kBoundPod] = hostname;
  }
  metadata["annotations"] = std::move(annotations);
  body["spec"] = std::move(spec);
  return body;
}

std::string annotation_of(const object& body, std::string_view name) {
  return text_at(body.at("metadata").as_object().at("annotations").as_object(), name);
}

}  // namespace troupe::actors::unit
