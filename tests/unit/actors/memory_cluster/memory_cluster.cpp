#include "tests/unit/actors/memory_cluster/memory_cluster.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/model/endpoints.hpp"
#include "actors/model/json.hpp"
#include "actors/model/names.hpp"
#include "engines/agent/model/digest.hpp"
#include "k8s/api/kinds.hpp"
#include "k8s/api/mysqlreplication.hpp"
#include "k8s/api/unit.hpp"
#include "k8s/api/unitset.hpp"
#include "tests/unit/actors/memory_cluster/documents.hpp"

namespace troupe::actors {
namespace {

using Json = boost::json::object;

// Friday, 2026-01-02 03:04:05 UTC, when `now` is an hour.
constexpr std::int64_t kWallSeconds = 1767323045;

// Fields that a manager applied before and applies no more.
void take_away(Json& from, const Json& before, const Json& now) {
  for (const auto& [key, v] : before) {
    const auto* still = now.if_contains(key);
    auto* live = from.if_contains(key);
    if (!live) continue;
    if (!still)
      from.erase(key);
    else if (v.is_object() && still->is_object() && live->is_object())
      take_away(live->as_object(), v.as_object(), still->as_object());
  }
}

}  // namespace

MemoryCluster::MemoryCluster() {
  settings_.operator_namespace = kOperatorNs;
  // What actors make of each other is found by its id, whichever test runs first.
  k8s::kind_info<k8s::UnitSet>();
  k8s::kind_info<k8s::Unit>();
  k8s::kind_info<k8s::MysqlReplication>();
}

void MemoryCluster::merge(Json& into, const Json& from) {
  for (const auto& [key, v] : from) {
    if (v.is_object() && into[key].is_object())
      merge(into[key].as_object(), v.as_object());
    else
      into[key] = v;
  }
}

void MemoryCluster::write(const ObjectRef& ref, Json json) {
  auto& held = objects_[ref];
  auto& metadata = object_at(json, "metadata");
  const bool same_spec = held.snapshot && held.json["spec"] == json["spec"];
  const auto generation = held.snapshot ? held.snapshot->meta().generation : 0;
  metadata["uid"] =
      held.snapshot ? held.snapshot->uid().str() : fmt::format("uid-{}-{}", ref.name, version_ + 1);
  metadata["generation"] = same_spec ? generation : generation + 1;
  metadata["resourceVersion"] = std::to_string(++version_);
  if (ref.kind == k8s::kKindId<k8s::Pod> && text_at(object_at(json, "status"), "phase").empty())
    object_at(json, "status")["phase"] = "Pending";
  held.json = std::move(json);
  held.snapshot = snapshot_of(*k8s::find_kind(ref.kind), held.json);
}

void MemoryCluster::patch_object(const ObjectRef& ref, const Json& patch) {
  const auto found = objects_.find(ref);
  if (found == objects_.end()) {
    ADD_FAILURE() << ref.name << " does not exist";
    return;
  }
  auto json = found->second.json;
  merge_patch(json, patch);
  write(ref, std::move(json));
  const auto& meta = found->second.snapshot->meta();
  if (meta.deletionTimestamp && meta.finalizers.empty()) objects_.erase(ref);
}

void MemoryCluster::remove_object(const ObjectRef& ref) {
  const auto found = objects_.find(ref);
  if (found == objects_.end()) return;
  if (found->second.snapshot->meta().finalizers.empty()) {
    objects_.erase(found);
    return;
  }
  patch_object(ref, Json{{"metadata", {{"deletionTimestamp", to_rfc3339(wall())}}}});
}

void MemoryCluster::apply(const Apply& a) {
  if (a.dry_run) return;
  auto body = boost::json::parse(a.body).as_object();
  const auto found = objects_.find(a.object);
  auto json = found == objects_.end() ? Json() : found->second.json;
  if (a.status) {
    json["status"] = body.at("status");
    return write(a.object, std::move(json));
  }
  auto& before = objects_[a.object].applied[a.manager];
  take_away(json, before, body);
  before = body;
  merge(json, body);
  write(a.object, std::move(json));
}

void MemoryCluster::carry_out(const Effect& effect) {
  if (const auto* a = std::get_if<Apply>(&effect.action)) return apply(*a);
  if (const auto* a = std::get_if<MergePatch>(&effect.action))
    return patch_object(a->object, boost::json::parse(a->body).as_object());
  if (const auto* a = std::get_if<Delete>(&effect.action)) return remove_object(a->object);
  if (const auto* a = std::get_if<AskAgent>(&effect.action)) return answer(*a);
  if (const auto* a = std::get_if<EmitEvent>(&effect.action)) {
    events_.push_back(
        fmt::format("{} {}: {}", a->warning ? "Warning" : "Normal", a->reason, message_of(*a)));
    return;
  }
  if (const auto* a = std::get_if<IssueCertificate>(&effect.action)) return issue(a->secret);
  if (const auto* a = std::get_if<TrustAuthorities>(&effect.action)) return trust(a->secret);
  if (const auto* a = std::get_if<StoreAuthority>(&effect.action)) return store(*a);
  if (const auto* a = std::get_if<AdvanceAuthority>(&effect.action)) return advance(*a);
  const auto& a = std::get<MakePasswords>(effect.action);
  auto secret = skeleton<k8s::SecretObject>(a.secret.ns, a.secret.name);
  for (const auto& user : a.users) object_at(secret, "data")[user] = "bWFkZS11cA==";
  write(a.secret, std::move(secret));
}

void MemoryCluster::issue(const ObjectRef& certificate) {
  const auto authority = get<k8s::SecretObject>(kOperatorNs, kAuthoritySecret);
  auto secret = skeleton<k8s::SecretObject>(certificate.ns, certificate.name);
  auto& annotations = object_at(object_at(secret, "metadata"), "annotations");
  annotations[kRenewAfterAnnotation] = to_rfc3339(wall() + std::chrono::hours(24 * 60));
  annotations[kSignerAnnotation] = authority->metadata.annotations.get(kSignerAnnotation).view();
  annotations[kCertificateAnnotation] = fmt::format("certificate {}", ++certificates_);
  write(certificate, std::move(secret));
  trust(certificate);
}

void MemoryCluster::trust(const ObjectRef& certificate) {
  const auto trusted = at<k8s::SecretObject>(
      kAuthoritySecret, "/metadata/annotations/troupe.dev~1trusted", kOperatorNs);
  Json patch;
  object_at(object_at(patch, "metadata"), "annotations")[kTrustedAnnotation] = trusted;
  object_at(patch, "data")["ca.crt"] = agent::base64_encode(trusted);
  patch_object(certificate, patch);
}

// "A1", "A2" stand for the authorities, "A1+A2" for both.
void MemoryCluster::store(const StoreAuthority& a) {
  const auto signer = fmt::format("A{}", ++authorities_);
  auto trusted = signer;
  for (const auto& other : a.trusted) trusted += "+" + other;
  write(a.secret, skeleton<k8s::SecretObject>(a.secret.ns, a.secret.name));
  describe(a.secret, signer, trusted, a.trusted.empty() ? "steady" : "introducing");
}

void MemoryCluster::advance(const AdvanceAuthority& a) {
  using enum agent::AuthorityStep;
  const auto secret = get<k8s::SecretObject>(a.secret.ns, a.secret.name);
  if (!secret || secret->metadata.resourceVersion != a.expected) return;
  const auto signer = secret->metadata.annotations.get(kSignerAnnotation).str();
  const auto trusted = secret->metadata.annotations.get(kTrustedAnnotation).str();
  const auto newest = fmt::format("A{}", authorities_ + (a.step == Introduce ? 1 : 0));
  switch (a.step) {
    case Describe:
      return describe(a.secret, "A1", "A1", "steady");
    case Introduce:
      ++authorities_;
      return describe(a.secret, signer, trusted + "+" + newest, "introducing");
    case Sign:
      return describe(a.secret, newest, trusted, "replacing");
    case Retire:
      return describe(a.secret, signer, signer, "steady");
  }
}

void MemoryCluster::describe(const ObjectRef& authority, std::string_view signer,
                             std::string_view trusted, std::string_view stage) {
  const auto day = std::chrono::hours(24);
  Json patch;
  auto& annotations = object_at(object_at(patch, "metadata"), "annotations");
  annotations[kSignerAnnotation] = signer;
  annotations[kTrustedAnnotation] = trusted;
  annotations[kStageAnnotation] = stage;
  annotations[kStageSinceAnnotation] = to_rfc3339(wall());
  annotations[kRenewAfterAnnotation] = to_rfc3339(wall() + day * 730);
  annotations[kExpiresAnnotation] = to_rfc3339(wall() + day * 1095);
  annotations[kRotateAnnotation] = nullptr;
  patch["data"] = Json{{"tls.crt", "eA=="}, {"tls.key", "eA=="}};
  patch_object(authority, patch);
}

void MemoryCluster::answer(const AskAgent& a) {
  asked_.emplace_back(agent::name_of(a.action));
  actions.push_back(a.action);
  auto& seen = agents_.at(a.endpoint.id);
  if (std::holds_alternative<agent::EnsureInitialised>(a.action))
    seen.data = agent::DataState::Initialised;
  if (std::holds_alternative<agent::StartProcess>(a.action)) {
    seen.process.state = agent::ProcessState::Running;
    ++seen.process.pid;
  }
  if (std::holds_alternative<agent::StopProcess>(a.action))
    seen.process.state = agent::ProcessState::Stopped;
}

agent::AgentObservation& MemoryCluster::agent_of_pod(std::string_view pod) {
  return agents_[pod_life(*find<k8s::Pod>(pod))];
}

void MemoryCluster::run_pod(std::string_view name, std::string_view node, bool ready) {
  const auto ordinal = 10 + objects_.size();
  edit<k8s::Pod>(name, fmt::format(R"({{"spec": {{"nodeName": "{}"}},
      "status": {{"phase": "Running", "hostIP": "192.168.0.1", "podIP": "10.0.0.{}",
                  "startTime": "2026-01-02T03:00:00Z",
                  "conditions": [{{"type": "Ready", "status": "{}"}}]}}}})",
                                   node, ordinal, ready ? "True" : "False"));
  if (!has<k8s::Node>(node, {}))
    put<k8s::Node>(node,
                   fmt::format(R"({{"metadata": {{"labels": {{"kubernetes.io/hostname": "{}"}}}},
      "status": {{"conditions": [{{"type": "Ready", "status": "True"}}]}}}})",
                               node),
                   {});
  auto& seen = agent_of_pod(name);
  seen.stream = agent::StreamState::Connected;
  seen.boot_id = "boot-" + std::string(name);
  if (seen.data == agent::DataState::Unknown) seen.data = agent::DataState::Empty;
  if (seen.process.state == agent::ProcessState::Unknown)
    seen.process.state = agent::ProcessState::Stopped;
  seen.process.supervisor_connected = true;
}

