#include "k8s/sim/controllers/volumes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "k8s/sim/controllers/amounts.hpp"
#include "k8s/sim/controllers/json_access.hpp"
#include "k8s/sim/controllers/labels.hpp"
#include "k8s/sim/controllers/work_queue.hpp"

namespace troupe::sim {
namespace {

namespace json = boost::json;

constexpr std::string_view kClaims = "persistentvolumeclaims";
constexpr std::string_view kVolumes = "persistentvolumes";
constexpr std::string_view kClasses = "storageclasses.storage.k8s.io";
constexpr std::string_view kComponent = "persistentvolume-controller";
constexpr std::string_view kProvisioner = "sim.troupe.dev/directory";
constexpr std::string_view kNoProvisioner = "kubernetes.io/no-provisioner";
constexpr std::string_view kProvisionedBy = "pv.kubernetes.io/provisioned-by";
constexpr std::string_view kSelectedNode = "volume.kubernetes.io/selected-node";
constexpr std::string_view kClaimProtection = "kubernetes.io/pvc-protection";
constexpr std::string_view kVolumeProtection = "kubernetes.io/pv-protection";
constexpr std::string_view kFsType = "csi.storage.k8s.io/fstype";
constexpr std::string_view kImageFsType = "ext4";

std::int64_t requested_size(const json::value& claim) {
  return whole_amount(find(claim, {"spec", "resources", "requests", "storage"}));
}

bool has_finalizer(const json::value& object, std::string_view finalizer) {
  const json::array& all = items(object, {"metadata", "finalizers"});
  return std::any_of(all.begin(), all.end(),
                     [&](const json::value& each) { return scalar_text(each) == finalizer; });
}

json::object without_finalizer(const json::value& object, std::string_view finalizer) {
  json::array left;
  for (const json::value& each : items(object, {"metadata", "finalizers"})) {
    if (scalar_text(each) != finalizer) left.push_back(each);
  }
  return {{"metadata", {{"uid", uid_of(object)}, {"finalizers", std::move(left)}}}};
}

json::object claim_reference(const json::value& claim) {
  return {{"apiVersion", "v1"},
          {"kind", "PersistentVolumeClaim"},
          {"namespace", namespace_of(claim)},
          {"name", name_of(claim)},
          {"uid", uid_of(claim)}};
}

// Where the volume lies, as the kubelet is told.
void set_source(json::object& spec, const std::filesystem::path& directory,
                std::string_view fstype) {
  if (fstype.empty()) {
    spec["hostPath"] = {{"path", directory.string()}, {"type", "DirectoryOrCreate"}};
    return;
  }
  spec["local"] = {{"path", directory.string() + ".img"}, {"fsType", fstype}};
  json::object any_node{
      {"key", "kubernetes.io/os"}, {"operator", "In"}, {"values", json::array{"linux"}}};
  spec["nodeAffinity"] = {
      {"required",
       {{"nodeSelectorTerms",
         json::array{json::object{{"matchExpressions", json::array{std::move(any_node)}}}}}}}};
}

class VolumeController final : public Controller {
 public:
  VolumeController(const ControllerContext& context, VolumeOptions options)
      : context_(context),
        options_(std::move(options)),
        claims_(context.caches.of(kClaims)),
        volumes_(context.caches.of(kVolumes)),
        classes_(context.caches.of(kClasses)),
        pods_(context.caches.of("pods")),
        claim_queue_(context.io, [this](const ObjectKey& key) { see_to_claim(key); }),
        volume_queue_(context.io, [this](const ObjectKey& key) { see_to_volume(key); }) {
    claims_.subscribe([this](const CachedObject& before, const CachedObject& after) {
      const CachedObject& claim = after != nullptr ? after : before;
      claim_queue_.add(claim);
      if (after == nullptr) said_.erase(key_of(*claim));
      const std::string volume(text(*claim, {"spec", "volumeName"}));
      if (!volume.empty()) volume_queue_.add(ObjectKey{"", volume});
    });
    volumes_.subscribe([this](const CachedObject& before, const CachedObject& after) {
      volume_queue_.add(after != nullptr ? after : before);
      if (after != nullptr && text(*after, {"status", "phase"}) == "Available") retry_pending();
    });
    classes_.subscribe([this](const CachedObject&, const CachedObject& after) {
      if (after != nullptr) retry_pending();
    });
    pods_.subscribe(
        [this](const CachedObject& before, const CachedObject& after) { note_use(before, after); });
    make_default_class();
  }

