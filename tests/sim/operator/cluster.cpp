#include "tests/sim/operator/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <stdexcept>

#include "actors/model/names.hpp"
#include "k8s/sim/api/body.hpp"
#include "tests/support/files.hpp"
#include "tests/support/tree.hpp"

namespace troupe::operator_sim {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPodStartMin = milliseconds(100);
constexpr Duration kPodStartMax = milliseconds(900);
constexpr Duration kReadinessPeriod = milliseconds(500);
constexpr std::string_view kNode = "node-1";
constexpr std::string_view kRival = "rival";
constexpr std::int64_t kWallStart = 1'767'323'045;

std::vector<json::value> documents_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry);
  std::sort(files.begin(), files.end());
  std::vector<json::value> out;
  for (const auto& file : files)
    for (auto& document : sim::parse_yaml_documents(support::file_text(file)).value())
      out.push_back(std::move(document));
  return out;
}

// Read once a process.
const std::vector<json::value>& definitions() {
  static const auto kDocuments = documents_in(support::in_tree("config/crd"));
  return kDocuments;
}
const std::vector<json::value>& templates() {
  static const auto kDocuments = documents_in(support::in_tree("config/templates"));
  return kDocuments;
}

const json::value* value_at(const json::value& object, std::string_view pointer) {
  boost::system::error_code ec;
  return object.find_pointer(pointer, ec);
}

std::string text_at(const json::value& object, std::string_view pointer) {
  const auto* found = value_at(object, pointer);
  if (!found) return {};
  return found->is_string() ? std::string(found->as_string()) : json::serialize(*found);
}

std::string name_of(const json::value& object) { return text_at(object, "/metadata/name"); }

std::string resource_of(const json::value& object) {
  static const std::map<std::string, std::string> kResources = {
      {"Namespace", "namespaces"},
      {"PodTemplate", "podtemplates"},
      {"ConfigMap", "configmaps"},
      {"Secret", "secrets"},
      {"UnitSet", std::string(kUnitSets)},
      {"MysqlReplication", std::string(kReplications)},
      {"CustomResourceDefinition", "customresourcedefinitions.apiextensions.k8s.io"}};
  return kResources.at(text_at(object, "/kind"));
}

// The passwords of the sample, under the sample's key.
constexpr std::string_view kUserManifests = R"(
apiVersion: v1
kind: Namespace
metadata: {name: prod}
---
apiVersion: v1
kind: Secret
metadata: {name: aes-secret-key, namespace: prod}
stringData: {AES_SECRET_KEY: 0123456789abcdef0123456789abcdef}
---
apiVersion: v1
kind: Secret
metadata: {name: db-secret, namespace: prod}
data:
  root: 28itF0oZRS35RwNpgy5ByT2GetPw9uo2sYyQd7N2UbSoMzjE
  replication: m3sMaGSLkovtitYdkJNyQsYrtdKHxEDLG8STUe8JFe9RTjQjVMDaQHVOdg==
)";

constexpr std::string_view kOutsideSecret = "outside";
constexpr std::string_view kOutsideManifest = R"(
apiVersion: v1
kind: Secret
metadata: {name: outside, namespace: prod}
stringData: {HOST: outside.example.com, PORT: "3306", USER: donor, PASSWORD: Donor-password-1}
)";

constexpr std::string_view kUnitSetManifest = R"(
apiVersion: upm.syntropycloud.io/v1alpha2
kind: UnitSet
metadata: {name: db, namespace: prod}
spec:
  type: mysql
  version: "9.7.4"
  edition: community
  secret: {name: db-secret, mountPath: /SECRET_MOUNT}
  storages: [{name: data, mountPath: /DATA_MOUNT, size: 1Gi, storageClassName: standard}]
)";

const std::vector<json::value>& user_manifests() {
  static const auto kDocuments = sim::parse_yaml_documents(kUserManifests).value();
  return kDocuments;
}
const std::vector<json::value>& outside_manifest() {
  static const auto kDocuments = sim::parse_yaml_documents(kOutsideManifest).value();
  return kDocuments;
}
json::value unit_set() {
  static const auto kDocument = sim::parse_yaml(kUnitSetManifest).value();
  return kDocument;
}

}  // namespace

WallTime wall_at(TimePoint now) {
  return WallTime(seconds(kWallStart)) +
         std::chrono::duration_cast<WallTime::duration>(now.time_since_epoch());
}

