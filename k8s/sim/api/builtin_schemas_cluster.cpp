#include "k8s/sim/api/builtin_schemas_text.hpp"

namespace troupe::sim {

// clang-format off
const std::string_view kClusterTypes = R"(
package rbac io.k8s.api.rbac.v1 rbac.authorization.k8s.io v1

kind Role "Permissions within a namespace."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  rules []PolicyRule
type PolicyRule "What may be done to which resources."
  verbs!! []string "What may be done; * is everything."
  apiGroups []string "Groups of the resources; the empty one is core."
  resources []string "Resources, or resource/subresource."
  resourceNames []string "Only these objects; empty is all."
  nonResourceURLs []string "Paths outside of the resources."
kind RoleBinding "Grants a role to subjects within a namespace."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  subjects []Subject
  roleRef!! RoleRef value
type Subject atomic
  kind!! string
  apiGroup string
  name!! string
  namespace string
type RoleRef atomic
  apiGroup string default="rbac.authorization.k8s.io"
  kind!! string
  name!! string
kind ClusterRole "Permissions for the whole cluster."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  rules []PolicyRule
  aggregationRule AggregationRule
type AggregationRule
  clusterRoleSelectors []meta.LabelSelector
kind ClusterRoleBinding "Grants a role to subjects in the whole cluster."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  subjects []Subject
  roleRef!! RoleRef value

package storage io.k8s.api.storage.v1 storage.k8s.io v1

kind StorageClass "A kind of storage that volumes can be provisioned from."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  provisioner!! string "Driver that makes the volumes."
  parameters {}string "Passed to the driver."
  reclaimPolicy string default="Delete" enum=Delete|Retain "What becomes of its volumes when their claims are gone."
  mountOptions []string
  allowVolumeExpansion bool "Whether claims may grow."
  volumeBindingMode string default="Immediate" enum=Immediate|WaitForFirstConsumer "When volumes are made and bound."
  allowedTopologies []core.TopologySelectorTerm
kind VolumeAttachment "The wish that a volume be attached to a node."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec VolumeAttachmentSpec value "What is wanted."
  status VolumeAttachmentStatus value "What was last observed."
type VolumeAttachmentSpec
  attacher!! string
  source VolumeAttachmentSource value
  nodeName!! string
type VolumeAttachmentSource
  persistentVolumeName string
  inlineVolumeSpec core.PersistentVolumeSpec
type VolumeAttachmentStatus
  attached bool
  attachmentMetadata {}string
  attachError VolumeError
  detachError VolumeError
type VolumeError
  time time
  message string
  errorCode int32
kind CSIDriver "A storage driver that is installed."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec CSIDriverSpec value
type CSIDriverSpec
  attachRequired bool default=true
  podInfoOnMount bool default=false
  volumeLifecycleModes []string set default=["Persistent"]
  storageCapacity bool default=false
  fsGroupPolicy string default="ReadWriteOnceWithFSType"
  tokenRequests []TokenRequest
  requiresRepublish bool default=false
  seLinuxMount bool default=false
  nodeAllocatableUpdatePeriodSeconds int64
  serviceAccountTokenInSecrets bool
  preventPodSchedulingIfMissing bool
type TokenRequest
  audience!! string
  expirationSeconds int64
kind CSINode "The storage drivers of a node."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec CSINodeSpec value
type CSINodeSpec
  drivers! []CSINodeDriver keys=name merge=name
type CSINodeDriver
  name!! string
  nodeID!! string
  topologyKeys []string
  allocatable VolumeNodeResources
type VolumeNodeResources
  count int32
kind CSIStorageCapacity "Free storage of a class in a topology."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  nodeTopology meta.LabelSelector
  storageClassName!! string
  capacity quantity
  maximumVolumeSize quantity

package coordination io.k8s.api.coordination.v1 coordination.k8s.io v1

kind Lease "A lock with an expiry, for leader election and heartbeats."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec LeaseSpec value "What is wanted."
type LeaseSpec
  holderIdentity string "Who holds the lease."
  leaseDurationSeconds int32 "Seconds after renewTime at which others may take it."
  acquireTime microtime "When it was taken."
  renewTime microtime "When it was last renewed."
  leaseTransitions int32 "How often it changed hands."
  strategy string
  preferredHolder string

package scheduling io.k8s.api.scheduling.v1 scheduling.k8s.io v1

kind PriorityClass "A priority for pods, by name."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  value int32 "The priority; higher is more important."
  globalDefault bool "Used for pods that name no class."
  description string
  preemptionPolicy string default="PreemptLowerPriority"

package policy io.k8s.api.policy.v1 policy v1

kind PodDisruptionBudget "How many pods of a set may be down by choice at a time."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec PodDisruptionBudgetSpec value "What is wanted."
  status PodDisruptionBudgetStatus value "What was last observed."
type PodDisruptionBudgetSpec
  minAvailable intstr "Pods that must stay, a number or a percentage."
  selector meta.LabelSelector "The pods it protects."
  maxUnavailable intstr "Pods that may be away, a number or a percentage."
  unhealthyPodEvictionPolicy string
type PodDisruptionBudgetStatus
  observedGeneration int64
  disruptedPods {}time
  disruptionsAllowed int32
  currentHealthy int32
  desiredHealthy int32
  expectedPods int32
  conditions []meta.Condition keys=type merge=type
kind Eviction "Asks a pod to leave, subject to disruption budgets."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  deleteOptions meta.DeleteOptions

package apiextensions io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1 apiextensions.k8s.io v1

kind CustomResourceDefinition "A kind of objects that the API server comes to serve."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec CustomResourceDefinitionSpec value "What is wanted."
  status CustomResourceDefinitionStatus value "What was last observed."
type CustomResourceDefinitionSpec
  group!! string "API group of the kind."
  names CustomResourceDefinitionNames value "How the kind is called."
  scope!! string enum=Cluster|Namespaced "Cluster or Namespaced."
  versions! []CustomResourceDefinitionVersion "The versions it is served in; one is stored."
  conversion CustomResourceConversion default={"strategy":"None"}
  preserveUnknownFields bool
type CustomResourceDefinitionNames
  plural!! string
  singular string
  shortNames []string
  kind!! string
  listKind string
  categories []string
type CustomResourceDefinitionVersion
  name!! string
  served bool
  storage bool
  deprecated bool
  deprecationWarning string
  schema CustomResourceValidation "What its objects look like."
  subresources CustomResourceSubresources "Whether it has status and scale."
  additionalPrinterColumns []CustomResourceColumnDefinition "Columns that kubectl get shows."
  selectableFields []SelectableField
type CustomResourceValidation
  openAPIV3Schema jsonschema
type CustomResourceSubresources
  status CustomResourceSubresourceStatus
  scale CustomResourceSubresourceScale
type CustomResourceSubresourceStatus
type CustomResourceSubresourceScale
  specReplicasPath!! string
  statusReplicasPath!! string
  labelSelectorPath string
type CustomResourceColumnDefinition
  name!! string
  type!! string
  format string
  description string
  priority int32
  jsonPath!! string
type SelectableField
  jsonPath!! string
type CustomResourceConversion
  strategy!! string
  webhook WebhookConversion
type WebhookConversion
  clientConfig WebhookClientConfig
  conversionReviewVersions! []string
type WebhookClientConfig
  url string
  service ServiceReference
  caBundle bytes
type ServiceReference
  namespace!! string
  name!! string
  path string
  port int32 default=443
type CustomResourceDefinitionStatus
  conditions []CustomResourceDefinitionCondition keys=type
  acceptedNames CustomResourceDefinitionNames value
  storedVersions []string
  observedGeneration int64
type CustomResourceDefinitionCondition
  type! string
  status! string
  lastTransitionTime time
  reason string
  message string
  observedGeneration int64

package admission io.k8s.api.admissionregistration.v1 admissionregistration.k8s.io v1

kind ValidatingWebhookConfiguration "Webhooks that may refuse writes."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  webhooks []ValidatingWebhook keys=name merge=name
type ValidatingWebhook
  name!! string
  clientConfig WebhookClientConfig value
  rules []RuleWithOperations
  failurePolicy string default="Fail"
  matchPolicy string default="Equivalent"
  namespaceSelector meta.LabelSelector default={}
  objectSelector meta.LabelSelector default={}
  sideEffects!! string
  timeoutSeconds int32 default=10
  admissionReviewVersions! []string
  matchConditions []MatchCondition keys=name merge=name
type WebhookClientConfig
  url string
  service ServiceReference
  caBundle bytes
type ServiceReference
  namespace!! string
  name!! string
  path string
  port int32 default=443
type RuleWithOperations
  operations []string
  apiGroups []string
  apiVersions []string
  resources []string
  scope string default="*"
type MatchCondition
  name! string
  expression! string
kind MutatingWebhookConfiguration "Webhooks that may change writes."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  webhooks []MutatingWebhook keys=name merge=name
type MutatingWebhook
  name!! string
  clientConfig WebhookClientConfig value
  rules []RuleWithOperations
  failurePolicy string default="Fail"
  matchPolicy string default="Equivalent"
  namespaceSelector meta.LabelSelector default={}
  objectSelector meta.LabelSelector default={}
  sideEffects!! string
  timeoutSeconds int32 default=10
  admissionReviewVersions! []string
  reinvocationPolicy string default="Never"
  matchConditions []MatchCondition keys=name merge=name
)";
// clang-format on

}  // namespace troupe::sim
