// What Troupe reads of Kubernetes' own kinds; everything else of them is skipped by the decoder.
//
// Open enumerations (phases, types) are Text: another version of Kubernetes may add values.
#pragma once

#include <string_view>

#include "k8s/api/kind.hpp"
#include "k8s/api/metadata.hpp"

namespace troupe::k8s {

// ---- Shared by several kinds -------------------------------------------------------------------

struct ResourceRequirements {
  Map<Quantity> limits;
  Map<Quantity> requests;
};
BOOST_DESCRIBE_STRUCT(ResourceRequirements, (), (limits, requests))
template <>
struct Schema<ResourceRequirements> {
  static constexpr std::string_view kDoc = "Compute or storage that something needs.";
  static constexpr Field kFields[] = {
      {.name = "limits", .doc = "The most it may use."},
      {.name = "requests", .doc = "What is set aside for it; limits where left out."},
  };
};

struct EnvVar {
  Text name;
  Text value;
  Raw valueFrom;
};
BOOST_DESCRIBE_STRUCT(EnvVar, (), (name, value, valueFrom))
template <>
struct Schema<EnvVar> {
  static constexpr std::string_view kDoc = "An environment variable of a container.";
  static constexpr Field kFields[] = {
      {.name = "name", .doc = "Name of the variable.", .required = true, .min_length = 1},
      {.name = "value", .doc = "Its value; $(NAME) stands for another variable's."},
      {.name = "valueFrom",
       .doc = "Where the value comes from, as in a container: configMapKeyRef, secretKeyRef, "
              "fieldRef or resourceFieldRef."},
  };
};

struct LabelSelectorRequirement {
  Text key;
  Text operator_;
  List<Text> values;
};
BOOST_DESCRIBE_STRUCT(LabelSelectorRequirement, (), (key, operator_, values))
template <>
struct Schema<LabelSelectorRequirement> {
  static constexpr std::string_view kDoc = "A condition on one label.";
  static constexpr Field kFields[] = {
      {.name = "key", .doc = "The label.", .required = true},
      {.name = "operator", .doc = "In, NotIn, Exists or DoesNotExist.", .required = true},
      {.name = "values", .doc = "Values for In and NotIn."},
  };
};

struct LabelSelector {
  TextMap matchLabels;
  List<LabelSelectorRequirement> matchExpressions;
};
BOOST_DESCRIBE_STRUCT(LabelSelector, (), (matchLabels, matchExpressions))
template <>
struct Schema<LabelSelector> {
  static constexpr std::string_view kDoc = "Objects by their labels.";
  static constexpr Field kFields[] = {
      {.name = "matchLabels", .doc = "Labels that they bear."},
      {.name = "matchExpressions", .doc = "Further conditions; all must hold."},
  };
};

// ---- Pod ---------------------------------------------------------------------------------------

struct ContainerPort {
  Text name;
  std::int32_t containerPort = 0;
  Text protocol = "TCP";
};
BOOST_DESCRIBE_STRUCT(ContainerPort, (), (name, containerPort, protocol))
template <>
struct Schema<ContainerPort> {
  static constexpr std::string_view kDoc = "A port that a container listens on.";
  static constexpr Field kFields[] = {
      {.name = "name", .doc = "Name for Services to refer to."},
      {.name = "containerPort", .doc = "The number.", .required = true},
      {.name = "protocol", .doc = "TCP, UDP or SCTP."},
  };
};

struct Container {
  Text name;
  Text image;
  List<ContainerPort> ports;
  ResourceRequirements resources;
};
BOOST_DESCRIBE_STRUCT(Container, (), (name, image, ports, resources))
template <>
struct Schema<Container> {
  static constexpr std::string_view kDoc = "A container of a Pod.";
  static constexpr Field kFields[] = {
      {.name = "name", .doc = "Its name.", .required = true},
      {.name = "image", .doc = "Its image."},
      {.name = "ports", .doc = "Ports that it listens on."},
      {.name = "resources", .doc = "What it needs."},
  };
};

struct PodSpec {
  Text nodeName;
  Text hostname;
  Text subdomain;
  Text serviceAccountName;
  Opt<std::int64_t> terminationGracePeriodSeconds;
  List<Container> initContainers;
  List<Container> containers;
};
BOOST_DESCRIBE_STRUCT(PodSpec, (),
                      (nodeName, hostname, subdomain, serviceAccountName,
                       terminationGracePeriodSeconds, initContainers, containers))
template <>
struct Schema<PodSpec> {
  static constexpr std::string_view kDoc = "What runs in the Pod, and where.";
  static constexpr Field kFields[] = {
      {.name = "nodeName", .doc = "The node it is bound to."},
      {.name = "hostname", .doc = "Its host name."},
      {.name = "subdomain", .doc = "The headless Service that it has its name from."},
      {.name = "serviceAccountName", .doc = "Who it is to the API."},
      {.name = "terminationGracePeriodSeconds", .doc = "Time it has to end."},
      {.name = "initContainers", .doc = "Containers that run first, and native sidecars."},
      {.name = "containers", .doc = "Its containers."},
  };
};

struct ContainerStateRunning {
  Time startedAt;
};
BOOST_DESCRIBE_STRUCT(ContainerStateRunning, (), (startedAt))
template <>
struct Schema<ContainerStateRunning> {
  static constexpr std::string_view kDoc = "It runs.";
  static constexpr Field kFields[] = {{.name = "startedAt", .doc = "Since when."}};
};

struct ContainerStateWaiting {
  Text reason;
  Text message;
};
BOOST_DESCRIBE_STRUCT(ContainerStateWaiting, (), (reason, message))
template <>
struct Schema<ContainerStateWaiting> {
  static constexpr std::string_view kDoc = "It does not run yet.";
  static constexpr Field kFields[] = {
      {.name = "reason", .doc = "One word for why."},
      {.name = "message", .doc = "Why, for a person."},
  };
};

struct ContainerStateTerminated {
  std::int32_t exitCode = 0;
  std::int32_t signal = 0;
  Text reason;
  Text message;
  Time startedAt;
  Time finishedAt;
};
BOOST_DESCRIBE_STRUCT(ContainerStateTerminated, (),
                      (exitCode, signal, reason, message, startedAt, finishedAt))
template <>
struct Schema<ContainerStateTerminated> {
  static constexpr std::string_view kDoc = "It ended.";
  static constexpr Field kFields[] = {
      {.name = "exitCode", .doc = "Status of its process.", .required = true},
      {.name = "signal", .doc = "What killed it.", .omit_zero = true},
      {.name = "reason", .doc = "One word for why."},
      {.name = "message", .doc = "Why, for a person."},
      {.name = "startedAt", .doc = "When this run began."},
      {.name = "finishedAt", .doc = "When it ended."},
  };
};

struct ContainerState {
  Opt<ContainerStateRunning> running;
  Opt<ContainerStateWaiting> waiting;
  Opt<ContainerStateTerminated> terminated;
};
BOOST_DESCRIBE_STRUCT(ContainerState, (), (running, waiting, terminated))
template <>
struct Schema<ContainerState> {
  static constexpr std::string_view kDoc = "One of the three, or none.";
  static constexpr Field kFields[] = {
      {.name = "running", .doc = "It runs."},
      {.name = "waiting", .doc = "It waits to run."},
      {.name = "terminated", .doc = "It ended."},
  };
};

struct ContainerStatus {
  Text name;
  bool ready = false;
  Opt<bool> started;
  std::int32_t restartCount = 0;
  Text containerID;
  ContainerState state;
};
BOOST_DESCRIBE_STRUCT(ContainerStatus, (), (name, ready, started, restartCount, containerID, state))
template <>
struct Schema<ContainerStatus> {
  static constexpr std::string_view kDoc = "How a container fares.";
  static constexpr Field kFields[] = {
      {.name = "name", .doc = "The container.", .required = true},
      {.name = "ready", .doc = "Its readiness probe passes.", .required = true},
      {.name = "started", .doc = "Its startup probe has passed."},
      {.name = "restartCount", .doc = "How often it was restarted.", .required = true},
      {.name = "containerID", .doc = "This run of it, as the runtime names it."},
      {.name = "state", .doc = "What it does now."},
  };
};

struct PodCondition {
  Text type;
  Text status;
  Text reason;
  Text message;
  Time lastTransitionTime;
};
BOOST_DESCRIBE_STRUCT(PodCondition, (), (type, status, reason, message, lastTransitionTime))
template <>
struct Schema<PodCondition> {
  static constexpr std::string_view kDoc = "One aspect of a Pod, node or claim.";
  static constexpr Field kFields[] = {
      {.name = "type", .doc = "The aspect.", .required = true},
      {.name = "status", .doc = "True, False or Unknown.", .required = true},
      {.name = "reason", .doc = "One word for why."},
      {.name = "message", .doc = "Why, for a person."},
      {.name = "lastTransitionTime", .doc = "When the status last changed."},
  };
};

struct PodIP {
  Text ip;
};
BOOST_DESCRIBE_STRUCT(PodIP, (), (ip))
template <>
struct Schema<PodIP> {
  static constexpr std::string_view kDoc = "An address of a Pod.";
  static constexpr Field kFields[] = {{.name = "ip", .doc = "IPv4 or IPv6.", .required = true}};
};

struct PodStatus {
  Text phase;
  Text reason;
  Text message;
  Text hostIP;
  Text podIP;
  List<PodIP> podIPs;
  Time startTime;
  List<PodCondition> conditions;
  List<ContainerStatus> initContainerStatuses;
  List<ContainerStatus> containerStatuses;
};
BOOST_DESCRIBE_STRUCT(PodStatus, (),
                      (phase, reason, message, hostIP, podIP, podIPs, startTime, conditions,
                       initContainerStatuses, containerStatuses))
template <>
struct Schema<PodStatus> {
  static constexpr std::string_view kDoc = "How the Pod fares.";
  static constexpr Field kFields[] = {
      {.name = "phase", .doc = "Pending, Running, Succeeded, Failed or Unknown."},
      {.name = "reason", .doc = "One word for why."},
      {.name = "message", .doc = "Why, for a person."},
      {.name = "hostIP", .doc = "Address of its node."},
      {.name = "podIP", .doc = "Its first address."},
      {.name = "podIPs", .doc = "All its addresses."},
      {.name = "startTime", .doc = "When the kubelet took it on."},
      {.name = "conditions", .doc = "PodScheduled, Initialized, Ready and others."},
      {.name = "initContainerStatuses", .doc = "Of initContainers, native sidecars included."},
      {.name = "containerStatuses", .doc = "Of containers."},
  };
};

struct Pod {
  ObjectMeta metadata;
  PodSpec spec;
  PodStatus status;
};
BOOST_DESCRIBE_STRUCT(Pod, (), (metadata, spec, status))
template <>
struct Schema<Pod> {
  static constexpr std::string_view kDoc = "Containers that run together on a node.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "spec", .doc = "What runs in it."},
      {.name = "status", .doc = "How it fares."},
  };
};
template <>
inline constexpr KindTable kKind<Pod> = {
    .version = "v1", .kind = "Pod", .plural = "pods", .singular = "pod", .status = true};