actors::Settings settings() {
  actors::Settings s;
  s.operator_namespace = kOperatorNs;
  return s;
}

Cluster::Cluster(Timeline& timeline, Fleet& fleet, std::uint64_t seed)
    : timeline_(timeline), fleet_(fleet), api_([seed] {
        sim::ApiServerOptions options;
        options.seed = seed;
        return options;
      }()) {
  client_ = api_.local_client("cluster", [this] { return wall_at(timeline_.now()); });
  apply_documents(definitions());
  apply_documents(templates());
  create("nodes", "",
         {{"metadata", {{"name", kNode}, {"labels", {{"kubernetes.io/hostname", kNode}}}}}});
  create("storageclasses.storage.k8s.io", "",
         {{"metadata", {{"name", "standard"}}}, {"provisioner", "none"}});
  const json::object ready{
      {"status", {{"conditions", json::array{{{"type", "Ready"}, {"status", "True"}}}}}}};
  (void)client_->merge_patch("nodes", "", kNode, "status", ready);
  watch();
  tick();
  look_at_pods();
}

sim::Response Cluster::handle(const sim::Request& request) {
  return api_.handle(request, wall_at(timeline_.now()));
}

std::variant<sim::Response, std::unique_ptr<sim::WatchSession>> Cluster::open_watch(
    const sim::Request& request, std::shared_ptr<sim::WatchSink> sink) {
  return api_.open_watch(request, std::move(sink), wall_at(timeline_.now()));
}

void Cluster::tick() {
  api_.tick(wall_at(timeline_.now()));
  timeline_.after(api_.has_work() ? milliseconds(50) : milliseconds(1000), [this] { tick(); });
}

// --- what a user does ----------------------------------------------------------------------------

void Cluster::create(std::string_view resource, std::string_view ns, json::value object) {
  const auto made = client_->create(resource, ns, std::move(object));
  if (!made) throw std::runtime_error(made.error().message);
}

void Cluster::apply_documents(const std::vector<json::value>& documents) {
  for (const auto& document : documents)
    create(resource_of(document), text_at(document, "/metadata/namespace"), document);
}

json::object Cluster::member_spec(int member) const {
  return {{"name", fleet_[member].name}, {"host", host_of(member)}, {"port", 3306}};
}

json::object Cluster::topology_spec() const {
  json::array replicas;
  for (int i = 0; i < wanted_.units; ++i) {
    if (i == wanted_.source) continue;
    auto replica = member_spec(i);
    if (wanted_.isolated.contains(i)) replica["isolated"] = true;
    replicas.push_back(std::move(replica));
  }
  return {{"source", member_spec(wanted_.source)}, {"replica", std::move(replicas)}};
}

json::value Cluster::replication_object(std::string_view name) const {
  auto spec = topology_spec();
  spec["mode"] = wanted_.group       ? "group_replication"
                 : wanted_.semi_sync ? "rpl_semi_sync"
                                     : "rpl_async";
  spec["secret"] = {
      {"name", "db-secret"}, {"mysql", "replication"}, {"replication", "replication"}};
  spec["service"] = {{"type", "ClusterIP"}};
  spec["failover"] = {{"enabled", wanted_.failover}};
  json::object metadata{{"name", name}, {"namespace", kNs}};
  if (wanted_.fed) metadata["annotations"] = {{actors::kExternalSourceAnnotation, kOutsideSecret}};
  return {{"apiVersion", "upm.syntropycloud.io/v1alpha1"},
          {"kind", "MysqlReplication"},
          {"metadata", std::move(metadata)},
          {"spec", std::move(spec)}};
}

void Cluster::apply_manifests(Wanted wanted) {
  wanted_ = std::move(wanted);
  apply_documents(user_manifests());
  if (fleet_.outside()) apply_documents(outside_manifest());
  auto set = unit_set();
  auto& spec = set.as_object()["spec"].as_object();
  spec["units"] = wanted_.units;
  spec["persistentVolumeClaimRetentionPolicy"] = {
      {"whenScaled", wanted_.keeps_volumes ? "Retain" : "Delete"}};
  apply_documents({std::move(set)});
  apply_documents({replication_object(kReplication)});
}