 private:
  void make_default_class() {
    json::object annotations{{"storageclass.kubernetes.io/is-default-class", "true"}};
    (void)context_.api.create(
        kClasses, "",
        json::object{{"apiVersion", "storage.k8s.io/v1"},
                     {"kind", "StorageClass"},
                     {"metadata", {{"name", "standard"}, {"annotations", std::move(annotations)}}},
                     {"provisioner", kProvisioner},
                     {"reclaimPolicy", "Delete"},
                     {"volumeBindingMode", "WaitForFirstConsumer"},
                     {"allowVolumeExpansion", true}});
  }

  // --- claims ---

  static std::set<ObjectKey> claims_of(const CachedObject& pod) {
    std::set<ObjectKey> used;
    if (pod == nullptr) return used;
    const std::string_view phase = text(*pod, {"status", "phase"});
    if (phase == "Succeeded" || phase == "Failed") return used;
    for (const json::value& volume : items(*pod, {"spec", "volumes"})) {
      const std::string_view name = text(volume, {"persistentVolumeClaim", "claimName"});
      if (!name.empty()) used.insert({std::string(namespace_of(*pod)), std::string(name)});
    }
    return used;
  }

  void note_use(const CachedObject& before, const CachedObject& after) {
    for (const ObjectKey& claim : claims_of(before)) {
      auto& users = users_[claim];
      users.erase(key_of(*before));
      if (users.empty()) users_.erase(claim);
      claim_queue_.add(claim);
    }
    for (const ObjectKey& claim : claims_of(after)) users_[claim].insert(key_of(*after));
  }

  void retry_pending() {
    for (const auto& [key, claim] : claims_.all()) {
      if (text(*claim, {"status", "phase"}) != "Bound") claim_queue_.add(key);
    }
  }

  void see_to_claim(const ObjectKey& key) {
    const CachedObject claim = claims_.find(key);
    if (claim == nullptr) return;
    if (is_deleting(*claim)) {
      if (!users_.contains(key) && has_finalizer(*claim, kClaimProtection)) {
        (void)context_.api.merge_patch(kClaims, key.ns, key.name, "",
                                       without_finalizer(*claim, kClaimProtection));
      }
      return;
    }
    const std::string volume_name(text(*claim, {"spec", "volumeName"}));
    if (volume_name.empty()) return find_volume(*claim);
    const CachedObject volume = volumes_.find({"", volume_name});
    if (volume == nullptr) return lose(*claim);
    if (text(*claim, {"status", "phase"}) == "Bound") {
      expand(*claim, *volume);
    } else {
      finish_binding(*claim, *volume);
    }
  }

  void find_volume(const json::value& claim) {
    if (const CachedObject volume = best_volume(claim)) return bind(claim, *volume);
    const std::string class_name(text(claim, {"spec", "storageClassName"}));
    if (class_name.empty()) {
      return say(claim, EventType::Normal, "FailedBinding",
                 "no persistent volumes available for this claim and no storage class is set");
    }
    const CachedObject storage = classes_.find({"", class_name});
    if (storage == nullptr) {
      return say(claim, EventType::Warning, "ProvisioningFailed",
                 fmt::format("storageclass.storage.k8s.io \"{}\" not found", class_name));
    }
    const bool waits = text(*storage, {"volumeBindingMode"}) == "WaitForFirstConsumer";
    if (waits && text(claim, {"metadata", "annotations", kSelectedNode}).empty()) {
      return say(claim, EventType::Normal, "WaitForFirstConsumer",
                 "waiting for first consumer to be created before binding");
    }
    if (text(*storage, {"provisioner"}) == kNoProvisioner) {
      return say(claim, EventType::Normal, "FailedBinding",
                 "no persistent volumes available for this claim");
    }
    provision(claim, *storage);
  }

  // The smallest that fits; one that names the claim before all others.
  CachedObject best_volume(const json::value& claim) const {
    CachedObject best;
    for (const auto& [key, volume] : volumes_.all()) {
      if (!volume_fits(*volume, claim)) continue;
      const bool reserved = !text(*volume, {"spec", "claimRef", "name"}).empty();
      if (reserved) return volume;
      if (best == nullptr || size_of(*volume) < size_of(*best)) best = volume;
    }
    return best;
  }