template <>
const KindInfo& kind_info<Pod>();

// ---- Service -----------------------------------------------------------------------------------

struct ServicePort {
  Text name;
  Text protocol = "TCP";
  std::int32_t port = 0;
  IntOrString targetPort;
  std::int32_t nodePort = 0;
};
BOOST_DESCRIBE_STRUCT(ServicePort, (), (name, protocol, port, targetPort, nodePort))
template <>
struct Schema<ServicePort> {
  static constexpr std::string_view kDoc = "A port of a Service.";
  static constexpr Field kFields[] = {
      {.name = "name", .doc = "Its name."},
      {.name = "protocol", .doc = "TCP, UDP or SCTP."},
      {.name = "port", .doc = "Its number.", .required = true},
      {.name = "targetPort", .doc = "Port of the Pods, by number or name."},
      {.name = "nodePort", .doc = "The same port on every node.", .omit_zero = true},
  };
};

struct ServiceSpec {
  Text type;
  Text clusterIP;
  List<ServicePort> ports;
  TextMap selector;
  bool publishNotReadyAddresses = false;
};
BOOST_DESCRIBE_STRUCT(ServiceSpec, (), (type, clusterIP, ports, selector, publishNotReadyAddresses))
template <>
struct Schema<ServiceSpec> {
  static constexpr std::string_view kDoc = "What a Service offers.";
  static constexpr Field kFields[] = {
      {.name = "type", .doc = "ClusterIP, NodePort, LoadBalancer or ExternalName."},
      {.name = "clusterIP", .doc = "Its address; None for a headless Service."},
      {.name = "ports", .doc = "Its ports."},
      {.name = "selector", .doc = "Labels of the Pods behind it."},
      {.name = "publishNotReadyAddresses",
       .doc = "Pods count before they are ready.",
       .omit_zero = true},
  };
};