void Cluster::specify_topology() {
  const json::object patch{{"spec", topology_spec()}};
  (void)client_->merge_patch(kReplications, kNs, kReplication, "", patch);
}

void Cluster::specify_units(json::object spec) {
  const json::object patch{{"spec", std::move(spec)}};
  (void)client_->merge_patch(kUnitSets, kNs, kUnitSet, "", patch);
}

void Cluster::order_source(int member) {
  timeline_.tell("spec.source: {}", fleet_[member].name);
  wanted_.source = member;
  specify_topology();
}

void Cluster::isolate(int member, bool isolated) {
  timeline_.tell("{} is {}", fleet_[member].name, isolated ? "isolated" : "isolated no more");
  if (isolated)
    wanted_.isolated.insert(member);
  else
    wanted_.isolated.erase(member);
  specify_topology();
}

void Cluster::scale(int units) {
  timeline_.tell("{} Units are asked for", units);
  wanted_.units = units;
  std::erase_if(wanted_.isolated, [units](int member) { return member >= units; });
  specify_topology();
  specify_units({{"units", units}});
}

void Cluster::change_template() {
  timeline_.tell("the template of the Pods changes");
  specify_units(
      {{"env", json::array{{{"name", "CHANGE"}, {"value", std::to_string(++template_changes_)}}}}});
}

void Cluster::annotate(std::string_view annotation, std::optional<std::string_view> value) {
  json::value text;  // null: taken away
  if (value) text = json::string(*value);
  const json::object patch{{"metadata", {{"annotations", {{annotation, std::move(text)}}}}}};
  (void)client_->merge_patch(kReplications, kNs, kReplication, "", patch);
}

void Cluster::feed(bool fed) {
  timeline_.tell("the annotation of the server outside is {}", fed ? "there" : "taken away");
  wanted_.fed = fed;
  annotate(actors::kExternalSourceAnnotation, fed ? std::optional(kOutsideSecret) : std::nullopt);
}

void Cluster::stop_clustering(bool stop) {
  timeline_.tell("clustering is {}", stop ? "stopped" : "stopped no more");
  annotate(actors::kClusteringStoppedAnnotation,
           stop ? std::optional<std::string_view>("true") : std::nullopt);
}

void Cluster::describe_outside(bool is) {
  if (is == client_->get("secrets", kNs, kOutsideSecret).has_value()) return;
  timeline_.tell("the Secret of the server outside is {}", is ? "there again" : "deleted");
  if (is)
    apply_documents(outside_manifest());
  else
    (void)client_->remove("secrets", kNs, kOutsideSecret);
}

bool Cluster::has_rival() const { return replications_.count(std::string(kRival)) != 0; }

void Cluster::add_rival() {
  if (has_rival()) return;
  timeline_.tell("a second replication of the same Units is applied");
  apply_documents({replication_object(kRival)});
}

void Cluster::remove_rival() {
  if (!has_rival()) return;
  timeline_.tell("the second replication is deleted");
  (void)client_->remove(kReplications, kNs, kRival);
}

void Cluster::delete_pod(int member, bool at_once) {
  timeline_.tell("Pod {} is deleted{}", fleet_[member].name, at_once ? " at once" : "");
  sim::DeleteOptions options;
  if (at_once) options.grace_period_seconds = 0;
  (void)client_->remove("pods", kNs, fleet_[member].name, options);
}

void Cluster::take_unit(int member) {
  timeline_.tell("the label of Unit {} is taken away", fleet_[member].name);
  const json::object patch{{"metadata", {{"labels", {{actors::kOwnerLabel, nullptr}}}}}};
  (void)client_->merge_patch("units.upm.syntropycloud.io", kNs, fleet_[member].name, "", patch);
}

// --- what is stored ------------------------------------------------------------------------------

void Cluster::watch() {
  const auto on = [this](std::string_view resource, auto handler) {
    watches_.push_back(client_->watch(
        resource, kNs, [this, handler](sim::WatchEventType type, const json::value& object) {
          (this->*handler)(type, object);
        }));
  };
  on("pods", &Cluster::pod_changed);
  on("persistentvolumeclaims", &Cluster::claim_changed);
  on(kReplications, &Cluster::replication_changed);
  on("units.upm.syntropycloud.io", &Cluster::unit_changed);
  on(kUnitSets, &Cluster::unit_set_changed);
}

