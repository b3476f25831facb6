// What the engine sees of a MysqlReplication.
#include <fmt/format.h>

#include "actors/model/endpoints.hpp"
#include "actors/model/names.hpp"
#include "actors/mysqlreplication/parts.hpp"

namespace troupe::actors::mysqlreplication {

namespace topo = mysql_topology;

namespace {

static_assert(k8s::kMaxEpoch == static_cast<std::int64_t>(agent::kMaxEpoch.value));

// A negative one, as somebody can have written it there, is beyond all that there may be.
topo::Epoch epoch_of(std::int64_t number) { return {static_cast<std::uint64_t>(number)}; }

std::optional<topo::Departure> departure_of(const k8s::Pod& pod) {
  const auto& meta = pod.metadata;
  if (meta.deletionTimestamp)
    return topo::Departure{fmt::format("the Pod of {} is being deleted", meta.name), true};
  const auto wish = meta.annotations.get(kHandOverAnnotation);
  if (wish.empty()) return std::nullopt;
  return topo::Departure{fmt::format("{} is {}", meta.name, wish),
                         meta.annotations.contains(kHandOverSoonAnnotation)};
}

topo::Mode mode_of(k8s::ReplicationMode mode) {
  switch (mode) {
    case k8s::ReplicationMode::Async:
      return topo::Mode::Async;
    case k8s::ReplicationMode::SemiSync:
      return topo::Mode::SemiSync;
    case k8s::ReplicationMode::Group:
      return topo::Mode::Group;
  }
  return topo::Mode::SemiSync;
}

std::optional<topo::External> external_of(const World& w, const Memory& memory) {
  if (w.external_name.empty()) return std::nullopt;
  topo::External e{
      .name = w.external_name, .host = {}, .revision = memory.external.number(), .problem = {}};
  if (w.external) {
    e.host = w.external->host;
    e.port = w.external->port;
  } else {
    e.problem = w.external.error().message;
  }
  return e;
}

topo::Member member_of(const World& w, const Node& n, int ordinal, const Memory& memory) {
  topo::Member m;
  m.name = n.name;
  m.host = n.host;
  m.port = n.port;
  m.host_problem = host_problem(w, n);
  m.ordinal = ordinal;
  m.isolated = n.isolated;
  m.former = n.former;
  m.unit_exists = bool(n.unit);
  m.ours = is_ours(w, n);
  m.owner = other_owner(w, n);
  m.pod_exists = bool(n.pod);
  if (n.pod) m.departing = departure_of(*n.pod);
  m.instance = n.pod ? pod_life(*n.pod) : std::string();
  // What others command tells nothing of our topology.
  (m.is_anothers() ? m.elsewhere : m.probe) = n.probe;
  if (!m.ours) return m;
  m.agent = n.agent;
  const auto steps = memory.members.find(n.name);
  if (steps == memory.members.end() || steps->second.life != m.instance) return m;
  m.outcomes = steps->second.outcomes;
  m.follow_order = steps->second.follow_order;
  return m;
}

}  // namespace

topo::PersistedRecord record_of(const k8s::MysqlReplicationStatus& s) {
  topo::PersistedRecord r;
  r.epoch = epoch_of(s.epoch);
  r.current = s.currentSource.str();
  r.honored = s.honoredSource.str();
  if (s.operation) {
    const auto type = topo::parse_operation_type(k8s::to_string(s.operation->type));
    const auto step = topo::parse_step(s.operation->step);
    if (type && step)
      r.operation = topo::Operation{.type = *type,
                                    .step = *step,
                                    .from = s.operation->from.str(),
                                    .candidate = s.operation->candidate.str(),
                                    .candidate_uuid = s.operation->candidateUUID.str(),
                                    .gtids = s.operation->targetGtidSet.str(),
                                    .reason = s.operation->message.str(),
                                    .started = to_rfc3339(s.operation->startedAt.at)};
  }
  if (s.lastOperation) {
    const auto& o = *s.lastOperation;
    r.last = topo::Finished{
        .type = topo::parse_operation_type(k8s::to_string(o.type)).value_or(topo::OperationType{}),
        .from = o.from.str(),
        .candidate = o.candidate.str(),
        .epoch = epoch_of(o.epoch),
        .undone = o.outcome == k8s::OperationOutcome::Undone,
        .text = o.message.str(),
        .started = to_rfc3339(o.startedAt.at),
        .finished = to_rfc3339(o.finishedAt.at)};
  }
  for (const auto& name : s.quorum.members) r.quorum.members.push_back(name.str());
  for (const auto& name : s.quorum.leaving) r.quorum.leaving.push_back(name.str());
  for (const auto& name : s.quorum.recovering) r.quorum.recovering.push_back(name.str());
  r.quorum.acks = static_cast<std::uint32_t>(s.quorum.acks);
  r.quorum.waits_for = static_cast<std::uint32_t>(s.quorum.waitsFor);
  r.group = s.groupName.str();
  r.external = s.externalSource.str();
  for (const auto& l : s.lostTransactions)
    r.lost.push_back({.member = l.node.str(),
                      .gtids = l.gtidSet.str(),
                      .epoch = epoch_of(l.epoch),
                      .saved_to = l.savedTo.str(),
                      .at = to_rfc3339(l.at.at)});
  return r;
}

topo::Topology topology_of(const World& w, const Memory& memory) {
  const auto& o = *w.object;
  topo::Topology t;
  t.mode = mode_of(o.spec.mode);
  // A UUID that nobody else has.
  t.new_group = o.metadata.uid.str();
  t.failover = {.enabled = o.spec.failover.enabled,
                .allow_loss = o.spec.failover.allowLoss,
                .grace = std::chrono::seconds(o.spec.failover.graceSeconds)};
  t.wanted = o.spec.source.name.str();
  t.order_by_note = o.metadata.annotations.get(kSwitchoverAnnotation).str();
  t.recover_on = o.metadata.annotations.get(kRecoverOnAnnotation).str();
  t.external = external_of(w, memory);
  t.record = record_of(o.status);
  t.wall = to_rfc3339(w.wall);
  t.accounts = memory.accounts.number();
  // Ordinals by name, so that the order of the list, which a switchover swaps, does not matter.
  std::vector<std::string> names;
  for (const auto& n : w.nodes) names.push_back(n.name);
  std::sort(names.begin(), names.end());
  for (const auto& n : w.nodes) {
    const auto at = std::lower_bound(names.begin(), names.end(), n.name);
    t.members.push_back(member_of(w, n, static_cast<int>(at - names.begin()), memory));
  }
  topo::find_twins(t);
  return t;
}

}  // namespace troupe::actors::mysqlreplication