struct LoadBalancerIngress {
  Text ip;
  Text hostname;
};
BOOST_DESCRIBE_STRUCT(LoadBalancerIngress, (), (ip, hostname))
template <>
struct Schema<LoadBalancerIngress> {
  static constexpr std::string_view kDoc = "A way in through a load balancer.";
  static constexpr Field kFields[] = {
      {.name = "ip", .doc = "Its address."},
      {.name = "hostname", .doc = "Its name."},
  };
};

struct LoadBalancerStatus {
  List<LoadBalancerIngress> ingress;
};
BOOST_DESCRIBE_STRUCT(LoadBalancerStatus, (), (ingress))
template <>
struct Schema<LoadBalancerStatus> {
  static constexpr std::string_view kDoc = "What a load balancer gave.";
  static constexpr Field kFields[] = {{.name = "ingress", .doc = "The ways in."}};
};

struct ServiceStatus {
  LoadBalancerStatus loadBalancer;
};
BOOST_DESCRIBE_STRUCT(ServiceStatus, (), (loadBalancer))
template <>
struct Schema<ServiceStatus> {
  static constexpr std::string_view kDoc = "What a Service was given.";
  static constexpr Field kFields[] = {{.name = "loadBalancer", .doc = "Of type LoadBalancer."}};
};