  void provision(const json::value& claim, const json::value& storage) {
    const auto fstype = text(storage, {"parameters", kFsType}, options_.default_fstype);
    if (!fstype.empty() && fstype != kImageFsType) {
      return say(claim, EventType::Warning, "ProvisioningFailed",
                 fmt::format("parameter {} of storageclass \"{}\": expected {}, found {}", kFsType,
                             name_of(storage), kImageFsType, fstype));
    }
    const std::string name = fmt::format("pvc-{}", uid_of(claim));
    json::object metadata{{"name", name},
                          {"annotations", {{kProvisionedBy, text(storage, {"provisioner"})}}}};
    metadata["finalizers"] = json::array{json::value(kVolumeProtection)};
    json::object spec{
        {"capacity", {{"storage", *find(claim, {"spec", "resources", "requests", "storage"})}}},
        {"accessModes", items(claim, {"spec", "accessModes"})},
        {"claimRef", claim_reference(claim)},
        {"persistentVolumeReclaimPolicy", text(storage, {"reclaimPolicy"}, "Delete")},
        {"storageClassName", name_of(storage)},
        {"volumeMode", text(claim, {"spec", "volumeMode"}, "Filesystem")}};
    set_source(spec, options_.directory / name, fstype);
    auto created = context_.api.create(kVolumes, "",
                                       json::object{{"apiVersion", "v1"},
                                                    {"kind", "PersistentVolume"},
                                                    {"metadata", std::move(metadata)},
                                                    {"spec", std::move(spec)}});
    if (!created) {
      return say(claim, EventType::Warning, "ProvisioningFailed", created.error().message);
    }
    say(claim, EventType::Normal, "ProvisioningSucceeded",
        fmt::format("Successfully provisioned volume {}", name));
    bind(claim, *created);
  }

  // Both directions, the volume's first: then it is never given to two claims.
  void bind(const json::value& claim, const json::value& volume) {
    if (text(volume, {"spec", "claimRef", "uid"}) != uid_of(claim)) {
      json::object patch{{"spec", {{"claimRef", claim_reference(claim)}}}};
      patch["metadata"] = {{"resourceVersion", text(volume, {"metadata", "resourceVersion"})}};
      if (!context_.api.merge_patch(kVolumes, "", name_of(volume), "", std::move(patch))) return;
    }
    json::object patch{{"metadata",
                        {{"uid", uid_of(claim)},
                         {"annotations",
                          {{"pv.kubernetes.io/bind-completed", "yes"},
                           {"pv.kubernetes.io/bound-by-controller", "yes"}}}}},
                       {"spec", {{"volumeName", name_of(volume)}}}};
    if (context_.api.merge_patch(kClaims, namespace_of(claim), name_of(claim), "",
                                 std::move(patch))) {
      finish_binding(claim, volume);
    }
  }

  void finish_binding(const json::value& claim, const json::value& volume) {
    const std::string_view holder = text(volume, {"spec", "claimRef", "uid"});
    if (holder.empty()) return bind(claim, volume);
    if (holder != uid_of(claim)) {
      return say(claim, EventType::Warning, "FailedBinding",
                 fmt::format("volume \"{}\" is bound to another claim", name_of(volume)));
    }
    set_volume_phase(volume, "Bound");
    json::object patch{{"status",
                        {{"phase", "Bound"},
                         {"accessModes", items(volume, {"spec", "accessModes"})},
                         {"capacity", fields(volume, {"spec", "capacity"})}}}};
    (void)context_.api.merge_patch(kClaims, namespace_of(claim), name_of(claim), "status",
                                   std::move(patch));
  }

  void expand(const json::value& claim, const json::value& volume) {
    const json::value* wanted = find(claim, {"spec", "resources", "requests", "storage"});
    const auto size = requested_size(claim);
    if (wanted == nullptr) return;
    if (size > size_of(volume)) {
      json::object patch{{"spec", {{"capacity", {{"storage", *wanted}}}}}};
      if (!context_.api.merge_patch(kVolumes, "", name_of(volume), "", std::move(patch))) return;
    }
    if (size <= whole_amount(find(claim, {"status", "capacity", "storage"}))) return;
    if (fstype_of(volume).empty()) return tell_size(claim, *wanted);
    options_.grow(
        path_of(volume), size,
        [this, alive = std::weak_ptr(life_), claim, wanted = *wanted](const Result<void>& grown) {
          if (alive.expired()) return;
          if (grown) return tell_size(claim, wanted);
          say(claim, EventType::Warning, "FileSystemResizeFailed", grown.error().message);
        });
  }

  void tell_size(const json::value& claim, const json::value& size) {
    json::object patch{{"status", {{"capacity", {{"storage", size}}}}}};
    if (context_.api.merge_patch(kClaims, namespace_of(claim), name_of(claim), "status",
                                 std::move(patch))) {
      say(claim, EventType::Normal, "FileSystemResizeSuccessful",
          "MountVolume.NodeExpandVolume succeeded for volume");
    }
  }

