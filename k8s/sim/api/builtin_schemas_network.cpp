#include "k8s/sim/api/builtin_schemas_text.hpp"

namespace troupe::sim {

// clang-format off
const std::string_view kNetworkTypes = R"(
package discovery io.k8s.api.discovery.v1 discovery.k8s.io v1

kind EndpointSlice "A share of the addresses behind a Service."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  addressType!! string enum=FQDN|IPv4|IPv6 "Family of the addresses."
  endpoints []Endpoint "The addresses."
  ports []EndpointPort "Ports that all of them serve."
type Endpoint
  addresses! []string set
  conditions EndpointConditions value
  hostname string
  targetRef core.ObjectReference
  deprecatedTopology {}string
  nodeName string
  zone string
  hints EndpointHints
type EndpointConditions
  ready bool "Takes traffic."
  serving bool "Ready, even while it ends."
  terminating bool "On its way out."
type EndpointHints
  forZones []ForZone
  forNodes []ForNode
type ForZone
  name!! string
type ForNode
  name!! string
type EndpointPort atomic
  name string
  protocol string default="TCP"
  port int32
  appProtocol string

package events io.k8s.api.events.v1 events.k8s.io v1

kind Event "Something that happened to an object."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  eventTime! microtime
  series EventSeries
  reportingController string
  reportingInstance string
  action string
  reason string
  regarding core.ObjectReference value
  related core.ObjectReference
  note string
  type string
  deprecatedSource core.EventSource value
  deprecatedFirstTimestamp time
  deprecatedLastTimestamp time
  deprecatedCount int32
type EventSeries
  count int32
  lastObservedTime! microtime

package networking io.k8s.api.networking.v1 networking.k8s.io v1

kind NetworkPolicy "Which traffic pods may send and receive."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec NetworkPolicySpec value "What is wanted."
type NetworkPolicySpec
  podSelector meta.LabelSelector value
  ingress []NetworkPolicyIngressRule
  egress []NetworkPolicyEgressRule
  policyTypes []string
type NetworkPolicyIngressRule
  ports []NetworkPolicyPort
  from []NetworkPolicyPeer
type NetworkPolicyPort
  protocol string default="TCP"
  port intstr
  endPort int32
type NetworkPolicyPeer
  podSelector meta.LabelSelector
  namespaceSelector meta.LabelSelector
  ipBlock IPBlock
type IPBlock
  cidr!! string
  except []string
type NetworkPolicyEgressRule
  ports []NetworkPolicyPort
  to []NetworkPolicyPeer
kind Ingress "Rules for HTTP traffic from outside."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec IngressSpec value
  status IngressStatus value
type IngressSpec
  ingressClassName string
  defaultBackend IngressBackend
  tls []IngressTLS
  rules []IngressRule
type IngressBackend
  service IngressServiceBackend
  resource core.TypedLocalObjectReference
type IngressServiceBackend
  name!! string
  port ServiceBackendPort value
type ServiceBackendPort atomic
  name string
  number int32
type IngressTLS
  hosts []string
  secretName string
type IngressRule
  host string
  http HTTPIngressRuleValue
type HTTPIngressRuleValue
  paths! []HTTPIngressPath
type HTTPIngressPath
  path string
  pathType!! string
  backend IngressBackend value
type IngressStatus
  loadBalancer IngressLoadBalancerStatus value
type IngressLoadBalancerStatus
  ingress []IngressLoadBalancerIngress
type IngressLoadBalancerIngress
  ip string
  hostname string
  ports []IngressPortStatus
type IngressPortStatus
  port int32
  protocol! string
  error string
kind IngressClass "A kind of ingress controller."
  metadata meta.ObjectMeta value "Name, namespace, labels, owners and so on."
  spec IngressClassSpec value
type IngressClassSpec
  controller string
  parameters IngressClassParametersReference
type IngressClassParametersReference
  apiGroup string
  kind!! string
  name!! string
  scope string
  namespace string
)";
// clang-format on

}  // namespace troupe::sim