struct Service {
  ObjectMeta metadata;
  ServiceSpec spec;
  ServiceStatus status;
};
BOOST_DESCRIBE_STRUCT(Service, (), (metadata, spec, status))
template <>
struct Schema<Service> {
  static constexpr std::string_view kDoc = "A name and address for a set of Pods.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "spec", .doc = "What it offers."},
      {.name = "status", .doc = "What it was given."},
  };
};
template <>
inline constexpr KindTable kKind<Service> = {.version = "v1",
                                             .kind = "Service",
                                             .plural = "services",
                                             .singular = "service",
                                             .status = true};
template <>
const KindInfo& kind_info<Service>();

// ---- EndpointSlice -----------------------------------------------------------------------------

struct EndpointConditions {
  Opt<bool> ready;
  Opt<bool> serving;
  Opt<bool> terminating;
};
BOOST_DESCRIBE_STRUCT(EndpointConditions, (), (ready, serving, terminating))
template <>
struct Schema<EndpointConditions> {
  static constexpr std::string_view kDoc = "State of an endpoint; absent means unknown.";
  static constexpr Field kFields[] = {
      {.name = "ready", .doc = "Takes connections."},
      {.name = "serving", .doc = "Answers, even while it ends."},
      {.name = "terminating", .doc = "Its Pod ends."},
  };
};

struct ObjectReference {
  Text kind;
  Text namespace_;
  Text name;
  Text uid;
};
BOOST_DESCRIBE_STRUCT(ObjectReference, (), (kind, namespace_, name, uid))
template <>
struct Schema<ObjectReference> {
  static constexpr std::string_view kDoc = "Another object.";
  static constexpr Field kFields[] = {
      {.name = "kind", .doc = "Its kind."},
      {.name = "namespace", .doc = "Its namespace."},
      {.name = "name", .doc = "Its name."},
      {.name = "uid", .doc = "Its UID."},
  };
};

