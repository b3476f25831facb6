#include "k8s/sim/api/builtin_schemas_text.hpp"

namespace troupe::sim {

// clang-format off
const std::string_view kWorkloadTypes = R"(
package apps io.k8s.api.apps.v1 apps v1

kind Deployment "Equal pods, replaced step by step when their template changes."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec DeploymentSpec value "What is wanted."
  status DeploymentStatus value "What was last observed."
type DeploymentSpec
  replicas int32 default=1 "Number of pods wanted."
  selector!! meta.LabelSelector "Labels of the pods; cannot change."
  template core.PodTemplateSpec value "The pods to make."
  strategy DeploymentStrategy value retain "How old pods give way to new ones."
  minReadySeconds int32 "Seconds a pod must be ready to count."
  revisionHistoryLimit int32 default=10
  paused bool "Holds changes back."
  progressDeadlineSeconds int32 default=600
type DeploymentStrategy
  type string default="RollingUpdate" enum=Recreate|RollingUpdate
  rollingUpdate RollingUpdateDeployment
type RollingUpdateDeployment
  maxUnavailable intstr
  maxSurge intstr
type DeploymentStatus
  observedGeneration int64
  replicas int32
  updatedReplicas int32
  readyReplicas int32
  availableReplicas int32
  unavailableReplicas int32
  terminatingReplicas int32
  conditions []DeploymentCondition keys=type merge=type
  collisionCount int32
type DeploymentCondition
  type! string
  status! string
  lastUpdateTime time
  lastTransitionTime time
  reason string
  message string
kind ReplicaSet "A fixed number of equal pods."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec ReplicaSetSpec value "What is wanted."
  status ReplicaSetStatus value "What was last observed."
type ReplicaSetSpec
  replicas int32 default=1 "Number of pods wanted."
  minReadySeconds int32
  selector!! meta.LabelSelector
  template core.PodTemplateSpec value
type ReplicaSetStatus
  replicas int32
  fullyLabeledReplicas int32
  readyReplicas int32
  availableReplicas int32
  terminatingReplicas int32
  observedGeneration int64
  conditions []ReplicaSetCondition keys=type merge=type
type ReplicaSetCondition
  type! string
  status! string
  lastTransitionTime time
  reason string
  message string
kind StatefulSet "Pods with stable names and storage."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec StatefulSetSpec value "What is wanted."
  status StatefulSetStatus value "What was last observed."
type StatefulSetSpec
  replicas int32 default=1 "Number of pods wanted."
  selector! meta.LabelSelector
  template core.PodTemplateSpec value "The pods to make."
  volumeClaimTemplates []core.PersistentVolumeClaim "A claim of each for every pod."
  serviceName string "Headless Service that names the pods."
  podManagementPolicy string default="OrderedReady" enum=OrderedReady|Parallel
  updateStrategy StatefulSetUpdateStrategy value
  revisionHistoryLimit int32 default=10
  minReadySeconds int32
  persistentVolumeClaimRetentionPolicy StatefulSetPersistentVolumeClaimRetentionPolicy default={"whenDeleted":"Retain","whenScaled":"Retain"}
  ordinals StatefulSetOrdinals
type StatefulSetUpdateStrategy
  type string default="RollingUpdate" enum=OnDelete|RollingUpdate
  rollingUpdate RollingUpdateStatefulSetStrategy
type RollingUpdateStatefulSetStrategy
  partition int32
  maxUnavailable intstr
type StatefulSetPersistentVolumeClaimRetentionPolicy
  whenDeleted string
  whenScaled string
type StatefulSetOrdinals
  start int32
type StatefulSetStatus
  observedGeneration int64
  replicas int32
  readyReplicas int32
  currentReplicas int32
  updatedReplicas int32
  currentRevision string
  updateRevision string
  collisionCount int32
  conditions []StatefulSetCondition keys=type merge=type
  availableReplicas int32
type StatefulSetCondition
  type! string
  status! string
  lastTransitionTime time
  reason string
  message string
kind DaemonSet "A pod on every matching node."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec DaemonSetSpec value "What is wanted."
  status DaemonSetStatus value "What was last observed."
type DaemonSetSpec
  selector!! meta.LabelSelector
  template core.PodTemplateSpec value
  updateStrategy DaemonSetUpdateStrategy value
  minReadySeconds int32
  revisionHistoryLimit int32 default=10
type DaemonSetUpdateStrategy
  type string default="RollingUpdate" enum=OnDelete|RollingUpdate
  rollingUpdate RollingUpdateDaemonSet
type RollingUpdateDaemonSet
  maxUnavailable intstr
  maxSurge intstr
type DaemonSetStatus
  currentNumberScheduled int32
  numberMisscheduled int32
  desiredNumberScheduled int32
  numberReady int32
  observedGeneration int64
  updatedNumberScheduled int32
  numberAvailable int32
  numberUnavailable int32
  collisionCount int32
  conditions []DaemonSetCondition keys=type merge=type
type DaemonSetCondition
  type! string
  status! string
  lastTransitionTime time
  reason string
  message string
kind ControllerRevision "A snapshot of the state of a controller."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  data object
  revision int64

package batch io.k8s.api.batch.v1 batch v1

kind Job "Pods that run to completion."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec JobSpec value "What is wanted."
  status JobStatus value "What was last observed."
type JobSpec
  parallelism int32
  completions int32
  activeDeadlineSeconds int64
  podFailurePolicy PodFailurePolicy
  successPolicy SuccessPolicy
  backoffLimit int32 default=6
  backoffLimitPerIndex int32
  maxFailedIndexes int32
  selector meta.LabelSelector
  manualSelector bool
  template core.PodTemplateSpec value
  ttlSecondsAfterFinished int32
  completionMode string default="NonIndexed" enum=Indexed|NonIndexed
  suspend bool default=false
  podReplacementPolicy string
  managedBy string
type PodFailurePolicy
  rules! []PodFailurePolicyRule
type PodFailurePolicyRule
  action!! string
  onExitCodes PodFailurePolicyOnExitCodesRequirement
  onPodConditions []PodFailurePolicyOnPodConditionsPattern
type PodFailurePolicyOnExitCodesRequirement
  containerName string
  operator!! string
  values! []int32 set
type PodFailurePolicyOnPodConditionsPattern
  type!! string
  status string
type SuccessPolicy
  rules! []SuccessPolicyRule
type SuccessPolicyRule
  succeededIndexes string
  succeededCount int32
type JobStatus
  conditions []JobCondition merge=type
  startTime time
  completionTime time
  active int32
  succeeded int32
  failed int32
  terminating int32
  completedIndexes string
  failedIndexes string
  uncountedTerminatedPods UncountedTerminatedPods
  ready int32
type JobCondition
  type! string
  status! string
  lastProbeTime time
  lastTransitionTime time
  reason string
  message string
type UncountedTerminatedPods
  succeeded []string set
  failed []string set
kind CronJob "Jobs on a schedule."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec CronJobSpec value "What is wanted."
  status CronJobStatus value "What was last observed."
type CronJobSpec
  schedule!! string
  timeZone string
  startingDeadlineSeconds int64
  concurrencyPolicy string default="Allow" enum=Allow|Forbid|Replace
  suspend bool default=false
  jobTemplate JobTemplateSpec
  successfulJobsHistoryLimit int32 default=3
  failedJobsHistoryLimit int32 default=1
type JobTemplateSpec
  metadata meta.ObjectMeta value
  spec JobSpec value
type CronJobStatus
  active []core.ObjectReference
  lastScheduleTime time
  lastSuccessfulTime time
)";
// clang-format on

}  // namespace troupe::sim
