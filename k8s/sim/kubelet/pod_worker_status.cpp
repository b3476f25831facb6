// What a pod is told about itself, and what the API server is told about it.
#include <spdlog/spdlog.h>

#include "k8s/sim/kubelet/pod_worker_impl.hpp"

namespace troupe::sim {

namespace json = boost::json;
using std::chrono::seconds;

namespace {

constexpr std::string_view kComponent = "kubelet";
constexpr std::string_view kPidsAnnotation = "sim.troupe.dev/pids";
constexpr std::string_view kInterfaceAnnotation = "sim.troupe.dev/interface";

}  // namespace

PodFacts PodWorker::Impl::facts() {
  PodFacts facts{
      pod_.get(),
      has_address_ || spec_.host_network ? address() : "",
      host_address(),
      [this](std::string_view resource, std::string_view name) { return look_up(resource, name); },
      {}};
  if (services_.issue_token) {
    facts.token = [this](const TokenRequest& request) { return token(request); };
  }
  return facts;
}

const json::value* PodWorker::Impl::look_up(std::string_view resource,
                                            std::string_view name) const {
  const std::string ns = resource == "persistentvolumes" ? "" : spec_.ns;
  const CachedObject found = services_.caches.of(resource).find({ns, std::string(name)});
  return found.get();  // kept alive by the cache while this turn runs
}

Result<std::string> PodWorker::Impl::token(const TokenRequest& request) {
  CachedToken& cached = tokens_[{request.audience, request.expiration_seconds}];
  if (!cached.value.empty() && now() < cached.renew_at) return cached.value;
  auto issued = services_.issue_token(spec_.ns, spec_.service_account, *pod_, request);
  if (!issued) return issued.error();
  cached.value = issued->reveal();
  cached.renew_at = now() + seconds(request.expiration_seconds) * 4 / 5;
  return cached.value;
}

std::string PodWorker::Impl::host_address() const {
  const CachedObject node = services_.caches.of("nodes").find({"", spec_.node});
  if (node == nullptr) return to_string(services_.plan.gateway());
  for (const json::value& address : items(*node, {"status", "addresses"})) {
    if (text(address, {"type"}) == "InternalIP") return std::string(text(address, {"address"}));
  }
  return to_string(services_.plan.gateway());
}

void PodWorker::Impl::note_dependencies() {
  for (const json::value& volume : items(*pod_, {"spec", "volumes"})) {
    for (auto& object : objects_of_volume(volume)) dependencies_.insert(std::move(object));
    const std::string_view claim = text(volume, {"persistentVolumeClaim", "claimName"});
    if (!claim.empty()) dependencies_.emplace("persistentvolumeclaims", claim);
  }
  for (const ContainerSpec& container : spec_.containers) {
    const auto add = [this](std::string_view resource, const json::value& holder, JsonPath path) {
      const std::string_view name = text(holder, path);
      if (!name.empty()) dependencies_.emplace(resource, name);
    };
    for (const json::value& source : items(container.raw, {"envFrom"})) {
      add("configmaps", source, {"configMapRef", "name"});
      add("secrets", source, {"secretRef", "name"});
    }
    for (const json::value& variable : items(container.raw, {"env"})) {
      add("configmaps", variable, {"valueFrom", "configMapKeyRef", "name"});
      add("secrets", variable, {"valueFrom", "secretKeyRef", "name"});
    }
  }
}

// --- what the API server is told -----------------------------------------------------------------

void PodWorker::Impl::publish() {
  if (!object_exists() || over_before_) return;
  // Who sees a container run finds its pid; who waits for its death is told that first.
  const bool lost = running_pids().size() < written_pids_;
  if (!lost) publish_annotations();
  publish_status();
  if (lost) publish_annotations();
}

void PodWorker::Impl::publish_status() {
  const bool has_network =
      record_.sandbox != SandboxPhase::Absent || has_address_ || spec_.host_network;
  const PodAddresses addresses{host_address(), has_network ? address() : ""};
  const json::object status =
      pod_status(*pod_, spec_, record_, addresses, started_, services_.clock.wall());
  json::object patch = status_patch(*pod_, status);
  if (patch.empty()) return;
  patch["metadata"] = {{"uid", spec_.uid}};
  auto written = services_.api.merge_patch("pods", spec_.ns, spec_.name, "status", patch);
  if (written) {
    pod_ = std::make_shared<const json::value>(std::move(*written));
  } else if (written.error().code != Code::NotFound && written.error().code != Code::Conflict) {
    spdlog::warn("status of pod {}/{}: {}", spec_.ns, spec_.name, written.error().message);
  }
}

json::object PodWorker::Impl::running_pids() const {
  json::object pids;
  for (std::size_t i = 0; i < spec_.containers.size(); ++i) {
    const ContainerRecord& container = record_.containers[i];
    if (container.phase == ContainerPhase::Running) pids[spec_.containers[i].name] = container.pid;
  }
  return pids;
}

void PodWorker::Impl::publish_annotations() {
  const json::object pids = running_pids();
  std::string value = json::serialize(pids);
  if (value == written_annotation_ || (pids.empty() && written_annotation_.empty())) return;
  json::object annotations{{kPidsAnnotation, value}};
  if (!spec_.host_network) annotations[kInterfaceAnnotation] = link_.interface;
  json::object patch{{"metadata", {{"uid", spec_.uid}, {"annotations", std::move(annotations)}}}};
  auto written = services_.api.merge_patch("pods", spec_.ns, spec_.name, "", std::move(patch));
  if (!written) return;
  written_annotation_ = std::move(value);
  written_pids_ = pids.size();
  pod_ = std::make_shared<const json::value>(std::move(*written));
}

void PodWorker::Impl::event(EventType type, std::string_view reason, std::string_view message,
                            std::optional<std::size_t> container) {
  if (!object_exists()) return;
  std::string field;
  if (container) {
    const bool main = spec_.containers[*container].role == ContainerRole::Main;
    field = fmt::format("spec.{}{{{}}}", main ? "containers" : "initContainers",
                        spec_.containers[*container].name);
  }
  services_.events.record(*pod_, type, reason, message, kComponent, field);
}

}  // namespace troupe::sim