struct Endpoint {
  List<Text> addresses;
  EndpointConditions conditions;
  Text hostname;
  Text nodeName;
  Opt<ObjectReference> targetRef;
};
BOOST_DESCRIBE_STRUCT(Endpoint, (), (addresses, conditions, hostname, nodeName, targetRef))
template <>
struct Schema<Endpoint> {
  static constexpr std::string_view kDoc = "A Pod behind a Service.";
  static constexpr Field kFields[] = {
      {.name = "addresses", .doc = "Its addresses.", .required = true, .list = ListType::Set},
      {.name = "conditions", .doc = "Its state."},
      {.name = "hostname", .doc = "Its host name."},
      {.name = "nodeName", .doc = "Its node."},
      {.name = "targetRef", .doc = "The Pod."},
  };
};

struct EndpointPort {
  Text name;
  Text protocol;
  Opt<std::int32_t> port;
};
BOOST_DESCRIBE_STRUCT(EndpointPort, (), (name, protocol, port))
template <>
struct Schema<EndpointPort> {
  static constexpr std::string_view kDoc = "A port of all endpoints of the slice.";
  static constexpr Field kFields[] = {
      {.name = "name", .doc = "Its name."},
      {.name = "protocol", .doc = "TCP, UDP or SCTP."},
      {.name = "port", .doc = "Its number."},
  };
};

struct EndpointSlice {
  ObjectMeta metadata;
  Text addressType;
  List<Endpoint> endpoints;
  List<EndpointPort> ports;
};
BOOST_DESCRIBE_STRUCT(EndpointSlice, (), (metadata, addressType, endpoints, ports))
template <>
struct Schema<EndpointSlice> {
  static constexpr std::string_view kDoc = "A part of the endpoints of a Service.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "addressType", .doc = "IPv4, IPv6 or FQDN.", .required = true},
      {.name = "endpoints", .doc = "The endpoints.", .required = true},
      {.name = "ports", .doc = "Their ports."},
  };
};
template <>
inline constexpr KindTable kKind<EndpointSlice> = {.group = "discovery.k8s.io",
                                                   .version = "v1",
                                                   .kind = "EndpointSlice",
                                                   .plural = "endpointslices",
                                                   .singular = "endpointslice"};
template <>
const KindInfo& kind_info<EndpointSlice>();

// ---- ConfigMap and Secret ----------------------------------------------------------------------

struct ConfigMap {
  ObjectMeta metadata;
  TextMap data;
  TextMap binaryData;
  Opt<bool> immutable;
};
BOOST_DESCRIBE_STRUCT(ConfigMap, (), (metadata, data, binaryData, immutable))
template <>
struct Schema<ConfigMap> {
  static constexpr std::string_view kDoc = "Configuration by key.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "data", .doc = "Texts."},
      {.name = "binaryData", .doc = "Bytes, in base64."},
      {.name = "immutable", .doc = "It never changes again."},
  };
};
template <>
inline constexpr KindTable kKind<ConfigMap> = {
    .version = "v1", .kind = "ConfigMap", .plural = "configmaps", .singular = "configmap"};
template <>
const KindInfo& kind_info<ConfigMap>();

// Kind Secret; named apart from troupe::Secret, the value that must not be shown.
struct SecretObject {
  ObjectMeta metadata;
  Text type;
  TextMap data;
  Opt<bool> immutable;
};
BOOST_DESCRIBE_STRUCT(SecretObject, (), (metadata, type, data, immutable))
template <>
struct Schema<SecretObject> {
  static constexpr std::string_view kDoc = "Credentials by key.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "type", .doc = "What it is for."},
      {.name = "data", .doc = "Bytes, in base64."},
      {.name = "immutable", .doc = "It never changes again."},
  };
};
template <>
inline constexpr KindTable kKind<SecretObject> = {.version = "v1",
                                                  .kind = "Secret",
                                                  .plural = "secrets",
                                                  .singular = "secret",
                                                  .sensitive = true};
