// Unit: one database instance, its Pod and its volumes. A UnitSet makes them; they also stand
// alone.
#pragma once

#include <string_view>

#include "k8s/api/core.hpp"
#include "k8s/api/kind.hpp"
#include "k8s/api/metadata.hpp"
#include "k8s/api/unitset.hpp"

namespace troupe::k8s {

// Metadata of an object that is yet to be made.
struct TemplateMeta {
  Text name;
  TextMap labels;
  TextMap annotations;
};
BOOST_DESCRIBE_STRUCT(TemplateMeta, (), (name, labels, annotations))
template <>
struct Schema<TemplateMeta> {
  static constexpr std::string_view kDoc = "Metadata of the object to be made.";
  static constexpr Field kFields[] = {
      {.name = "name",
       .doc = "Name of the volume; the claim is named <unit>-<name>.",
       .required = true,
       .min_length = 1,
       .max_length = 63,
       .pattern = kLabelPattern},
      {.name = "labels", .doc = "Labels, added to the Unit's."},
      {.name = "annotations", .doc = "Annotations."},
  };
};

// Shaped like a PersistentVolumeClaim, so that one can be pasted in.
struct ClaimTemplate {
  Text apiVersion;
  Text kind;
  TemplateMeta metadata;
  PersistentVolumeClaimSpec spec;
};
BOOST_DESCRIBE_STRUCT(ClaimTemplate, (), (apiVersion, kind, metadata, spec))
template <>
struct Schema<ClaimTemplate> {
  static constexpr std::string_view kDoc = "A PersistentVolumeClaim to be made.";
  static constexpr Field kFields[] = {
      {.name = "apiVersion", .doc = "v1, if given."},
      {.name = "kind", .doc = "PersistentVolumeClaim, if given."},
      {.name = "metadata", .doc = "Its name and labels.", .required = true},
      {.name = "spec", .doc = "The volume that is asked for.", .required = true},
  };
  static constexpr bool kPreserveUnknown = true;
};

struct FailedPodRecoveryPolicy {
  bool enabled = true;
  std::int32_t reconcileThreshold = 6;
};
BOOST_DESCRIBE_STRUCT(FailedPodRecoveryPolicy, (), (enabled, reconcileThreshold))
template <>
struct Schema<FailedPodRecoveryPolicy> {
  static constexpr std::string_view kDoc = "What to do with a Pod that has failed.";
  static constexpr Field kFields[] = {
      {.name = "enabled", .doc = "Make the Pod again.", .defaulted = true},
      {.name = "reconcileThreshold",
       .doc = "After how many times ten seconds.",
       .defaulted = true,
       .minimum = 0,
       .maximum = 8640},
  };
};

struct UnitClaimRetentionPolicy {
  ClaimRetention whenDeleted = ClaimRetention::Retain;
};
BOOST_DESCRIBE_STRUCT(UnitClaimRetentionPolicy, (), (whenDeleted))
template <>
struct Schema<UnitClaimRetentionPolicy> {
  static constexpr std::string_view kDoc = "What becomes of the data of a Unit that goes.";
  static constexpr Field kFields[] = {
      {.name = "whenDeleted",
       .doc = "Retain keeps the claims, Delete deletes them and, by the StorageClass's reclaim "
              "policy, the data. A UnitSet sets it from its own policy.",
       .defaulted = true},
  };
};

struct UnitSpec {
  bool unbindNode = false;
  bool startup = true;
  Text sharedConfigName;
  Text configTemplateName;
  Text configValueName;
  Raw template_;
  List<ClaimTemplate> volumeClaimTemplates;
  FailedPodRecoveryPolicy failedPodRecoveryPolicy;
  UnitClaimRetentionPolicy persistentVolumeClaimRetentionPolicy;
};
BOOST_DESCRIBE_STRUCT(UnitSpec, (),
                      (unbindNode, startup, sharedConfigName, configTemplateName, configValueName,
                       template_, volumeClaimTemplates, failedPodRecoveryPolicy,
                       persistentVolumeClaimRetentionPolicy))
template <>
struct Schema<UnitSpec> {
  static constexpr std::string_view kDoc = "The instance that shall be.";
  static constexpr Field kFields[] = {
      {.name = "unbindNode",
       .doc = "false: the node that the Pod first runs on is noted in an annotation and in the "
              "template, and the Pod stays there. true: it may move.",
       .defaulted = true},
      {.name = "startup",
       .doc = "Whether the database process shall run; the Pod stays either way.",
       .defaulted = true},
      {.name = "sharedConfigName",
       .doc = "ConfigMap with values that all Units of a set share.",
       .max_length = 253},
      {.name = "configTemplateName",
       .doc = "ConfigMap with the template of the configuration file.",
       .max_length = 253},
      {.name = "configValueName",
       .doc = "ConfigMap with this Unit's values for the template.",
       .max_length = 253},
      {.name = "template",
       .doc = "The Pod: metadata and spec of a PodTemplateSpec.",
       .required = true,
       .raw = RawShape::PodTemplate},
      {.name = "volumeClaimTemplates", .doc = "Claims to be made for the Pod's volumes."},
      {.name = "failedPodRecoveryPolicy",
       .doc = "What to do with a Pod that has failed.",
       .defaulted = true},
      {.name = "persistentVolumeClaimRetentionPolicy",
       .doc = "What becomes of the data when the Unit goes.",
       .defaulted = true},
  };
};

enum class UnitPhase : std::uint8_t { Pending, Running, Ready, Succeeded, Failed, Unknown };
BOOST_DESCRIBE_ENUM(UnitPhase, Pending, Running, Ready, Succeeded, Failed, Unknown)

enum class ProcessState : std::uint8_t {
  Stopped,
  Starting,
  Running,
  Backoff,
  Stopping,
  Exited,
  Fatal,
  Unknown
};
template <>
inline constexpr std::array kEnumTexts<ProcessState> = {
    EnumText{ProcessState::Stopped, "stopped"},   EnumText{ProcessState::Starting, "starting"},
    EnumText{ProcessState::Running, "running"},   EnumText{ProcessState::Backoff, "backoff"},
    EnumText{ProcessState::Stopping, "stopping"}, EnumText{ProcessState::Exited, "exited"},
    EnumText{ProcessState::Fatal, "fatal"},       EnumText{ProcessState::Unknown, "unknown"},
};

struct ConfigSyncStatus {
  Time lastTransitionTime;
  Opt<ConditionStatus> status;
};
BOOST_DESCRIBE_STRUCT(ConfigSyncStatus, (), (lastTransitionTime, status))
template <>
struct Schema<ConfigSyncStatus> {
  static constexpr std::string_view kDoc = "Whether the configuration file is up to date.";
  static constexpr Field kFields[] = {
      {.name = "lastTransitionTime", .doc = "When the status last changed."},
      {.name = "status", .doc = "True if the file was rendered from the ConfigMaps as they are."},
  };
};

struct ClaimCapacity {
  Quantity storage;
};
BOOST_DESCRIBE_STRUCT(ClaimCapacity, (), (storage))
template <>
struct Schema<ClaimCapacity> {
  static constexpr std::string_view kDoc = "Size of a volume.";
  static constexpr Field kFields[] = {{.name = "storage", .doc = "The size."}};
};

struct ClaimInfo {
  Text name;
  Text volumeName;
  List<Text> accessModes;
  ClaimCapacity capacity;
  Text phase;
};
BOOST_DESCRIBE_STRUCT(ClaimInfo, (), (name, volumeName, accessModes, capacity, phase))
template <>
struct Schema<ClaimInfo> {
  static constexpr std::string_view kDoc = "A volume of the Unit.";
  static constexpr Field kFields[] = {
      {.name = "name", .doc = "Name of the claim.", .required = true},
      {.name = "volumeName", .doc = "The volume it is bound to."},
      {.name = "accessModes", .doc = "How it can be mounted."},
      {.name = "capacity", .doc = "Its size."},
      {.name = "phase", .doc = "Pending, Bound or Lost."},
  };
};

struct UnitStatus {
  std::int64_t observedGeneration = 0;
  Opt<UnitPhase> phase;
  Opt<ProcessState> processState;
  Text nodeName;
  Opt<ConditionStatus> nodeReady;
  Text hostIP;
  List<PodIP> podIPs;
  Text task;
  Opt<ConfigSyncStatus> configSyncStatus;
  List<ClaimInfo> persistentVolumeClaim;
  List<Condition> conditions;
};
BOOST_DESCRIBE_STRUCT(UnitStatus, (),
                      (observedGeneration, phase, processState, nodeName, nodeReady, hostIP, podIPs,
                       task, configSyncStatus, persistentVolumeClaim, conditions))
template <>
struct Schema<UnitStatus> {
  static constexpr std::string_view kDoc = "The instance that is.";
  static constexpr Field kFields[] = {
      {.name = "observedGeneration",
       .doc = "Generation of the spec that this status is about.",
       .omit_zero = true},
      {.name = "phase",
       .doc = "Phase of the Pod; Ready once it serves. Absent while the Pod is replaced."},
      {.name = "processState", .doc = "State of the database process, as the unit agent sees it."},
      {.name = "nodeName", .doc = "Node of the Pod."},
      {.name = "nodeReady", .doc = "Whether that node is ready."},
      {.name = "hostIP", .doc = "Address of that node."},
      {.name = "podIPs", .doc = "Addresses of the Pod."},
      {.name = "task", .doc = "Why the Pod is being replaced; empty while it is not."},
      {.name = "configSyncStatus", .doc = "Whether the configuration file is up to date."},
      {.name = "persistentVolumeClaim",
       .doc = "Its volumes.",
       .list = ListType::Map,
       .keys = {"name"}},
      {.name = "conditions",
       .doc = "Ready and what stands in the way.",
       .list = ListType::Map,
       .keys = {"type"}},
  };
};

struct Unit {
  ObjectMeta metadata;
  UnitSpec spec;
  UnitStatus status;
};
BOOST_DESCRIBE_STRUCT(Unit, (), (metadata, spec, status))
template <>
struct Schema<Unit> {
  static constexpr std::string_view kDoc =
      "One database instance: its Pod, its volumes and the process in it.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "spec", .doc = "The instance that shall be.", .required = true},
      {.name = "status", .doc = "The instance that is."},
  };
  static constexpr Rule kRules[] = {
      {"size(self.metadata.name) <= 63 && "
       "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
       "the name is the Pod's host name: take at most 63 lower-case letters, digits and '-'"},
  };
};
template <>
inline constexpr KindTable kKind<Unit> = {
    .group = kUpmGroup,
    .version = "v1alpha2",
    .kind = "Unit",
    .plural = "units",
    .singular = "unit",
    .short_names = {"un"},
    .categories = {"upm"},
    .status = true,
    .columns = {{"PHASE", "string", ".status.phase", 0, "Phase of the Pod, or Ready."},
                {"PROCESS STATE", "string", ".status.processState", 0, "Of the database."},
                {"NODE NAME", "string", ".status.nodeName", 0, "Node of the Pod."},
                {"NODE READY", "string", ".status.nodeReady", 0, "Whether it is ready."},
                {"HOST IP", "string", ".status.hostIP", 1, "Address of the node."},
                {"REASON", "string", ".status.conditions[?(@.type==\"Reconciled\")].reason", 0,
                 "What keeps it from being as specified, if anything does."},
                {"REPLICATION", "string", R"(.metadata.labels.troupe\.dev/replication)", 1,
                 "The MysqlReplication that commands it."},
                {"MESSAGE", "string", ".status.conditions[?(@.type==\"Reconciled\")].message", 1,
                 "The evidence for the reason."},
                {"AGE", "date", ".metadata.creationTimestamp", 0, "Since when it exists."}},
};
template <>
const KindInfo& kind_info<Unit>();

}  // namespace troupe::k8s
