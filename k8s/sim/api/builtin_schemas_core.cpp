#include "k8s/sim/api/builtin_schemas_text.hpp"

namespace troupe::sim {

// clang-format off
const std::string_view kCoreTypes = R"(
package core io.k8s.api.core.v1 core v1

kind Pod "Containers that run together on one node and share its network address."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec PodSpec value "What is wanted."
  status PodStatus value "What was last observed."
type PodSpec "What runs in a pod, and where."
  volumes []Volume keys=name merge=name retain "Directories that containers can mount."
  initContainers []Container keys=name merge=name "Containers that run in order before the others; with restartPolicy Always they stay as sidecars."
  containers!! []Container keys=name merge=name "The containers of the pod; at least one."
  ephemeralContainers []EphemeralContainer keys=name merge=name "Containers added to a running pod to debug it."
  restartPolicy string default="Always" enum=Always|Never|OnFailure "When containers are started again after they ended."
  terminationGracePeriodSeconds int64 default=30 "Seconds between the request to end and the kill."
  activeDeadlineSeconds int64 "Seconds after which the pod is failed."
  dnsPolicy string default="ClusterFirst" enum=ClusterFirst|ClusterFirstWithHostNet|Default|None "Which name servers the containers use."
  nodeSelector {}string atomic "Labels the node must have."
  serviceAccountName string "Identity the pod runs under."
  serviceAccount string
  automountServiceAccountToken bool "Whether a token is mounted into the containers."
  nodeName string "Node the pod was put on."
  hostNetwork bool "Use the network of the node."
  hostPID bool
  hostIPC bool
  shareProcessNamespace bool "One process namespace for all containers."
  securityContext PodSecurityContext default={} "Privileges of the whole pod."
  imagePullSecrets []LocalObjectReference keys=name merge=name "Secrets with credentials for image registries."
  hostname string "Host name inside the pod."
  subdomain string "Together with hostname a name below the headless Service of that name."
  affinity Affinity "Where the pod may or would rather run."
  schedulerName string default="default-scheduler" "Who schedules the pod."
  tolerations []Toleration "Taints the pod bears."
  hostAliases []HostAlias keys=ip merge=ip "Lines added to the hosts file."
  priorityClassName string "Name of a PriorityClass."
  priority int32
  dnsConfig PodDNSConfig "Name servers and search domains of its own."
  readinessGates []PodReadinessGate "Conditions that must hold besides ready containers."
  runtimeClassName string "Name of a RuntimeClass."
  enableServiceLinks bool
  preemptionPolicy string
  overhead {}quantity "Resources the runtime itself needs."
  topologySpreadConstraints []TopologySpreadConstraint keys=topologyKey,whenUnsatisfiable merge=topologyKey "How pods spread over domains such as zones; all must hold."
  setHostnameAsFQDN bool
  os PodOS
  hostUsers bool
  schedulingGates []PodSchedulingGate keys=name merge=name
  resourceClaims []PodResourceClaim keys=name merge=name retain
  resources ResourceRequirements
  hostnameOverride string
  schedulingGroup PodSchedulingGroup
type Volume "A named directory that containers of the pod can mount; exactly one source is set."
  name!! string
  hostPath HostPathVolumeSource
  emptyDir EmptyDirVolumeSource
  gcePersistentDisk GCEPersistentDiskVolumeSource
  awsElasticBlockStore AWSElasticBlockStoreVolumeSource
  gitRepo GitRepoVolumeSource
  secret SecretVolumeSource
  nfs NFSVolumeSource
  iscsi ISCSIVolumeSource
  glusterfs GlusterfsVolumeSource
  persistentVolumeClaim PersistentVolumeClaimVolumeSource
  rbd RBDVolumeSource
  flexVolume FlexVolumeSource
  cinder CinderVolumeSource
  cephfs CephFSVolumeSource
  flocker FlockerVolumeSource
  downwardAPI DownwardAPIVolumeSource
  fc FCVolumeSource
  azureFile AzureFileVolumeSource
  configMap ConfigMapVolumeSource
  vsphereVolume VsphereVirtualDiskVolumeSource
  quobyte QuobyteVolumeSource
  azureDisk AzureDiskVolumeSource
  photonPersistentDisk PhotonPersistentDiskVolumeSource
  projected ProjectedVolumeSource
  portworxVolume PortworxVolumeSource
  scaleIO ScaleIOVolumeSource
  storageos StorageOSVolumeSource
  csi CSIVolumeSource
  ephemeral EphemeralVolumeSource
  image ImageVolumeSource
type HostPathVolumeSource
  path!! string
  type string
type EmptyDirVolumeSource
  medium string
  sizeLimit quantity
type GCEPersistentDiskVolumeSource
  pdName!! string
  fsType string
  partition int32
  readOnly bool
type AWSElasticBlockStoreVolumeSource
  volumeID!! string
  fsType string
  partition int32
  readOnly bool
type GitRepoVolumeSource
  repository!! string
  revision string
  directory string
type SecretVolumeSource
  secretName string
  items []KeyToPath
  defaultMode int32 default=420
  optional bool
type KeyToPath
  key!! string
  path!! string
  mode int32
type NFSVolumeSource
  server!! string
  path!! string
  readOnly bool
type ISCSIVolumeSource
  targetPortal!! string
  iqn!! string
  lun int32
  iscsiInterface string default="default"
  fsType string
  readOnly bool
  portals []string
  chapAuthDiscovery bool
  chapAuthSession bool
  secretRef LocalObjectReference
  initiatorName string
type LocalObjectReference atomic
  name string
type GlusterfsVolumeSource
  endpoints!! string
  path!! string
  readOnly bool
type PersistentVolumeClaimVolumeSource
  claimName!! string
  readOnly bool
type RBDVolumeSource
  monitors! []string
  image!! string
  fsType string
  pool string default="rbd"
  user string default="admin"
  keyring string default="/etc/ceph/keyring"
  secretRef LocalObjectReference
  readOnly bool
type FlexVolumeSource
  driver!! string
  fsType string
  secretRef LocalObjectReference
  readOnly bool
  options {}string
type CinderVolumeSource
  volumeID!! string
  fsType string
  readOnly bool
  secretRef LocalObjectReference
type CephFSVolumeSource
  monitors! []string
  path string
  user string
  secretFile string
  secretRef LocalObjectReference
  readOnly bool
type FlockerVolumeSource
  datasetName string
  datasetUUID string
type DownwardAPIVolumeSource
  items []DownwardAPIVolumeFile
  defaultMode int32 default=420
type DownwardAPIVolumeFile
  path!! string
  fieldRef ObjectFieldSelector
  resourceFieldRef ResourceFieldSelector
  mode int32
type ObjectFieldSelector atomic
  apiVersion string default="v1"
  fieldPath!! string
type ResourceFieldSelector atomic
  containerName string
  resource!! string
  divisor quantity
type FCVolumeSource
  targetWWNs []string
  lun int32
  fsType string
  readOnly bool
  wwids []string
type AzureFileVolumeSource
  secretName!! string
  shareName!! string
  readOnly bool
type ConfigMapVolumeSource
  name string
  items []KeyToPath
  defaultMode int32 default=420
  optional bool
type VsphereVirtualDiskVolumeSource
  volumePath!! string
  fsType string
  storagePolicyName string
  storagePolicyID string
type QuobyteVolumeSource
  registry!! string
  volume!! string
  readOnly bool
  user string
  group string
  tenant string
type AzureDiskVolumeSource
  diskName!! string
  diskURI!! string
  cachingMode string default="ReadWrite"
  fsType string default="ext4"
  readOnly bool default=false
  kind string default="Shared"
type PhotonPersistentDiskVolumeSource
  pdID!! string
  fsType string
type ProjectedVolumeSource
  sources []VolumeProjection
  defaultMode int32 default=420
type VolumeProjection
  secret SecretProjection
  downwardAPI DownwardAPIProjection
  configMap ConfigMapProjection
  serviceAccountToken ServiceAccountTokenProjection
  clusterTrustBundle ClusterTrustBundleProjection
  podCertificate PodCertificateProjection
type SecretProjection
  name string
  items []KeyToPath
  optional bool
type DownwardAPIProjection
  items []DownwardAPIVolumeFile
type ConfigMapProjection
  name string
  items []KeyToPath
  optional bool
type ServiceAccountTokenProjection
  audience string
  expirationSeconds int64 default=3600
  path!! string
type ClusterTrustBundleProjection
  name string
  signerName string
  labelSelector meta.LabelSelector
  optional bool
  path!! string
type PodCertificateProjection
  signerName string
  keyType string
  maxExpirationSeconds int32
  credentialBundlePath string
  keyPath string
  certificateChainPath string
  userAnnotations {}string
type PortworxVolumeSource
  volumeID!! string
  fsType string
  readOnly bool
type ScaleIOVolumeSource
  gateway!! string
  system!! string
  secretRef!! LocalObjectReference
  sslEnabled bool
  protectionDomain string
  storagePool string
  storageMode string default="ThinProvisioned"
  volumeName string
  fsType string default="xfs"
  readOnly bool
type StorageOSVolumeSource
  volumeName string
  volumeNamespace string
  fsType string
  readOnly bool
  secretRef LocalObjectReference
type CSIVolumeSource
  driver!! string
  readOnly bool
  fsType string
  volumeAttributes {}string
  nodePublishSecretRef LocalObjectReference
type EphemeralVolumeSource
  volumeClaimTemplate PersistentVolumeClaimTemplate
type PersistentVolumeClaimTemplate
  metadata meta.ObjectMeta value
  spec PersistentVolumeClaimSpec value
type PersistentVolumeClaimSpec "What storage is wanted."
  accessModes []string "How the volume is to be mounted."
  selector meta.LabelSelector "Labels the volume must have."
  resources VolumeResourceRequirements value "The least size wanted."
  volumeName string "The volume the claim is bound to."
  storageClassName string "Name of the StorageClass."
  volumeMode string default="Filesystem" enum=Block|Filesystem "A file system or a raw block device."
  dataSource TypedLocalObjectReference "Snapshot or claim to start from."
  dataSourceRef TypedObjectReference
  volumeAttributesClassName string
type VolumeResourceRequirements
  limits {}quantity
  requests {}quantity
type TypedLocalObjectReference atomic
  apiGroup string
  kind!! string
  name!! string
type TypedObjectReference
  apiGroup string
  kind!! string
  name!! string
  namespace string
type ImageVolumeSource
  reference string
  pullPolicy string
type Container "One process of a pod, from an image."
  name!! string "Unique in the pod."
  image string "Name of the image."
  command []string "Replaces the entry point of the image."
  args []string "Replaces the arguments of the image."
  workingDir string "Where the command starts."
  ports []ContainerPort keys=containerPort,protocol merge=containerPort "Ports the container listens on; informative, and names for probes and Services."
  envFrom []EnvFromSource "Config maps and secrets whose entries become variables."
  env []EnvVar keys=name merge=name "Environment variables."
  resources ResourceRequirements value "Compute resources."
  resizePolicy []ContainerResizePolicy
  restartPolicy string "Always makes an init container a sidecar."
  restartPolicyRules []ContainerRestartRule
  volumeMounts []VolumeMount keys=mountPath merge=mountPath "Volumes the container sees."
  volumeDevices []VolumeDevice keys=devicePath merge=devicePath "Raw block devices the container sees."
  livenessProbe Probe "Restarts the container when it fails."
  readinessProbe Probe "Takes the pod out of Services while it fails."
  startupProbe Probe "Holds the other probes back until it succeeds."
  lifecycle Lifecycle "Hooks around start and stop."
  terminationMessagePath string default="/dev/termination-log" "File whose content becomes the termination message."
  terminationMessagePolicy string default="File" enum=FallbackToLogsOnError|File
  imagePullPolicy string enum=Always|IfNotPresent|Never "When the image is pulled."
  securityContext SecurityContext "Privileges of the container."
  stdin bool "Keep standard input open."
  stdinOnce bool
  tty bool "Give the container a terminal."
type ContainerPort "A port that a container listens on."
  name string "Name that Services and probes may use."
  hostPort int32 "Port of the node that leads here."
  containerPort int32 "Number of the port."
  protocol string default="TCP" enum=SCTP|TCP|UDP
  hostIP string
type EnvFromSource
  prefix string
  configMapRef ConfigMapEnvSource
  secretRef SecretEnvSource
type ConfigMapEnvSource
  name string
  optional bool
type SecretEnvSource
  name string
  optional bool
type EnvVar "An environment variable."
  name!! string
  value string "The value; $(OTHER) is expanded."
  valueFrom EnvVarSource "Source of the value."
type EnvVarSource "Where the value of a variable comes from; exactly one is set."
  fieldRef ObjectFieldSelector
  resourceFieldRef ResourceFieldSelector
  configMapKeyRef ConfigMapKeySelector
  secretKeyRef SecretKeySelector
  fileKeyRef FileKeySelector
type ConfigMapKeySelector atomic
  name string
  key!! string
  optional bool
type SecretKeySelector atomic
  name string
  key!! string
  optional bool
type FileKeySelector atomic
  volumeName!! string
  path!! string
  key!! string
  optional bool
type ResourceRequirements "Compute resources a container asks for and may use at most."
  limits {}quantity "The most that may be used."
  requests {}quantity "What is reserved; defaults to the limits."
  claims []ResourceClaim keys=name
type ResourceClaim
  name!! string
  request string
type ContainerResizePolicy
  resourceName!! string
  restartPolicy!! string
type ContainerRestartRule
  action string
  exitCodes ContainerRestartRuleOnExitCodes
type ContainerRestartRuleOnExitCodes
  operator string
  values []int32 set
type VolumeMount "Where a container sees a volume."
  name!! string "Name of the volume."
  readOnly bool "Mounted read-only."
  recursiveReadOnly string
  mountPath!! string "Path in the container."
  subPath string "Path within the volume."
  mountPropagation string
  subPathExpr string
type VolumeDevice
  name!! string
  devicePath!! string
type Probe "A check that the kubelet runs against a container."
  exec ExecAction "Runs a command; status 0 is success."
  httpGet HTTPGetAction "Asks over HTTP; 2xx and 3xx are success."
  tcpSocket TCPSocketAction "Connects; an accepted connection is success."
  grpc GRPCAction "Asks the gRPC health service."
  initialDelaySeconds int32 "Seconds before the first check."
  timeoutSeconds int32 default=1 "Seconds until a check counts as failed."
  periodSeconds int32 default=10 "Seconds between checks."
  successThreshold int32 default=1 "Successes in a row that count."
  failureThreshold int32 default=3 "Failures in a row that count."
  terminationGracePeriodSeconds int64
type ExecAction
  command []string
type HTTPGetAction
  path string default="/"
  port! intstr
  host string
  scheme string default="HTTP" enum=HTTP|HTTPS
  httpHeaders []HTTPHeader
type HTTPHeader
  name!! string
  value!! string
type TCPSocketAction
  port! intstr
  host string
type GRPCAction
  port int32
  service string
type Lifecycle "Hooks run after the start and before the stop of a container."
  postStart LifecycleHandler
  preStop LifecycleHandler
  stopSignal string
type LifecycleHandler
  exec ExecAction
  httpGet HTTPGetAction
  tcpSocket TCPSocketAction
  sleep SleepAction
type SleepAction
  seconds int64
type SecurityContext "Privileges of one container."
  capabilities Capabilities
  privileged bool
  seLinuxOptions SELinuxOptions
  windowsOptions WindowsSecurityContextOptions
  runAsUser int64
  runAsGroup int64
  runAsNonRoot bool
  readOnlyRootFilesystem bool
  allowPrivilegeEscalation bool
  procMount string
  seccompProfile SeccompProfile
  appArmorProfile AppArmorProfile
type Capabilities
  add []string
  drop []string
type SELinuxOptions
  user string
  role string
  type string
  level string
type WindowsSecurityContextOptions
  gmsaCredentialSpecName string
  gmsaCredentialSpec string
  runAsUserName string
  hostProcess bool
type SeccompProfile
  type!! string
  localhostProfile string
type AppArmorProfile
  type!! string
  localhostProfile string
type EphemeralContainer
  name!! string
  image string
  command []string
  args []string
  workingDir string
  ports []ContainerPort keys=containerPort,protocol merge=containerPort
  envFrom []EnvFromSource
  env []EnvVar keys=name merge=name
  resources ResourceRequirements value
  resizePolicy []ContainerResizePolicy
  restartPolicy string
  restartPolicyRules []ContainerRestartRule
  volumeMounts []VolumeMount keys=mountPath merge=mountPath
  volumeDevices []VolumeDevice keys=devicePath merge=devicePath
  livenessProbe Probe
  readinessProbe Probe
  startupProbe Probe
  lifecycle Lifecycle
  terminationMessagePath string default="/dev/termination-log"
  terminationMessagePolicy string default="File"
  imagePullPolicy string
  securityContext SecurityContext
  stdin bool
  stdinOnce bool
  tty bool
  targetContainerName string
type PodSecurityContext "Privileges of all containers of a pod."
  seLinuxOptions SELinuxOptions
  windowsOptions WindowsSecurityContextOptions
  runAsUser int64
  runAsGroup int64
  runAsNonRoot bool
  supplementalGroups []int64
  supplementalGroupsPolicy string
  fsGroup int64
  sysctls []Sysctl
  fsGroupChangePolicy string
  seccompProfile SeccompProfile
  appArmorProfile AppArmorProfile
  seLinuxChangePolicy string
type Sysctl
  name!! string
  value!! string
type Affinity "Where the scheduler may or would rather put the pod."
  nodeAffinity NodeAffinity
  podAffinity PodAffinity
  podAntiAffinity PodAntiAffinity
type NodeAffinity
  requiredDuringSchedulingIgnoredDuringExecution NodeSelector
  preferredDuringSchedulingIgnoredDuringExecution []PreferredSchedulingTerm
type NodeSelector atomic
  nodeSelectorTerms! []NodeSelectorTerm
type NodeSelectorTerm atomic
  matchExpressions []NodeSelectorRequirement
  matchFields []NodeSelectorRequirement
type NodeSelectorRequirement
  key!! string
  operator!! string enum=DoesNotExist|Exists|Gt|In|Lt|NotIn
  values []string
type PreferredSchedulingTerm
  weight int32
  preference NodeSelectorTerm value
type PodAffinity
  requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm
type PodAffinityTerm
  labelSelector meta.LabelSelector
  namespaces []string
  topologyKey!! string
  namespaceSelector meta.LabelSelector
  matchLabelKeys []string
  mismatchLabelKeys []string
type WeightedPodAffinityTerm
  weight int32
  podAffinityTerm PodAffinityTerm value
type PodAntiAffinity
  requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm
type Toleration "A taint of nodes that the pod bears."
  key string
  operator string
  value string
  effect string
  tolerationSeconds int64
type HostAlias
  ip!! string
  hostnames []string
type PodDNSConfig
  nameservers []string
  searches []string
  options []PodDNSConfigOption
type PodDNSConfigOption
  name string
  value string
type PodReadinessGate
  conditionType!! string
type TopologySpreadConstraint "How evenly pods spread over a topology."
  maxSkew int32
  topologyKey!! string
  whenUnsatisfiable!! string enum=DoNotSchedule|ScheduleAnyway
  labelSelector meta.LabelSelector
  minDomains int32
  nodeAffinityPolicy string
  nodeTaintsPolicy string
  matchLabelKeys []string
type PodOS
  name!! string
type PodSchedulingGate
  name!! string
type PodResourceClaim
  name!! string
  resourceClaimName string
  resourceClaimTemplateName string
type PodSchedulingGroup
  podGroupName string
type PodStatus "What the kubelet last saw of a pod."
  observedGeneration int64
  phase string "Pending, Running, Succeeded, Failed or Unknown."
  conditions []PodCondition keys=type merge=type "Observed aspects such as Ready and PodScheduled."
  message string
  reason string
  nominatedNodeName string
  hostIP string "Address of the node."
  hostIPs []HostIP merge=ip
  podIP string "Address of the pod."
  podIPs []PodIP keys=ip merge=ip "Addresses of the pod, one a family."
  startTime time "When the kubelet took the pod on."
  initContainerStatuses []ContainerStatus
  containerStatuses []ContainerStatus "State of each container."
  qosClass string "Class that follows from requests and limits."
  ephemeralContainerStatuses []ContainerStatus
  resize string
  resourceClaimStatuses []PodResourceClaimStatus keys=name merge=name retain
  extendedResourceClaimStatus PodExtendedResourceClaimStatus
  allocatedResources {}quantity
  resources ResourceRequirements
  nodeAllocatableResourceClaimStatuses []NodeAllocatableResourceClaimStatus
type PodCondition
  type! string
  observedGeneration int64
  status! string
  lastProbeTime time
  lastTransitionTime time
  reason string
  message string
type HostIP
  ip!! string
type PodIP
  ip!! string
type ContainerStatus
  name! string
  state ContainerState value
  lastState ContainerState value
  ready bool
  restartCount int32
  image! string
  imageID! string
  containerID string
  started bool
  allocatedResources {}quantity
  resources ResourceRequirements
  volumeMounts []VolumeMountStatus keys=mountPath merge=mountPath
  user ContainerUser
  allocatedResourcesStatus []ResourceStatus keys=name merge=name
  stopSignal string
type ContainerState
  waiting ContainerStateWaiting
  running ContainerStateRunning
  terminated ContainerStateTerminated
type ContainerStateWaiting
  reason string
  message string
type ContainerStateRunning
  startedAt time
type ContainerStateTerminated
  exitCode int32
  signal int32
  reason string
  message string
  startedAt time
  finishedAt time
  containerID string
type VolumeMountStatus
  name! string
  mountPath! string
  readOnly bool
  recursiveReadOnly string
  volumeStatus VolumeStatus
type VolumeStatus
  image ImageVolumeStatus
type ImageVolumeStatus
  imageRef string
type ContainerUser
  linux LinuxContainerUser
type LinuxContainerUser
  uid int64
  gid int64
  supplementalGroups []int64
type ResourceStatus
  name! string
  resources []ResourceHealth keys=resourceID
type ResourceHealth
  resourceID!! string
  health string
  message string
type PodResourceClaimStatus
  name! string
  resourceClaimName string
type PodExtendedResourceClaimStatus
  requestMappings! []ContainerExtendedResourceRequest
  resourceClaimName! string
type ContainerExtendedResourceRequest
  containerName!! string
  resourceName!! string
  requestName!! string
type NodeAllocatableResourceClaimStatus
  resourceClaimName! string
  containers []string set
  resources! {}quantity
kind Service "A stable address and name for a set of pods."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec ServiceSpec value "What is wanted."
  status ServiceStatus value "What was last observed."
type ServiceSpec "Which pods a Service reaches, and how it is reached."
  ports []ServicePort keys=port,protocol merge=port "Ports of the Service."
  selector {}string atomic "Labels of the pods behind it."
  clusterIP string "Address in the cluster; None for a headless Service."
  clusterIPs []string
  type string default="ClusterIP" enum=ClusterIP|ExternalName|LoadBalancer|NodePort "How the Service is reached."
  externalIPs []string "Further addresses that lead here."
  sessionAffinity string default="None" enum=ClientIP|None "Whether a client keeps its pod."
  loadBalancerIP string
  loadBalancerSourceRanges []string
  externalName string
  externalTrafficPolicy string enum=Cluster|Local
  healthCheckNodePort int32
  publishNotReadyAddresses bool "List pods before they are ready."
  sessionAffinityConfig SessionAffinityConfig
  ipFamilies []string
  ipFamilyPolicy string
  allocateLoadBalancerNodePorts bool
  loadBalancerClass string "Which load balancer implementation serves it."
  internalTrafficPolicy string enum=Cluster|Local
  trafficDistribution string
type ServicePort "A port of a Service."
  name string "Name of the port; needed when there are several."
  protocol string default="TCP" enum=SCTP|TCP|UDP
  appProtocol string
  port int32 "Port of the Service."
  targetPort intstr "Number or name of the port of the pods."
  nodePort int32 "Port of every node that leads here."
type SessionAffinityConfig
  clientIP ClientIPConfig
type ClientIPConfig
  timeoutSeconds int32
type ServiceStatus
  loadBalancer LoadBalancerStatus value
  conditions []meta.Condition keys=type merge=type
type LoadBalancerStatus
  ingress []LoadBalancerIngress
type LoadBalancerIngress
  ip string
  hostname string
  ipMode string
  ports []PortStatus
type PortStatus
  port int32
  protocol! string
  error string
kind Endpoints "Addresses behind a Service, all in one object."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  subsets []EndpointSubset
type EndpointSubset
  addresses []EndpointAddress
  notReadyAddresses []EndpointAddress
  ports []EndpointPort
type EndpointAddress atomic
  ip!! string
  hostname string
  nodeName string
  targetRef ObjectReference
type ObjectReference atomic
  kind string
  namespace string
  name string
  uid string
  apiVersion string
  resourceVersion string
  fieldPath string
type EndpointPort atomic
  name string
  port int32
  protocol string default="TCP" enum=SCTP|TCP|UDP
  appProtocol string
kind ConfigMap "Configuration data for pods."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  immutable bool "Forbids further changes of the data."
  data {}string "Text by key."
  binaryData {}bytes "Bytes by key, in base64."
kind Secret "Confidential data for pods."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  immutable bool "Forbids further changes of the data."
  data {}bytes "Bytes by key, in base64."
  stringData {}string "Text by key; moved into data on write."
  type string default="Opaque" "What the data is for."
kind PersistentVolume "A piece of storage of the cluster."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec PersistentVolumeSpec value "What is wanted."
  status PersistentVolumeStatus value "What was last observed."
type PersistentVolumeSpec "Where the storage is and how it may be used."
  capacity {}quantity "Size of the volume."
  gcePersistentDisk GCEPersistentDiskVolumeSource
  awsElasticBlockStore AWSElasticBlockStoreVolumeSource
  hostPath HostPathVolumeSource
  glusterfs GlusterfsPersistentVolumeSource
  nfs NFSVolumeSource
  rbd RBDPersistentVolumeSource
  iscsi ISCSIPersistentVolumeSource
  cinder CinderPersistentVolumeSource
  cephfs CephFSPersistentVolumeSource
  fc FCVolumeSource
  flocker FlockerVolumeSource
  flexVolume FlexPersistentVolumeSource
  azureFile AzureFilePersistentVolumeSource
  vsphereVolume VsphereVirtualDiskVolumeSource
  quobyte QuobyteVolumeSource
  azureDisk AzureDiskVolumeSource
  photonPersistentDisk PhotonPersistentDiskVolumeSource
  portworxVolume PortworxVolumeSource
  scaleIO ScaleIOPersistentVolumeSource
  local LocalVolumeSource
  storageos StorageOSPersistentVolumeSource
  csi CSIPersistentVolumeSource
  accessModes []string "Ways it can be mounted."
  claimRef ObjectReference "The claim that holds it."
  persistentVolumeReclaimPolicy string default="Retain" enum=Delete|Recycle|Retain "What becomes of it when its claim is gone."
  storageClassName string "Name of its StorageClass."
  mountOptions []string
  volumeMode string default="Filesystem" enum=Block|Filesystem
  nodeAffinity VolumeNodeAffinity "Nodes it can be reached from."
  volumeAttributesClassName string
type GlusterfsPersistentVolumeSource
  endpoints!! string
  path!! string
  readOnly bool
  endpointsNamespace string
type RBDPersistentVolumeSource
  monitors! []string
  image!! string
  fsType string
  pool string default="rbd"
  user string default="admin"
  keyring string default="/etc/ceph/keyring"
  secretRef SecretReference
  readOnly bool
type SecretReference atomic
  name string
  namespace string
type ISCSIPersistentVolumeSource
  targetPortal!! string
  iqn!! string
  lun int32
  iscsiInterface string default="default"
  fsType string
  readOnly bool
  portals []string
  chapAuthDiscovery bool
  chapAuthSession bool
  secretRef SecretReference
  initiatorName string
type CinderPersistentVolumeSource
  volumeID!! string
  fsType string
  readOnly bool
  secretRef SecretReference
type CephFSPersistentVolumeSource
  monitors! []string
  path string
  user string
  secretFile string
  secretRef SecretReference
  readOnly bool
type FlexPersistentVolumeSource
  driver!! string
  fsType string
  secretRef SecretReference
  readOnly bool
  options {}string
type AzureFilePersistentVolumeSource
  secretName!! string
  shareName!! string
  readOnly bool
  secretNamespace string
type ScaleIOPersistentVolumeSource
  gateway!! string
  system!! string
  secretRef!! SecretReference
  sslEnabled bool
  protectionDomain string
  storagePool string
  storageMode string default="ThinProvisioned"
  volumeName string
  fsType string default="xfs"
  readOnly bool
type LocalVolumeSource
  path!! string
  fsType string
type StorageOSPersistentVolumeSource
  volumeName string
  volumeNamespace string
  fsType string
  readOnly bool
  secretRef ObjectReference
type CSIPersistentVolumeSource
  driver!! string
  volumeHandle!! string
  readOnly bool
  fsType string
  volumeAttributes {}string
  controllerPublishSecretRef SecretReference
  nodeStageSecretRef SecretReference
  nodePublishSecretRef SecretReference
  controllerExpandSecretRef SecretReference
  nodeExpandSecretRef SecretReference
type VolumeNodeAffinity
  required NodeSelector
type PersistentVolumeStatus
  phase string default="Pending"
  message string
  reason string
  lastPhaseTransitionTime time
kind PersistentVolumeClaim "A request for storage."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec PersistentVolumeClaimSpec value "What is wanted."
  status PersistentVolumeClaimStatus value "What was last observed."
type PersistentVolumeClaimStatus
  phase string default="Pending"
  accessModes []string
  capacity {}quantity
  conditions []PersistentVolumeClaimCondition keys=type merge=type
  allocatedResources {}quantity
  allocatedResourceStatuses {}string
  currentVolumeAttributesClassName string
  modifyVolumeStatus ModifyVolumeStatus
type PersistentVolumeClaimCondition
  type! string
  status! string
  lastProbeTime time
  lastTransitionTime time
  reason string
  message string
type ModifyVolumeStatus
  targetVolumeAttributesClassName string
  status! string
kind Node "A machine of the cluster."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec NodeSpec value "What is wanted."
  status NodeStatus value "What was last observed."
type NodeSpec
  podCIDR string
  podCIDRs []string set merge
  providerID string
  unschedulable bool
  taints []Taint
  configSource NodeConfigSource
  externalID string
type Taint
  key!! string
  value string
  effect!! string
  timeAdded time
type NodeConfigSource
  configMap ConfigMapNodeConfigSource
type ConfigMapNodeConfigSource
  namespace!! string
  name!! string
  uid string
  resourceVersion string
  kubeletConfigKey!! string
type NodeStatus
  capacity {}quantity
  allocatable {}quantity
  phase string
  conditions []NodeCondition keys=type merge=type
  addresses []NodeAddress keys=type merge=type
  daemonEndpoints NodeDaemonEndpoints
  nodeInfo NodeSystemInfo
  images []ContainerImage
  volumesInUse []string
  volumesAttached []AttachedVolume
  config NodeConfigStatus
  runtimeHandlers []NodeRuntimeHandler
  features NodeFeatures
  declaredFeatures []string
type NodeCondition
  type! string
  status! string
  lastHeartbeatTime time
  lastTransitionTime time
  reason string
  message string
type NodeAddress
  type! string
  address! string
type NodeDaemonEndpoints
  kubeletEndpoint DaemonEndpoint value
type DaemonEndpoint
  Port int32
type NodeSystemInfo
  machineID! string
  systemUUID! string
  bootID! string
  kernelVersion! string
  osImage! string
  containerRuntimeVersion! string
  kubeletVersion! string
  kubeProxyVersion! string
  operatingSystem! string
  architecture! string
  swap NodeSwapStatus
type NodeSwapStatus
  capacity int64
type ContainerImage
  names []string
  sizeBytes int64
type AttachedVolume
  name! string
  devicePath! string
type NodeConfigStatus
  assigned NodeConfigSource
  active NodeConfigSource
  lastKnownGood NodeConfigSource
  error string
type NodeRuntimeHandler
  name string
  features NodeRuntimeHandlerFeatures
type NodeRuntimeHandlerFeatures
  recursiveReadOnlyMounts bool
  userNamespaces bool
type NodeFeatures
  supplementalGroupsPolicy bool
kind Event "Something that happened to an object."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  involvedObject ObjectReference value "What the event is about."
  reason string "One CamelCase word."
  message string "What happened."
  source EventSource value
  firstTimestamp time
  lastTimestamp time
  count int32 "How often it happened."
  type string "Normal or Warning."
  eventTime microtime
  series EventSeries
  action string
  related ObjectReference
  reportingComponent string
  reportingInstance string
type EventSource
  component string
  host string
type EventSeries
  count int32
  lastObservedTime microtime
kind ServiceAccount "An identity for processes in pods."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  secrets []ObjectReference keys=name merge=name
  imagePullSecrets []LocalObjectReference
  automountServiceAccountToken bool
kind PodTemplate "A pod template kept as an object."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  template PodTemplateSpec value
type PodTemplateSpec "What pods made from a template look like."
  metadata meta.ObjectMeta value "Labels and annotations of the pods."
  spec PodSpec value "What the pods run."
kind Namespace "A scope for names."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec NamespaceSpec value "What is wanted."
  status NamespaceStatus value "What was last observed."
type NamespaceSpec
  finalizers []string
type NamespaceStatus
  phase string default="Active"
  conditions []NamespaceCondition keys=type merge=type
type NamespaceCondition
  type! string
  status! string
  lastTransitionTime time
  reason string
  message string
kind ReplicationController "A fixed number of equal pods; superseded by ReplicaSet."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec ReplicationControllerSpec value
  status ReplicationControllerStatus value
type ReplicationControllerSpec
  replicas int32 default=1
  minReadySeconds int32
  selector {}string atomic
  template PodTemplateSpec
type ReplicationControllerStatus
  replicas int32
  fullyLabeledReplicas int32
  readyReplicas int32
  availableReplicas int32
  observedGeneration int64
  conditions []ReplicationControllerCondition keys=type merge=type
type ReplicationControllerCondition
  type! string
  status! string
  lastTransitionTime time
  reason string
  message string
kind ResourceQuota "Limits on what a namespace may use in total."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec ResourceQuotaSpec value
  status ResourceQuotaStatus value
type ResourceQuotaSpec
  hard {}quantity
  scopes []string
  scopeSelector ScopeSelector
type ScopeSelector atomic
  matchExpressions []ScopedResourceSelectorRequirement
type ScopedResourceSelectorRequirement
  scopeName!! string
  operator!! string
  values []string
type ResourceQuotaStatus
  hard {}quantity
  used {}quantity
kind LimitRange "Limits on single objects of a namespace."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec LimitRangeSpec value
type LimitRangeSpec
  limits! []LimitRangeItem
type LimitRangeItem
  type!! string
  max {}quantity
  min {}quantity
  default {}quantity
  defaultRequest {}quantity
  maxLimitRequestRatio {}quantity
kind Binding "Puts a pod on a node."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  target ObjectReference value
type TopologySelectorTerm atomic
  matchLabelExpressions []TopologySelectorLabelRequirement
type TopologySelectorLabelRequirement
  key!! string
  values! []string
)";
// clang-format on

}  // namespace troupe::sim