template <>
const KindInfo& kind_info<SecretObject>();

// ---- Volumes -----------------------------------------------------------------------------------

struct PersistentVolumeClaimSpec {
  List<Text> accessModes;
  Raw selector;
  ResourceRequirements resources;
  Text volumeName;
  Text storageClassName;
  Text volumeMode;
  Raw dataSource;
  Raw dataSourceRef;
  Text volumeAttributesClassName;
};
BOOST_DESCRIBE_STRUCT(PersistentVolumeClaimSpec, (),
                      (accessModes, selector, resources, volumeName, storageClassName, volumeMode,
                       dataSource, dataSourceRef, volumeAttributesClassName))
template <>
struct Schema<PersistentVolumeClaimSpec> {
  static constexpr std::string_view kDoc = "The volume that is asked for.";
  static constexpr Field kFields[] = {
      {.name = "accessModes", .doc = "How it is to be mounted, such as ReadWriteOnce."},
      {.name = "selector", .doc = "Labels of the volumes to choose from."},
      {.name = "resources", .doc = "Its size: requests.storage."},
      {.name = "volumeName", .doc = "The volume it is bound to."},
      {.name = "storageClassName", .doc = "Its StorageClass; the default one where left out."},
      {.name = "volumeMode", .doc = "Filesystem or Block."},
      {.name = "dataSource", .doc = "A snapshot or claim that it starts from."},
      {.name = "dataSourceRef", .doc = "Any object that it starts from."},
      {.name = "volumeAttributesClassName", .doc = "Its VolumeAttributesClass."},
  };
};

struct PersistentVolumeClaimStatus {
  Text phase;
  List<Text> accessModes;
  Map<Quantity> capacity;
  List<PodCondition> conditions;
};
BOOST_DESCRIBE_STRUCT(PersistentVolumeClaimStatus, (), (phase, accessModes, capacity, conditions))
template <>
struct Schema<PersistentVolumeClaimStatus> {
  static constexpr std::string_view kDoc = "The volume that was given.";
  static constexpr Field kFields[] = {
      {.name = "phase", .doc = "Pending, Bound or Lost."},
      {.name = "accessModes", .doc = "How it can be mounted."},
      {.name = "capacity", .doc = "Its size: storage."},
      {.name = "conditions", .doc = "Resizing, FileSystemResizePending and others."},
  };
};

struct PersistentVolumeClaim {
  ObjectMeta metadata;
  PersistentVolumeClaimSpec spec;
  PersistentVolumeClaimStatus status;
};
BOOST_DESCRIBE_STRUCT(PersistentVolumeClaim, (), (metadata, spec, status))
template <>
struct Schema<PersistentVolumeClaim> {
  static constexpr std::string_view kDoc = "A claim to a volume.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "spec", .doc = "The volume that is asked for."},
      {.name = "status", .doc = "The volume that was given."},
  };
};
template <>
inline constexpr KindTable kKind<PersistentVolumeClaim> = {.version = "v1",
                                                           .kind = "PersistentVolumeClaim",
                                                           .plural = "persistentvolumeclaims",
                                                           .singular = "persistentvolumeclaim",
                                                           .status = true};
template <>
const KindInfo& kind_info<PersistentVolumeClaim>();

struct StorageClass {
  ObjectMeta metadata;
  Text provisioner;
  Text reclaimPolicy = "Delete";
  Text volumeBindingMode = "Immediate";
  bool allowVolumeExpansion = false;
};
BOOST_DESCRIBE_STRUCT(StorageClass, (),
                      (metadata, provisioner, reclaimPolicy, volumeBindingMode,
                       allowVolumeExpansion))