k8s::SnapshotPtr MemoryCluster::object(k8s::KindId kind, std::string_view ns,
                                       std::string_view name) {
  const auto found = objects_.find(ObjectRef{kind, std::string(ns), std::string(name)});
  return found == objects_.end() ? nullptr : found->second.snapshot;
}

std::vector<k8s::SnapshotPtr> MemoryCluster::owned(k8s::KindId kind, std::string_view ns,
                                                   std::string_view owner_uid) {
  std::vector<k8s::SnapshotPtr> out;
  for (const auto& [ref, held] : objects_) {
    const auto* owner = k8s::controller_of(held.snapshot->meta());
    if (ref.kind == kind && ref.ns == ns && owner && owner->uid == owner_uid)
      out.push_back(held.snapshot);
  }
  return out;
}

std::vector<k8s::SnapshotPtr> MemoryCluster::all(k8s::KindId kind) {
  std::vector<k8s::SnapshotPtr> out;
  for (const auto& [ref, held] : objects_)
    if (ref.kind == kind) out.push_back(held.snapshot);
  return out;
}

std::vector<k8s::SnapshotPtr> MemoryCluster::labelled(k8s::KindId kind, std::string_view ns,
                                                      std::string_view label,
                                                      std::string_view value) {
  std::vector<k8s::SnapshotPtr> out;
  for (const auto& [ref, held] : objects_)
    if (ref.kind == kind && ref.ns == ns && held.snapshot->meta().labels.get(label) == value)
      out.push_back(held.snapshot);
  return out;
}

std::shared_ptr<const agent::AgentObservation> MemoryCluster::agent(const std::string& endpoint) {
  const auto found = agents_.find(endpoint);
  if (found == agents_.end()) return nullptr;
  return std::make_shared<const agent::AgentObservation>(found->second);
}

WallTime MemoryCluster::wall() const {
  return WallTime(std::chrono::seconds(kWallSeconds)) +
         std::chrono::duration_cast<WallTime::duration>(now - TimePoint(std::chrono::hours(1)));
}

std::string MemoryCluster::value_at(const ObjectRef& ref, std::string_view pointer) const {
  const auto found = objects_.find(ref);
  if (found == objects_.end()) return {};
  boost::system::error_code ec;
  const boost::json::value whole(found->second.json);
  const auto* v = whole.find_pointer(pointer, ec);
  if (!v) return {};
  return v->is_string() ? std::string(v->as_string()) : boost::json::serialize(*v);
}

std::vector<std::string> MemoryCluster::names_of(k8s::KindId kind) const {
  std::vector<std::string> out;
  for (const auto& [ref, held] : objects_)
    if (ref.kind == kind && ref.ns == kNs) out.push_back(ref.name);
  return out;
}

}  // namespace troupe::actors
