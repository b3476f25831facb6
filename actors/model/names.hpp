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

// On a Unit: the replication that alone commands it. Its Pod and claims do not bear it.
inline constexpr std::string_view kOwnerLabel = "troupe.dev/replication";

inline constexpr std::string_view kMainContainerAnnotation =
    "kubectl.kubernetes.io/default-container";
inline constexpr std::string_view kVersionAnnotation =
    "kubectl.kubernetes.io/default-container-version";
inline constexpr std::string_view kMaintenanceAnnotation = "maintenance";
inline constexpr std::string_view kForceDeleteAnnotation = "upm.io/force-delete";
inline constexpr std::string_view kNodeMapAnnotation = "upm.io/node-name-map";
// On a Unit: the node that its Pod stays on.
inline constexpr std::string_view kLastNodeAnnotation = "last.unit.belong.node";
// On the Pod of a source: its Unit is about to end its server, how ("to be replaced"), and that its
// replicas have had their time to catch up.
inline constexpr std::string_view kHandOverAnnotation = "troupe.dev/hand-over";
inline constexpr std::string_view kHandOverSoonAnnotation = "troupe.dev/hand-over-soon";
inline constexpr std::string_view kSwitchoverAnnotation = "troupe.dev/switchover-to";
// On a MysqlReplication whose members have diverged: the one that is right, by a person's word.
inline constexpr std::string_view kRecoverOnAnnotation = "troupe.dev/recover-on";
// True (flag.hpp) on a MysqlReplication: its servers are left as they are, whatever becomes of
// them.
inline constexpr std::string_view kClusteringStoppedAnnotation = "troupe.dev/clustering-stopped";
// On a MysqlReplication: the Secret of a server outside (external_source.hpp) that its source
// follows instead of taking writes.
inline constexpr std::string_view kExternalSourceAnnotation = "troupe.dev/external-source";
// On the Secret of a certificate or of the authority: when to renew it.
inline constexpr std::string_view kRenewAfterAnnotation = "troupe.dev/renew-after";
// Likewise: SHA-256 of the authority's certificate that signs (tls.crt), and of all that are
// trusted (ca.crt), in hexadecimal.
inline constexpr std::string_view kSignerAnnotation = "troupe.dev/signer";
inline constexpr std::string_view kTrustedAnnotation = "troupe.dev/trusted";
// On a Unit's: SHA-256 of its certificate.
inline constexpr std::string_view kCertificateAnnotation = "troupe.dev/certificate";
// On the authority's: where its rotation is and since when, when it ends, and the order for one.
inline constexpr std::string_view kStageAnnotation = "troupe.dev/stage";
inline constexpr std::string_view kStageSinceAnnotation = "troupe.dev/stage-since";
inline constexpr std::string_view kExpiresAnnotation = "troupe.dev/expires";
inline constexpr std::string_view kRotateAnnotation = "troupe.dev/rotate";

// True on an object: its actor keeps a journal (actors/journal/journal.hpp).
inline constexpr std::string_view kJournalAnnotation = "troupe.dev/journal";

inline constexpr std::string_view kAgentContainer = "unit-agent";

// Rule of a Unit that waits for its replication to take the role of the source from it.
inline constexpr std::string_view kHandsOverFirst = "HandsOverFirst";

// Secret with the authority's keys, in the operator's namespace.
inline constexpr std::string_view kAuthoritySecret = "troupe-agent-authority";

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