template <>
struct Schema<StorageClass> {
  static constexpr std::string_view kDoc = "A way to provision volumes.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "provisioner", .doc = "Who makes the volumes.", .required = true},
      {.name = "reclaimPolicy", .doc = "What becomes of a released volume: Delete or Retain."},
      {.name = "volumeBindingMode", .doc = "Immediate or WaitForFirstConsumer."},
      {.name = "allowVolumeExpansion", .doc = "Claims can be enlarged.", .omit_zero = true},
  };
};
template <>
inline constexpr KindTable kKind<StorageClass> = {.group = "storage.k8s.io",
                                                  .version = "v1",
                                                  .kind = "StorageClass",
                                                  .plural = "storageclasses",
                                                  .singular = "storageclass",
                                                  .scope = Scope::Cluster};
template <>
const KindInfo& kind_info<StorageClass>();

// ---- Node --------------------------------------------------------------------------------------

struct NodeSpec {
  bool unschedulable = false;
};
BOOST_DESCRIBE_STRUCT(NodeSpec, (), (unschedulable))
template <>
struct Schema<NodeSpec> {
  static constexpr std::string_view kDoc = "What a node is meant for.";
  static constexpr Field kFields[] = {
      {.name = "unschedulable", .doc = "It takes no new Pods.", .omit_zero = true},
  };
};

struct NodeAddress {
  Text type;
  Text address;
};
BOOST_DESCRIBE_STRUCT(NodeAddress, (), (type, address))
template <>
struct Schema<NodeAddress> {
  static constexpr std::string_view kDoc = "An address of a node.";
  static constexpr Field kFields[] = {
      {.name = "type", .doc = "InternalIP, ExternalIP, Hostname and others.", .required = true},
      {.name = "address", .doc = "The address.", .required = true},
  };
};

struct NodeStatus {
  List<NodeAddress> addresses;
  List<PodCondition> conditions;
};
BOOST_DESCRIBE_STRUCT(NodeStatus, (), (addresses, conditions))
template <>
struct Schema<NodeStatus> {
  static constexpr std::string_view kDoc = "How a node fares.";
  static constexpr Field kFields[] = {
      {.name = "addresses", .doc = "Its addresses."},
      {.name = "conditions", .doc = "Ready and others."},
  };
};

struct Node {
  ObjectMeta metadata;
  NodeSpec spec;
  NodeStatus status;
};
BOOST_DESCRIBE_STRUCT(Node, (), (metadata, spec, status))
template <>
struct Schema<Node> {
  static constexpr std::string_view kDoc = "A machine of the cluster.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "spec", .doc = "What it is meant for."},
      {.name = "status", .doc = "How it fares."},
  };
};
template <>
inline constexpr KindTable kKind<Node> = {.version = "v1",
                                          .kind = "Node",
                                          .plural = "nodes",
                                          .singular = "node",
                                          .scope = Scope::Cluster,
                                          .status = true};
template <>
const KindInfo& kind_info<Node>();

// ---- PodTemplate -------------------------------------------------------------------------------

struct PodTemplate {
  ObjectMeta metadata;
  Raw template_;
};
BOOST_DESCRIBE_STRUCT(PodTemplate, (), (metadata, template_))
template <>
struct Schema<PodTemplate> {
  static constexpr std::string_view kDoc = "A Pod to be made.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "template", .doc = "Labels, annotations and spec of the Pod."},
  };
};
template <>
inline constexpr KindTable kKind<PodTemplate> = {
    .version = "v1", .kind = "PodTemplate", .plural = "podtemplates", .singular = "podtemplate"};
template <>
const KindInfo& kind_info<PodTemplate>();

// ---- PodDisruptionBudget -----------------------------------------------------------------------

struct PodDisruptionBudgetSpec {
  Opt<IntOrString> minAvailable;
  Opt<IntOrString> maxUnavailable;
  Opt<LabelSelector> selector;
};
BOOST_DESCRIBE_STRUCT(PodDisruptionBudgetSpec, (), (minAvailable, maxUnavailable, selector))
template <>
struct Schema<PodDisruptionBudgetSpec> {
  static constexpr std::string_view kDoc = "How many Pods may be evicted.";
  static constexpr Field kFields[] = {
      {.name = "minAvailable", .doc = "Pods that must stay."},
      {.name = "maxUnavailable", .doc = "Pods that may be missing."},
      {.name = "selector", .doc = "The Pods."},
  };
};

