// UnitSet: a set of database units with one configuration. Ordinals 0..units-1 are Units named
// <set>-<ordinal>.
#pragma once

#include <string_view>

#include "k8s/api/core.hpp"
#include "k8s/api/kind.hpp"
#include "k8s/api/metadata.hpp"

namespace troupe::k8s {

inline constexpr std::string_view kUpmGroup = "upm.syntropycloud.io";

// A size as Kubernetes takes it: 500Mi, 1.5Ti, 100G.
inline constexpr std::string_view kSizePattern =
    R"(^([0-9]+)(\.[0-9]+)?(Ei|Pi|Ti|Gi|Mi|Ki|E|P|T|G|M|K)?$)";
// Each is a Pod with its volumes: a slip of the finger must not ask for a million.
inline constexpr std::int64_t kMaxUnits = 1000;
inline constexpr std::string_view kAbsolutePathPattern = "^/.*";
// A DNS label: the name of a volume.
inline constexpr std::string_view kLabelPattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

struct StorageSpec {
  Text name;
  Text mountPath;
  Text size;
  Text storageClassName;
};
BOOST_DESCRIBE_STRUCT(StorageSpec, (), (name, mountPath, size, storageClassName))
template <>
struct Schema<StorageSpec> {
  static constexpr std::string_view kDoc = "A persistent volume of every Unit.";
  static constexpr Field kFields[] = {
      {.name = "name",
       .doc = "Name of the volume. The claim of a Unit is named <unit>-<name>, and every container "
              "learns the mount path as <NAME>_MOUNT.",
       .required = true,
       .min_length = 1,
       .max_length = 63,
       .pattern = kLabelPattern},
      {.name = "mountPath",
       .doc = "Where every container sees it. Cannot change.",
       .required = true,
       .max_length = 1024,
       .pattern = kAbsolutePathPattern,
       .rules = {{"self == oldSelf",
                  "the mount path of a storage cannot change, as the database finds its data "
                  "there: add a storage under another name or make a new UnitSet"}}},
      {.name = "size",
       .doc = "Size of the volume. It can grow if the StorageClass allows expansion, not shrink.",
       .required = true,
       .max_length = 32,
       .pattern = kSizePattern,
       .rules = {{"quantity(self).compareTo(quantity(oldSelf)) >= 0",
                  "a storage cannot shrink: keep the size or raise it"}}},
      {.name = "storageClassName",
       .doc = "StorageClass of the volume; the cluster's default one where left out. Cannot "
              "change.",
       .max_length = 253},
  };
  static constexpr Rule kRules[] = {
      {"has(self.storageClassName) == has(oldSelf.storageClassName) && "
       "(!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)",
       "the StorageClass of a storage cannot change: make a new UnitSet and move the data"},
  };
};

struct EmptyDirSpec {
  Text name;
  Text mountPath;
  Text size;
};
BOOST_DESCRIBE_STRUCT(EmptyDirSpec, (), (name, mountPath, size))
template <>
struct Schema<EmptyDirSpec> {
  static constexpr std::string_view kDoc = "A volume of every Unit that goes with its Pod.";
  static constexpr Field kFields[] = {
      {.name = "name",
       .doc = "Name of the volume. Every container learns the mount path as <NAME>_MOUNT.",
       .required = true,
       .min_length = 1,
       .max_length = 63,
       .pattern = kLabelPattern},
      {.name = "mountPath",
       .doc = "Where every container sees it.",
       .required = true,
       .max_length = 1024,
       .pattern = kAbsolutePathPattern},
      {.name = "size",
       .doc = "The most it may hold; no limit where left out.",
       .max_length = 32,
       .pattern = kSizePattern},
  };
};

struct SecretInfo {
  Text name;
  Text mountPath;
};
BOOST_DESCRIBE_STRUCT(SecretInfo, (), (name, mountPath))
template <>
struct Schema<SecretInfo> {
  static constexpr std::string_view kDoc = "A Secret that every container sees as files.";
  static constexpr Field kFields[] = {
      {.name = "name",
       .doc = "Name of the Secret. Its keys are user names, its values their encrypted passwords.",
       .required = true,
       .min_length = 1,
       .max_length = 253},
      {.name = "mountPath",
       .doc = "Where every container sees it, read-only.",
       .required = true,
       .max_length = 1024,
       .pattern = kAbsolutePathPattern},
  };
};

struct CertificateSecretSpec {
  Text name;
  Text organization;
};
BOOST_DESCRIBE_STRUCT(CertificateSecretSpec, (), (name, organization))
template <>
struct Schema<CertificateSecretSpec> {
  static constexpr std::string_view kDoc = "The CA that signs the Units' certificates.";
  static constexpr Field kFields[] = {
      {.name = "name",
       .doc = "Name of the Secret with the CA's certificate and key.",
       .required = true,
       .min_length = 1,
       .max_length = 253},
      {.name = "organization", .doc = "Organization in the subject of the certificates."},
  };
};

// ExternalName is left out: such a Service would need a name that no field here gives.
enum class ServiceType : std::uint8_t { ClusterIP, NodePort, LoadBalancer };
BOOST_DESCRIBE_ENUM(ServiceType, ClusterIP, NodePort, LoadBalancer)

struct ExternalServiceSpec {
  Opt<ServiceType> type;
  TextMap annotations;
};
BOOST_DESCRIBE_STRUCT(ExternalServiceSpec, (), (type, annotations))
template <>
struct Schema<ExternalServiceSpec> {
  static constexpr std::string_view kDoc = "The Service <set>-svc over all Units.";
  static constexpr Field kFields[] = {
      {.name = "type", .doc = "Type of the Service; none is made where left out."},
      {.name = "annotations", .doc = "Annotations of the Service."},
  };
};

struct UnitServiceSpec {
  Opt<ServiceType> type;
  TextMap annotations;
};
BOOST_DESCRIBE_STRUCT(UnitServiceSpec, (), (type, annotations))
template <>
struct Schema<UnitServiceSpec> {
  static constexpr std::string_view kDoc = "A Service <unit>-svc for each Unit.";
  static constexpr Field kFields[] = {
      {.name = "type", .doc = "Type of the Services; none are made where left out."},
      {.name = "annotations", .doc = "Annotations of the Services."},
  };
};

enum class UpdateStrategyType : std::uint8_t { RollingUpdate, OnDelete };
BOOST_DESCRIBE_ENUM(UpdateStrategyType, RollingUpdate, OnDelete)

struct RollingUpdateSpec {
  std::int32_t partition = 0;
  std::int32_t maxUnavailable = 1;
};
BOOST_DESCRIBE_STRUCT(RollingUpdateSpec, (), (partition, maxUnavailable))
template <>
struct Schema<RollingUpdateSpec> {
  static constexpr std::string_view kDoc = "Units are replaced from the highest ordinal down.";
  static constexpr Field kFields[] = {
      {.name = "partition",
       .doc = "Units with a lower ordinal keep the old version.",
       .defaulted = true,
       .minimum = 0},
      {.name = "maxUnavailable",
       .doc = "How many Units may be unavailable at once.",
       .defaulted = true,
       .minimum = 1},
  };
};

struct UpdateStrategySpec {
  UpdateStrategyType type = UpdateStrategyType::RollingUpdate;
  RollingUpdateSpec rollingUpdate;
};
BOOST_DESCRIBE_STRUCT(UpdateStrategySpec, (), (type, rollingUpdate))
template <>
struct Schema<UpdateStrategySpec> {
  static constexpr std::string_view kDoc = "How a change reaches the Pods.";
  static constexpr Field kFields[] = {
      {.name = "type",
       .doc = "RollingUpdate replaces Pods in turn and waits for each to be ready; OnDelete "
              "replaces a Pod when somebody deletes it.",
       .defaulted = true},
      {.name = "rollingUpdate", .doc = "Pace of RollingUpdate.", .defaulted = true},
  };
};

struct NodeAffinityPresetSpec {
  Text key;
  List<Text> values;
};
BOOST_DESCRIBE_STRUCT(NodeAffinityPresetSpec, (), (key, values))
template <>
struct Schema<NodeAffinityPresetSpec> {
  static constexpr std::string_view kDoc = "Nodes that the Pods may run on.";
  static constexpr Field kFields[] = {
      {.name = "key", .doc = "Label of the node.", .required = true, .min_length = 1},
      {.name = "values", .doc = "Values that are allowed.", .required = true, .min_items = 1},
  };
};

enum class AntiAffinityPreset : std::uint8_t { Soft, Hard };
template <>
inline constexpr std::array kEnumTexts<AntiAffinityPreset> = {
    EnumText{AntiAffinityPreset::Soft, "soft"},
    EnumText{AntiAffinityPreset::Hard, "hard"},
};

enum class ClaimRetention : std::uint8_t { Retain, Delete };
BOOST_DESCRIBE_ENUM(ClaimRetention, Retain, Delete)

struct ClaimRetentionPolicy {
  ClaimRetention whenDeleted = ClaimRetention::Retain;
  ClaimRetention whenScaled = ClaimRetention::Retain;
};
BOOST_DESCRIBE_STRUCT(ClaimRetentionPolicy, (), (whenDeleted, whenScaled))
template <>
struct Schema<ClaimRetentionPolicy> {
  static constexpr std::string_view kDoc = "What becomes of the data of Units that go.";
  static constexpr Field kFields[] = {
      {.name = "whenDeleted",
       .doc = "When the UnitSet is deleted: Retain keeps the claims, Delete deletes them and, by "
              "the StorageClass's reclaim policy, the data.",
       .defaulted = true},
      {.name = "whenScaled", .doc = "The same when units is lowered.", .defaulted = true},
  };
};

struct UnitSetSpec {
  Text type;
  Text version;
  Text edition;
  std::int32_t units = 1;
  Text sharedConfigName;
  ResourceRequirements resources;
  List<EnvVar> env;
  List<StorageSpec> storages;
  List<EmptyDirSpec> emptyDir;
  Opt<SecretInfo> secret;
  Opt<CertificateSecretSpec> certificateSecret;
  Opt<ExternalServiceSpec> externalService;
  Opt<UnitServiceSpec> unitService;
  UpdateStrategySpec updateStrategy;
  List<NodeAffinityPresetSpec> nodeAffinityPreset;
  Opt<AntiAffinityPreset> podAntiAffinityPreset;
  ClaimRetentionPolicy persistentVolumeClaimRetentionPolicy;
};
BOOST_DESCRIBE_STRUCT(UnitSetSpec, (),
                      (type, version, edition, units, sharedConfigName, resources, env, storages,
                       emptyDir, secret, certificateSecret, externalService, unitService,
                       updateStrategy, nodeAffinityPreset, podAntiAffinityPreset,
                       persistentVolumeClaimRetentionPolicy))
template <>
struct Schema<UnitSetSpec> {
  static constexpr std::string_view kDoc = "The Units that shall be.";
  static constexpr Field kFields[] = {
      {.name = "type",
       .doc = "The database: mysql, postgresql or proxysql. Also the name of the main container "
              "and the key in the configuration ConfigMaps. Cannot change.",
       .required = true,
       .min_length = 1,
       .max_length = 63,
       .rules = {{"self == oldSelf",
                  "the type cannot change: make a new UnitSet and move the data"}}},
      {.name = "version",
       .doc = "Version of the database, such as 8.0.41. With type and edition it names the "
              "templates of Pod and configuration.",
       .required = true,
       .min_length = 1,
       .max_length = 63},
      {.name = "edition",
       .doc = "Edition of the database, such as community. Cannot change.",
       .min_length = 1,
       .max_length = 63},
      {.name = "units",
       .doc = "How many Units.",
       .required = true,
       .minimum = 1,
       .maximum = kMaxUnits},
      {.name = "sharedConfigName",
       .doc = "ConfigMap in the namespace with what all Units share; its key <type>_ports lists "
              "their ports.",
       .max_length = 253},
      {.name = "resources", .doc = "What the main container needs."},
      {.name = "env",
       .doc = "Environment variables of every container; they win over those of the template.",
       .list = ListType::Map,
       .keys = {"name"}},
      {.name = "storages",
       .doc = "Persistent volumes of every Unit.",
       .max_items = 16,
       .list = ListType::Map,
       .keys = {"name"}},
      {.name = "emptyDir",
       .doc = "Volumes of every Unit that go with its Pod.",
       .max_items = 16,
       .list = ListType::Map,
       .keys = {"name"}},
      {.name = "secret", .doc = "Credentials, mounted into every container."},
      {.name = "certificateSecret", .doc = "CA for certificates of the Units."},
      {.name = "externalService", .doc = "One Service over all Units."},
      {.name = "unitService", .doc = "One Service for each Unit."},
      {.name = "updateStrategy", .doc = "How a change reaches the Pods.", .defaulted = true},
      {.name = "nodeAffinityPreset",
       .doc = "Nodes that the Pods may run on; all entries must match.",
       .list = ListType::Map,
       .keys = {"key"}},
      {.name = "podAntiAffinityPreset",
       .doc = "hard keeps two Units off one node, soft does so where it can."},
      {.name = "persistentVolumeClaimRetentionPolicy",
       .doc = "What becomes of the data of Units that go.",
       .defaulted = true},
  };
  static constexpr Rule kRules[] = {
      {"has(self.edition) == has(oldSelf.edition) && "
       "(!has(self.edition) || self.edition == oldSelf.edition)",
       "the edition cannot change: make a new UnitSet and move the data"},
      {"!has(oldSelf.storages) || (has(self.storages) && "
       "oldSelf.storages.all(o, self.storages.exists(s, s.name == o.name)))",
       "a storage cannot be taken away, as its data would be lost: keep it or make a new UnitSet"},
      {"!has(self.storages) || !has(self.emptyDir) || "
       "self.storages.all(s, !self.emptyDir.exists(e, e.name == s.name))",
       "storages and emptyDir share one set of names: rename one of the two"},
      {"!has(self.secret) || "
       "((!has(self.storages) || !self.storages.exists(s, s.name == 'secret')) && "
       "(!has(self.emptyDir) || !self.emptyDir.exists(e, e.name == 'secret')))",
       "the volume name 'secret' is taken by spec.secret: rename the storage or emptyDir"},
  };
};

enum class SyncState : std::uint8_t { Synced, NotSynced, Syncing };
BOOST_DESCRIBE_ENUM(SyncState, Synced, NotSynced, Syncing)

struct ExternalServiceStatus {
  Text name;
};
BOOST_DESCRIBE_STRUCT(ExternalServiceStatus, (), (name))
template <>
struct Schema<ExternalServiceStatus> {
  static constexpr std::string_view kDoc = "The Service over all Units.";
  static constexpr Field kFields[] = {{.name = "name", .doc = "Its name."}};
};

struct UnitServiceStatus {
  TextMap name;
};
BOOST_DESCRIBE_STRUCT(UnitServiceStatus, (), (name))
template <>
struct Schema<UnitServiceStatus> {
  static constexpr std::string_view kDoc = "The Services of the Units.";
  static constexpr Field kFields[] = {{.name = "name", .doc = "Name of the Service by Unit."}};
};

// What UnitSetStatus::inUpdate says while nothing is updated.
inline constexpr std::string_view kNothingInUpdate = "false";

struct UnitSetStatus {
  std::int64_t observedGeneration = 0;
  std::int32_t units = 0;
  std::int32_t readyUnits = 0;
  Text inUpdate;
  Opt<SyncState> unitPVCSynced;
  Opt<SyncState> unitImageSynced;
  Opt<SyncState> unitResourceSynced;
  Opt<ExternalServiceStatus> externalService;
  Opt<UnitServiceStatus> unitService;
  List<Condition> conditions;
};
BOOST_DESCRIBE_STRUCT(UnitSetStatus, (),
                      (observedGeneration, units, readyUnits, inUpdate, unitPVCSynced,
                       unitImageSynced, unitResourceSynced, externalService, unitService,
                       conditions))
template <>
struct Schema<UnitSetStatus> {
  static constexpr std::string_view kDoc = "The Units that are.";
  static constexpr Field kFields[] = {
      {.name = "observedGeneration",
       .doc = "Generation of the spec that this status is about.",
       .omit_zero = true},
      {.name = "units", .doc = "Units that exist."},
      {.name = "readyUnits", .doc = "Units whose phase is Ready."},
      {.name = "inUpdate",
       .doc = "Names of the Units that are being updated, with commas between; \"false\" if none."},
      {.name = "unitPVCSynced", .doc = "Whether all volumes have their size."},
      {.name = "unitImageSynced", .doc = "Whether all Units run the version of the spec."},
      {.name = "unitResourceSynced", .doc = "Whether all Units have the resources of the spec."},
      {.name = "externalService", .doc = "The Service over all Units."},
      {.name = "unitService", .doc = "The Services of the Units."},
      {.name = "conditions",
       .doc = "Ready, Progressing and what stands in the way.",
       .list = ListType::Map,
       .keys = {"type"}},
  };
};

struct UnitSet {
  ObjectMeta metadata;
  UnitSetSpec spec;
  UnitSetStatus status;
};
BOOST_DESCRIBE_STRUCT(UnitSet, (), (metadata, spec, status))
template <>
struct Schema<UnitSet> {
  static constexpr std::string_view kDoc =
      "A set of database units with one configuration: their Pods, volumes, configuration and "
      "Services.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "spec", .doc = "The Units that shall be.", .required = true},
      {.name = "status", .doc = "The Units that are."},
  };
  // <set>-headless-svc is a Service, <set>-<ordinal> a host name: both are DNS labels of at most 63
  // characters, a Service's begins with a letter.
  static constexpr Rule kRules[] = {
      {"size(self.metadata.name) <= 50 && "
       "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
       "Services and host names are made from the name: take at most 50 lower-case letters, "
       "digits and '-', beginning with a letter"},
  };
};
template <>
inline constexpr KindTable kKind<UnitSet> = {
    .group = kUpmGroup,
    .version = "v1alpha2",
    .kind = "UnitSet",
    .plural = "unitsets",
    .singular = "unitset",
    .short_names = {"us"},
    .categories = {"upm"},
    .status = true,
    .scale = Scale{.spec_replicas = ".spec.units", .status_replicas = ".status.units"},
    .columns = {{"TYPE", "string", ".spec.type", 1, "The database."},
                {"VERSION", "string", ".spec.version", 1, "Its version."},
                {"EXPECTED", "integer", ".spec.units", 0, "Units that shall be."},
                {"CURRENT", "integer", ".status.units", 0, "Units that exist."},
                {"READY", "integer", ".status.readyUnits", 0, "Units that are ready."},
                {"REASON", "string", ".status.conditions[?(@.type==\"Reconciled\")].reason", 0,
                 "What keeps it from being as specified, if anything does."},
                {"IN UPDATE", "string", ".status.inUpdate", 1, "Units that are being updated."},
                {"MESSAGE", "string", ".status.conditions[?(@.type==\"Reconciled\")].message", 1,
                 "The evidence for the reason."},
                {"AGE", "date", ".metadata.creationTimestamp", 0, "Since when it exists."}},
};
template <>
const KindInfo& kind_info<UnitSet>();

}  // namespace troupe::k8s
