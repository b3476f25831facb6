// persistent volumes and claims, storage classes, volume attachments.
#include <fmt/format.h>

#include "k8s/sim/api/builtins.hpp"
#include "k8s/sim/api/core.hpp"
#include "k8s/sim/api/schema_quantity.hpp"
#include "k8s/sim/api/table.hpp"

namespace troupe::sim {
namespace {

constexpr std::string_view kDefaultClass = "storageclass.kubernetes.io/is-default-class";

std::string access_modes(const json::object& object, std::string_view path) {
  std::string text;
  const auto* modes = array_at(object, path);
  if (modes == nullptr) return text;
  for (const auto& mode : *modes) {
    const auto* name = mode.if_string();
    if (name == nullptr) continue;
    const std::string_view word = *name == "ReadWriteOnce"      ? "RWO"
                                  : *name == "ReadOnlyMany"     ? "ROX"
                                  : *name == "ReadWriteMany"    ? "RWX"
                                  : *name == "ReadWriteOncePod" ? "RWOP"
                                                                : "";
    if (!text.empty()) text += ',';
    text += word;
  }
  return text;
}

Column modes_column(std::string path) {
  return {.name = "Access Modes", .cell = [path = std::move(path)](const auto& o, WallTime) {
            return json::value(access_modes(o, path));
          }};
}

// "Terminating" while it waits for its finalizers.
Column phase_column() {
  return {.name = "Status", .cell = [](const auto& o, WallTime) {
            return is_deleting(o) ? json::value("Terminating")
                                  : json::value(string_at(o, "status.phase"));
          }};
}

std::string default_class(const Core& core) {
  const auto* classes = core.store.find_collection("storageclasses.storage.k8s.io");
  if (classes == nullptr) return {};
  for (const auto& [key, object] : classes->objects()) {
    const auto* annotations = object_at(object->object(), "metadata.annotations");
    const auto* marked = annotations == nullptr ? nullptr : annotations->if_contains(kDefaultClass);
    if (marked != nullptr && *marked == "true") return key;
  }
  return {};
}

ApiResult<void> prepare_claim(WriteScope& scope, json::object& claim, const json::object* old) {
  auto& spec = child(claim, "spec");
  if (old != nullptr) return {};
  if (!spec.contains("storageClassName")) {
    const auto name = default_class(scope.core);
    if (!name.empty()) spec["storageClassName"] = name;
  }
  add_finalizer(claim, "kubernetes.io/pvc-protection");
  claim["status"] = json::object{{"phase", "Pending"}};
  return {};
}

std::optional<Quantity> requested(const json::object& claim) {
  return Quantity::parse(string_at(claim, "spec.resources.requests.storage"));
}

// A bound claim may grow where its class allows; nothing else of its spec changes.
void validate_claim_update(const WriteScope& scope, const json::object& claim,
                           const json::object& old, std::vector<FieldError>& errors) {
  json::object after = claim.at("spec").get_object();
  json::object before = old.at("spec").get_object();
  const bool binds = string_at(before, "volumeName").empty();
  for (auto* spec : {&after, &before}) {
    erase_at(*spec, "resources.requests.storage");
    if (binds) spec->erase("volumeName");
  }
  if (after != before) {
    errors.push_back(forbidden("spec",
                               "spec is immutable after creation except resources.requests and "
                               "volumeAttributesClassName for bound claims"));
    return;
  }
  const auto now = requested(claim);
  const auto then = requested(old);
  if (!now || !then || *now == *then) return;
  if (*now < *then) {
    errors.push_back(
        forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
    return;
  }
  const auto name = string_at(claim, "spec.storageClassName");
  const auto kind = scope.core.find("storageclasses.storage.k8s.io", "", name);
  if (kind == nullptr || !true_at(kind->object(), "allowVolumeExpansion")) {
    errors.push_back(forbidden("spec.resources.requests.storage",
                               "only dynamically provisioned pvc can be resized and the "
                               "storageclass that provisions the pvc must support resize"));
  }
}

void validate_claim(const WriteScope& scope, const json::object& claim, const json::object* old,
                    std::vector<FieldError>& errors) {
  if (scope.subresource == "status") return;
  const auto* spec = object_at(claim, "spec");
  if (spec == nullptr) return;
  const auto* modes = array_at(*spec, "accessModes");
  if (modes == nullptr || modes->empty()) {
    errors.push_back(required("spec.accessModes", "at least 1 access mode is required"));
  }
  if (string_at(*spec, "resources.requests.storage").empty()) {
    errors.push_back(required("spec.resources[storage]"));
  }
  if (old != nullptr && object_at(*old, "spec") != nullptr) {
    validate_claim_update(scope, claim, *old, errors);
  }
}

ResourceType claims() {
  ResourceType type{
      .group = "",
      .version = "v1",
      .kind = "PersistentVolumeClaim",
      .plural = "persistentvolumeclaims",
      .singular = "persistentvolumeclaim",
      .short_names = {"pvc"},
      .has_status = true,
      .defaults = {{"spec.volumeMode", "Filesystem"}},
      .columns = {name_column(), phase_column(), path_column("Volume", "spec.volumeName"),
                  path_column("Capacity", "status.capacity.storage"),
                  modes_column("status.accessModes"),
                  path_column("StorageClass", "spec.storageClassName"), age_column(),
                  path_column("VolumeMode", "spec.volumeMode", 1)}};
  type.strategy.prepare = prepare_claim;
  type.strategy.validate = validate_claim;
  return type;
}

ResourceType volumes() {
  ResourceType type{.group = "",
                    .version = "v1",
                    .kind = "PersistentVolume",
                    .plural = "persistentvolumes",
                    .singular = "persistentvolume",
                    .short_names = {"pv"},
                    .namespaced = false,
                    .has_status = true,
                    .defaults = {{"spec.volumeMode", "Filesystem"},
                                 {"spec.persistentVolumeReclaimPolicy", "Retain"}},
                    .columns = {name_column(),
                                path_column("Capacity", "spec.capacity.storage"),
                                modes_column("spec.accessModes"),
                                path_column("Reclaim Policy", "spec.persistentVolumeReclaimPolicy"),
                                phase_column(),
                                {.name = "Claim",
                                 .cell =
                                     [](const auto& o, WallTime) {
                                       const auto name = string_at(o, "spec.claimRef.name");
                                       if (name.empty()) return json::value("");
                                       return json::value(fmt::format(
                                           "{}/{}", string_at(o, "spec.claimRef.namespace"), name));
                                     }},
                                path_column("StorageClass", "spec.storageClassName"),
                                path_column("Reason", "status.reason"),
                                age_column(),
                                path_column("VolumeMode", "spec.volumeMode", 1)}};
  type.strategy.prepare = [](WriteScope&, json::object& volume, const json::object* old) {
    if (old == nullptr) {
      add_finalizer(volume, "kubernetes.io/pv-protection");
      volume["status"] = json::object{{"phase", "Pending"}};
    }
    return ApiResult<void>();
  };
  return type;
}

ResourceType storage_classes() {
  ResourceType type{
      .group = "storage.k8s.io",
      .version = "v1",
      .kind = "StorageClass",
      .plural = "storageclasses",
      .singular = "storageclass",
      .short_names = {"sc"},
      .namespaced = false,
      .defaults = {{"reclaimPolicy", "Delete"}, {"volumeBindingMode", "Immediate"}},
      .columns = {{.name = "Name",
                   .format = "name",
                   .cell =
                       [](const auto& o, WallTime) {
                         const auto* notes = object_at(o, "metadata.annotations");
                         const auto* marked =
                             notes == nullptr ? nullptr : notes->if_contains(kDefaultClass);
                         const bool is_default = marked != nullptr && *marked == "true";
                         return json::value(
                             fmt::format("{}{}", name_of(o), is_default ? " (default)" : ""));
                       }},
                  path_column("Provisioner", "provisioner"),
                  path_column("ReclaimPolicy", "reclaimPolicy"),
                  path_column("VolumeBindingMode", "volumeBindingMode"),
                  path_column("AllowVolumeExpansion", "allowVolumeExpansion", 0, "false"),
                  age_column()}};
  type.strategy.validate = [](const WriteScope&, const json::object& object,
                              const json::object* old, std::vector<FieldError>& errors) {
    if (string_at(object, "provisioner").empty()) errors.push_back(required("provisioner"));
    if (old == nullptr) return;
    for (const auto* field : {"provisioner", "reclaimPolicy", "volumeBindingMode", "parameters"}) {
      const auto* before = find(*old, field);
      const auto* after = find(object, field);
      const bool same = before == nullptr || after == nullptr ? before == after : *before == *after;
      if (!same) {
        errors.push_back(forbidden(field, fmt::format("updates to {} are forbidden.", field)));
      }
    }
  };
  return type;
}

ResourceType attachments() {
  return {.group = "storage.k8s.io",
          .version = "v1",
          .kind = "VolumeAttachment",
          .plural = "volumeattachments",
          .singular = "volumeattachment",
          .namespaced = false,
          .has_status = true,
          .columns = {name_column(), path_column("Attacher", "spec.attacher"),
                      path_column("PV", "spec.source.persistentVolumeName"),
                      path_column("Node", "spec.nodeName"),
                      path_column("Attached", "status.attached"), age_column()}};
}

ResourceType drivers() {
  return {.group = "storage.k8s.io",
          .version = "v1",
          .kind = "CSIDriver",
          .plural = "csidrivers",
          .singular = "csidriver",
          .namespaced = false};
}

}  // namespace

std::vector<ResourceType> storage_types() {
  return {claims(), volumes(), storage_classes(), attachments(), drivers()};
}

}  // namespace troupe::sim