struct PodDisruptionBudgetStatus {
  std::int64_t observedGeneration = 0;
  std::int32_t disruptionsAllowed = 0;
  std::int32_t currentHealthy = 0;
  std::int32_t desiredHealthy = 0;
  std::int32_t expectedPods = 0;
};
BOOST_DESCRIBE_STRUCT(PodDisruptionBudgetStatus, (),
                      (observedGeneration, disruptionsAllowed, currentHealthy, desiredHealthy,
                       expectedPods))
template <>
struct Schema<PodDisruptionBudgetStatus> {
  static constexpr std::string_view kDoc = "How many Pods may be evicted now.";
  static constexpr Field kFields[] = {
      {.name = "observedGeneration", .doc = "Generation that was seen.", .omit_zero = true},
      {.name = "disruptionsAllowed", .doc = "Pods that may be evicted now.", .required = true},
      {.name = "currentHealthy", .doc = "Ready Pods.", .required = true},
      {.name = "desiredHealthy", .doc = "Pods that must stay ready.", .required = true},
      {.name = "expectedPods", .doc = "Pods that count.", .required = true},
  };
};

struct PodDisruptionBudget {
  ObjectMeta metadata;
  PodDisruptionBudgetSpec spec;
  PodDisruptionBudgetStatus status;
};
BOOST_DESCRIBE_STRUCT(PodDisruptionBudget, (), (metadata, spec, status))
template <>
struct Schema<PodDisruptionBudget> {
  static constexpr std::string_view kDoc = "A limit to evictions.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "spec", .doc = "The limit."},
      {.name = "status", .doc = "What it allows now."},
  };
};
template <>
inline constexpr KindTable kKind<PodDisruptionBudget> = {.group = "policy",
                                                         .version = "v1",
                                                         .kind = "PodDisruptionBudget",
                                                         .plural = "poddisruptionbudgets",
                                                         .singular = "poddisruptionbudget",
                                                         .status = true};
template <>
const KindInfo& kind_info<PodDisruptionBudget>();

// ---- Lease -------------------------------------------------------------------------------------

struct LeaseSpec {
  Text holderIdentity;
  Opt<std::int32_t> leaseDurationSeconds;
  MicroTime acquireTime;
  MicroTime renewTime;
  Opt<std::int32_t> leaseTransitions;
};
BOOST_DESCRIBE_STRUCT(LeaseSpec, (),
                      (holderIdentity, leaseDurationSeconds, acquireTime, renewTime,
                       leaseTransitions))
template <>
struct Schema<LeaseSpec> {
  static constexpr std::string_view kDoc = "Who holds it, and how long.";
  static constexpr Field kFields[] = {
      {.name = "holderIdentity", .doc = "Who holds it."},
      {.name = "leaseDurationSeconds", .doc = "How long others wait after renewTime."},
      {.name = "acquireTime", .doc = "When the holder got it."},
      {.name = "renewTime", .doc = "When the holder last renewed it."},
      {.name = "leaseTransitions", .doc = "How often the holder changed."},
  };
};

struct Lease {
  ObjectMeta metadata;
  LeaseSpec spec;
};
BOOST_DESCRIBE_STRUCT(Lease, (), (metadata, spec))
template <>
struct Schema<Lease> {
  static constexpr std::string_view kDoc = "A right that one holder has for a time.";
  static constexpr Field kFields[] = {
      {.name = "metadata", .doc = "Identity."},
      {.name = "spec", .doc = "Who holds it."},
  };
};
template <>
inline constexpr KindTable kKind<Lease> = {.group = "coordination.k8s.io",
                                           .version = "v1",
                                           .kind = "Lease",
                                           .plural = "leases",
                                           .singular = "lease"};
template <>
const KindInfo& kind_info<Lease>();

}  // namespace troupe::k8s