void Cluster::replication_changed(sim::WatchEventType type, const json::value& object) {
  const auto name = name_of(object);
  if (type == sim::WatchEventType::Deleted) {
    replications_.erase(name);
    return;
  }
  Stored s;
  s.spec_source = text_at(object, "/spec/source/name");
  if (const auto epoch = text_at(object, "/status/epoch"); !epoch.empty())
    s.epoch = std::stoull(epoch);
  s.current = text_at(object, "/status/currentSource");
  s.honored = text_at(object, "/status/honoredSource");
  s.external = text_at(object, "/status/externalSource");
  s.operation = text_at(object, "/status/operation/type");
  if (!s.operation.empty())
    s.operation += " " + text_at(object, "/status/operation/step") + " " +
                   text_at(object, "/status/operation/candidate");
  s.ready = text_at(object, "/status/ready") == "true";
  if (const auto rule = text_at(object, "/status/guards/0/rule"); !rule.empty())
    s.trouble = rule + ": " + text_at(object, "/status/guards/0/text");
  auto& stored = replications_[name];
  if (stored.epoch != s.epoch || stored.operation != s.operation || stored.current != s.current)
    timeline_.tell("status of {}: {} {}, epoch {}", name, s.current,
                   s.operation.empty() ? "idle" : s.operation, s.epoch);
  stored = std::move(s);
}

const Stored& Cluster::replication() const {
  static const Stored kNone;
  const auto found = replications_.find(std::string(kReplication));
  return found == replications_.end() ? kNone : found->second;
}

void Cluster::unit_changed(sim::WatchEventType type, const json::value& object) {
  if (type == sim::WatchEventType::Deleted)
    units_.erase(name_of(object));
  else
    units_[name_of(object)] = text_at(object, "/status/phase") == "Ready";
}

void Cluster::unit_set_changed(sim::WatchEventType, const json::value& object) {
  const auto is = [&object](std::string_view type) {
    const auto* conditions = value_at(object, "/status/conditions");
    return conditions && std::any_of(conditions->as_array().begin(), conditions->as_array().end(),
                                     [type](const json::value& c) {
                                       return text_at(c, "/type") == type &&
                                              text_at(c, "/status") == "True";
                                     });
  };
  unit_set_settled_ =
      text_at(object, "/status/observedGeneration") == text_at(object, "/metadata/generation") &&
      text_at(object, "/status/inUpdate") == "false" && is("Ready") && is("Reconciled");
}

bool Cluster::units_ready() const {
  return static_cast<int>(units_.size()) == wanted_.units &&
         std::all_of(units_.begin(), units_.end(), [](const auto& unit) { return unit.second; });
}

void Cluster::claim_changed(sim::WatchEventType type, const json::value& object) {
  if (type == sim::WatchEventType::Deleted) {
    const auto claim = name_of(object);  // UNIT-data
    return fleet_.lose_volume(fleet_.index_of(claim.substr(0, claim.rfind('-'))));
  }
  if (!text_at(object, "/metadata/deletionTimestamp").empty()) {
    // No Pod uses it any more: its Unit takes care of that.
    const json::object unprotected{{"metadata", {{"finalizers", nullptr}}}};
    (void)client_->merge_patch("persistentvolumeclaims", kNs, name_of(object), "", unprotected);
    return;
  }
  if (type != sim::WatchEventType::Added) return;
  const json::object bound{{"status", {{"phase", "Bound"}, {"capacity", {{"storage", "1Gi"}}}}}};
  (void)client_->merge_patch("persistentvolumeclaims", kNs, name_of(object), "status", bound);
}

// --- Pods ----------------------------------------------------------------------------------------

void Cluster::pod_changed(sim::WatchEventType type, const json::value& object) {
  const auto name = name_of(object), uid = text_at(object, "/metadata/uid");
  const int member = fleet_.index_of(name);
  if (member < 0) return;
  auto& pod = pods_[member];
  if (type == sim::WatchEventType::Deleted) {
    if (pod.life == fleet_[member].life && fleet_[member].pod) fleet_.delete_pod(member, {});
    pods_.erase(member);
    return;
  }
  if (pod.uid != uid) {
    pod = {};
    pod.uid = uid;
    timeline_.after(timeline_.chance.between(kPodStartMin, kPodStartMax),
                    [this, name, uid] { run_pod(name, uid); });
  }
  const json::value* labels = object.at("metadata").as_object().if_contains("labels");
  const auto* readonly = labels ? labels->as_object().if_contains(actors::kReadonlyLabel) : nullptr;
  const std::string label = readonly ? std::string(readonly->as_string()) : std::string();
  if (label != pod.readonly)
    timeline_.tell("label of {}: readonly={}", name, label.empty() ? "(none)" : label);
  pod.readonly = label;
  if (pod.deleting || text_at(object, "/metadata/deletionTimestamp").empty()) return;
  pod.deleting = true;
  end_pod(name, uid, timeline_.chance.between(milliseconds(200), seconds(4)));
}