  void lose(const json::value& claim) {
    if (text(claim, {"status", "phase"}) != "Bound") return;
    json::object patch{{"status", {{"phase", "Lost"}}}};
    (void)context_.api.merge_patch(kClaims, namespace_of(claim), name_of(claim), "status",
                                   std::move(patch));
    say(claim, EventType::Warning, "ClaimLost",
        "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  }

  // --- volumes ---

  void see_to_volume(const ObjectKey& key) {
    const CachedObject volume = volumes_.find(key);
    if (volume == nullptr) return;
    const CachedObject claim = holder_of(*volume);
    const std::string_view phase = text(*volume, {"status", "phase"});
    if (is_deleting(*volume)) {
      if (claim == nullptr && has_finalizer(*volume, kVolumeProtection)) {
        (void)context_.api.merge_patch(kVolumes, "", key.name, "",
                                       without_finalizer(*volume, kVolumeProtection));
      }
      return;
    }
    if (text(*volume, {"spec", "claimRef", "uid"}).empty()) {
      if (phase != "Available") set_volume_phase(*volume, "Available");
    } else if (claim == nullptr) {
      release(*volume);
    }
  }

  CachedObject holder_of(const json::value& volume) const {
    const CachedObject claim =
        claims_.find({std::string(text(volume, {"spec", "claimRef", "namespace"})),
                      std::string(text(volume, {"spec", "claimRef", "name"}))});
    const std::string_view uid = text(volume, {"spec", "claimRef", "uid"});
    return claim != nullptr && uid_of(*claim) == uid ? claim : nullptr;
  }

  void release(const json::value& volume) {
    set_volume_phase(volume, "Released");
    const bool ours = !text(volume, {"metadata", "annotations", kProvisionedBy}).empty();
    if (text(volume, {"spec", "persistentVolumeReclaimPolicy"}) != "Delete" || !ours) return;
    const auto path = path_of(volume);
    DeleteOptions options;
    options.uid = uid_of(volume);
    if (!context_.api.remove(kVolumes, "", name_of(volume), options)) return;
    if (path.parent_path() == options_.directory) options_.remove(path);
  }

  void set_volume_phase(const json::value& volume, std::string_view phase) {
    if (text(volume, {"status", "phase"}) == phase) return;
    json::object patch{{"status", {{"phase", phase}}}};
    (void)context_.api.merge_patch(kVolumes, "", name_of(volume), "status", std::move(patch));
  }

  void say(const json::value& claim, EventType type, std::string_view reason,
           const std::string& message) {
    // Once for each state, not each time it is looked at.
    std::string& said = said_[key_of(claim)];
    if (said == message) return;
    said = message;
    context_.events.record(claim, type, reason, message, kComponent);
  }

  const ControllerContext context_;
  const VolumeOptions options_;
  ObjectCache& claims_;
  ObjectCache& volumes_;
  ObjectCache& classes_;
  ObjectCache& pods_;
  std::map<ObjectKey, std::set<ObjectKey>> users_;  // pods of a claim
  std::map<ObjectKey, std::string> said_;
  WorkQueue claim_queue_;
  WorkQueue volume_queue_;
  std::shared_ptr<int> life_ = std::make_shared<int>();
};

}  // namespace

bool volume_fits(const json::value& volume, const json::value& claim) {
  if (is_deleting(volume)) return false;
  const std::string_view holder = text(volume, {"spec", "claimRef", "name"});
  const std::string_view holder_uid = text(volume, {"spec", "claimRef", "uid"});
  if (!holder.empty()) {
    const bool for_it = holder == name_of(claim) &&
                        text(volume, {"spec", "claimRef", "namespace"}) == namespace_of(claim);
    if (!for_it || (!holder_uid.empty() && holder_uid != uid_of(claim))) return false;
  }
  if (text(volume, {"spec", "storageClassName"}) != text(claim, {"spec", "storageClassName"})) {
    return false;
  }
  if (text(volume, {"spec", "volumeMode"}, "Filesystem") !=
      text(claim, {"spec", "volumeMode"}, "Filesystem")) {
    return false;
  }
  if (size_of(volume) < requested_size(claim)) return false;
  const json::array& offered = items(volume, {"spec", "accessModes"});
  for (const json::value& mode : items(claim, {"spec", "accessModes"})) {
    if (std::find(offered.begin(), offered.end(), mode) == offered.end()) return false;
  }
  const json::value* selector = find(claim, {"spec", "selector"});
  return selector == nullptr || label_selector_matches(selector, volume);
}

std::filesystem::path path_of(const json::value& volume) {
  for (const std::string_view kind : {"hostPath", "local"}) {
    const std::string_view path = text(volume, {"spec", kind, "path"});
    if (!path.empty()) return path;
  }
  return {};
}

std::string_view fstype_of(const json::value& volume) {
  return text(volume, {"spec", "local", "fsType"});
}

std::int64_t size_of(const json::value& volume) {
  return whole_amount(find(volume, {"spec", "capacity", "storage"}));
}

std::unique_ptr<Controller> make_volume_controller(const ControllerContext& context,
                                                   VolumeOptions options) {
  return std::make_unique<VolumeController>(context, std::move(options));
}

}  // namespace troupe::sim
