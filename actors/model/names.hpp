// Names, labels and annotations that more than one kind relies on.
#pragma once

#include <string>
#include <string_view>

namespace troupe::actors {

// Labels of what a UnitSet makes; users select by them.
inline constexpr std::string_view kUnitSetLabel = "unitset.name";
inline constexpr std::string_view kUnitLabel = "unit.name";
inline constexpr std::string_view kUnitOrdinalLabel = "unit.sn";

// Labels by which the Services of a replication find their members.
inline constexpr std::string_view kReplicationLabel = "compose-operator/mysql-replication.name";
inline constexpr std::string_view kReadonlyLabel = "compose-operator/mysql-replication.readonly";

inline constexpr std::string_view kMainContainerAnnotation =
    "kubectl.kubernetes.io/default-container";
inline constexpr std::string_view kVersionAnnotation =
    "kubectl.kubernetes.io/default-container-version";
inline constexpr std::string_view kMaintenanceAnnotation = "maintenance";
inline constexpr std::string_view kForceDeleteAnnotation = "upm.io/force-delete";
inline constexpr std::string_view kNodeMapAnnotation = "upm.io/node-name-map";
// On a Unit: the node that its Pod stays on.
inline constexpr std::string_view kLastNodeAnnotation = "last.unit.belong.node";
inline constexpr std::string_view kSwitchoverAnnotation = "troupe.dev/switchover-to";
// On a certificate's Secret: when to renew it.
inline constexpr std::string_view kRenewAfterAnnotation = "troupe.dev/renew-after";

inline constexpr std::string_view kAgentContainer = "unit-agent";

// Secret with a Unit's certificate, for its agent and its server.
inline std::string certificate_secret(std::string_view unit) { return std::string(unit) + "-tls"; }
// Secret with the passwords that the operator made up for a set, or for a Unit that stands alone.
inline std::string accounts_secret(std::string_view owner) {
  return std::string(owner) + "-accounts";
}
// The name in an agent's certificate: what the operator expects there, whatever the address.
inline std::string agent_server_name(std::string_view ns, std::string_view unit) {
  return std::string(unit) + "." + std::string(ns) + ".agent.troupe";
}

}  // namespace troupe::actors