void Cluster::run_pod(const std::string& name, const std::string& uid) {
  const int member = fleet_.index_of(name);
  const auto found = pods_.find(member);
  if (found == pods_.end() || found->second.uid != uid || found->second.deleting) return;
  (void)api_.bind_pod(std::string(kNs), name, std::string(kNode), wall_at(timeline_.now()));
  fleet_.place_pod(member);
  auto& pod = pods_.at(member);
  pod.life = fleet_[member].life;
  // See member_behind().
  pod.address = fmt::format("10.{}.{}.{}", member + 1, pod.life / 250, pod.life % 250);
  const auto started = to_rfc3339(wall_at(timeline_.now()));
  const json::object status{
      {"status",
       {{"phase", "Running"},
        {"hostIP", "10.0.0.1"},
        {"podIP", pod.address},
        {"podIPs", json::array{{{"ip", pod.address}}}},
        {"startTime", started},
        {"conditions", json::array{{{"type", "Ready"}, {"status", "False"}}}}}}};
  (void)client_->merge_patch("pods", kNs, name, "status", status);
}

void Cluster::end_pod(const std::string& name, const std::string& uid, Duration after) {
  timeline_.after(after, [this, name, uid] {
    sim::DeleteOptions at_once;
    at_once.grace_period_seconds = 0;
    at_once.uid = uid;
    (void)client_->remove("pods", kNs, name, at_once);
  });
}

// A Pod is ready while its server takes connections.
void Cluster::look_at_pods() {
  for (int i = 0; i < fleet_.size(); ++i) {
    const auto found = pods_.find(i);
    if (found == pods_.end() || found->second.address.empty() || found->second.deleting) continue;
    const bool ready = fleet_[i].running;
    if (ready == found->second.ready) continue;
    found->second.ready = ready;
    const json::object status{
        {"status",
         {{"conditions", json::array{{{"type", "Ready"}, {"status", ready ? "True" : "False"}}}}}}};
    (void)client_->merge_patch("pods", kNs, fleet_[i].name, "status", status);
  }
  timeline_.after(kReadinessPeriod, [this] { look_at_pods(); });
}

std::vector<std::string> Cluster::labelled(std::string_view readonly) const {
  std::vector<std::string> out;
  for (const auto& [member, pod] : pods_)
    if (pod.readonly == readonly) out.push_back(fleet_[member].name);
  return out;
}

bool Cluster::two_labelled_as_source() const {
  return std::count_if(pods_.begin(), pods_.end(),
                       [](const auto& pod) { return pod.second.readonly == "false"; }) > 1;
}

int Cluster::member_behind(const std::string& ip) {
  int number = 0;
  std::from_chars(ip.data() + ip.find('.') + 1, ip.data() + ip.size(), number);
  return number - 1;
}

std::optional<int> Cluster::at_address(const std::string& ip) const {
  const int member = member_behind(ip);
  const auto found = pods_.find(member);
  const bool is_there = found != pods_.end() && found->second.address == ip && fleet_[member].pod &&
                        fleet_[member].life == found->second.life;
  return is_there ? std::optional(member) : std::nullopt;
}

std::string Cluster::host_of(int server) const {
  const auto& name = fleet_[server].name;
  return server == fleet_.outside() ? name + ".example.com"
                                    : fmt::format("{}.db-headless-svc.{}", name, kNs);
}

std::optional<int> Cluster::by_host(std::string_view host) const {
  const int member = fleet_.index_of(host.substr(0, host.find('.')));
  return member < 0 ? std::nullopt : std::optional(member);
}

bool Cluster::terminating(int member) const {
  const auto found = pods_.find(member);
  return found != pods_.end() && found->second.deleting;
}

}  // namespace troupe::operator_sim
