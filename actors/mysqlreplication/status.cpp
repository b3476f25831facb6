// What the object's status says. The operation's record is written by a manager of its own, and
// before the step that it announces; the rest is for people and follows.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "actors/model/conditions.hpp"
#include "actors/model/ensure.hpp"
#include "actors/model/wording.hpp"
#include "actors/mysqlreplication/parts.hpp"
#include "k8s/api/encode.hpp"

namespace troupe::actors::mysqlreplication {

namespace topo = mysql_topology;

namespace {

using Status = k8s::MysqlReplicationStatus;

// Members of the status that the record's manager owns.
constexpr std::string_view kRecordFields[] = {
    "currentSource", "honoredSource", "epoch",          "operation",       "lastOperation",
    "quorum",        "groupName",     "externalSource", "lostTransactions"};
// Numbers that never stand still do not alone make a write more often than this.
constexpr Duration kDetailEvery = std::chrono::seconds(15);
constexpr Duration kShownAfter = std::chrono::seconds(1);
// How long an order that was withdrawn can be read of in the status.
constexpr Duration kWithdrawnShown = std::chrono::minutes(10);
// The reason of what is under way: nothing is wrong.
constexpr std::string_view kProgressing = "Progressing";

constexpr std::string_view kTopologyReady = "TopologyReady";
constexpr std::string_view kResourceReady = "ResourceReady";

// A rule or reason that nobody is warned of.
bool is_quiet(std::string_view reason) {
  return reason == kProgressing || reason == topo::kWithdrawn || topo::is_course_of_things(reason);
}

boost::json::value parsed(const std::string& json) { return boost::json::parse(json); }

std::int64_t signed_epoch(topo::Epoch e) { return static_cast<std::int64_t>(e.value); }

k8s::Time time_of(const std::string& rfc3339) {
  const auto t = k8s::parse_rfc3339(rfc3339);
  return t ? k8s::Time{*t} : k8s::Time{};
}

k8s::OperationType api_type(topo::OperationType type) {
  switch (type) {
    case topo::OperationType::Form:
      return k8s::OperationType::Form;
    case topo::OperationType::Failover:
      return k8s::OperationType::Failover;
    case topo::OperationType::Switchover:
      return k8s::OperationType::Switchover;
    case topo::OperationType::Rebuild:
      return k8s::OperationType::Rebuild;
    case topo::OperationType::Bootstrap:
      return k8s::OperationType::Bootstrap;
    case topo::OperationType::Attach:
      return k8s::OperationType::Attach;
    case topo::OperationType::Detach:
      return k8s::OperationType::Detach;
  }
  return k8s::OperationType::Form;
}

k8s::ReplicationOperation api_operation(k8s::Arena& arena, const topo::PersistedRecord& r) {
  const auto& op = *r.operation;
  k8s::ReplicationOperation o;
  o.id = arena.text(fmt::format("{}-{}", topo::to_string(op.type), r.epoch.value));
  o.type = api_type(op.type);
  o.step = arena.text(topo::to_string(op.step));
  o.from = arena.text(op.from);
  o.candidate = arena.text(op.candidate);
  o.candidateUUID = arena.text(op.candidate_uuid);
  o.epoch = signed_epoch(r.epoch);
  o.targetGtidSet = arena.text(op.gtids);
  o.startedAt = time_of(op.started);
  o.message = arena.text(op.reason);
  return o;
}

k8s::ReplicationOperation api_finished(k8s::Arena& arena, const topo::Finished& f) {
  k8s::ReplicationOperation o;
  o.id = arena.text(fmt::format("{}-{}", topo::to_string(f.type), f.epoch.value));
  o.type = api_type(f.type);
  o.from = arena.text(f.from);
  o.candidate = arena.text(f.candidate);
  o.epoch = signed_epoch(f.epoch);
  o.startedAt = time_of(f.started);
  o.finishedAt = time_of(f.finished);
  o.outcome = f.undone ? k8s::OperationOutcome::Undone : k8s::OperationOutcome::Succeeded;
  o.message = arena.text(f.text);
  return o;
}

k8s::LostTransactions api_lost(k8s::Arena& arena, const topo::Lost& l) {
  return {.node = arena.text(l.member),
          .gtidSet = arena.text(l.gtids),
          .epoch = signed_epoch(l.epoch),
          .savedTo = arena.text(l.saved_to),
          .at = time_of(l.at)};
}

// By its own word.
k8s::NodeRole role_in_group(const mysql::MemberObservation& s) {
  if (s.group->state != mysql::GroupState::Online) return k8s::NodeRole::None;
  const auto& peers = s.group->peers;
  const bool primary = std::any_of(peers.begin(), peers.end(), [&s](const mysql::GroupPeer& p) {
    return p.primary && p.server_uuid == s.server_uuid;
  });
  return primary ? k8s::NodeRole::Source : k8s::NodeRole::Replica;
}

k8s::NodeRole role_of(const mysql::MemberObservation& s) {
  if (s.replica) return k8s::NodeRole::Replica;
  if (s.group && s.group->state != mysql::GroupState::Offline) return role_in_group(s);
  return s.read_only ? k8s::NodeRole::None : k8s::NodeRole::Source;
}

std::string_view yes_or_no(mysql::ThreadState state) {
  switch (state) {
    case mysql::ThreadState::On:
      return "Yes";
    case mysql::ThreadState::Connecting:
      return "Connecting";
    case mysql::ThreadState::Off:
      return "No";
  }
  return "No";
}

// Whether it is the source on record that the replica follows. Another server can stand behind the
// name that the specification has for it.
bool follows_source(const World& w, const Node& n, const mysql::ReplicaStatus& r) {
  const auto source = std::find_if(w.nodes.begin(), w.nodes.end(), [&w](const Node& other) {
    return w.object->status.currentSource == other.name;
  });
  if (source == w.nodes.end()) return false;
  // A source that follows somebody follows a server outside, or is not where it should be.
  if (&*source == &n) return !w.object->status.externalSource.empty();
  const auto* seen = source->probe ? source->probe->observation.get() : nullptr;
  if (seen && r.source_uuid) return *r.source_uuid == seen->server_uuid;
  return r.source_host == source->host && agent::is_port_of_server(r.source_port, source->port);
}

k8s::TopologyNode api_node(k8s::Arena& arena, const World& w, const Node& n, TimePoint now) {
  k8s::TopologyNode out;
  out.host = arena.text(n.host);
  out.port = n.port;
  if (const auto owner = other_owner(w, n); !owner.empty()) {
    out.error = arena.text(fmt::format("belongs to MysqlReplication {}", owner));
    return out;
  }
  if (!n.probe) {
    out.error = "not probed yet";
    return out;
  }
  const auto* s = n.probe->observation.get();
  const bool fresh = n.probe->ok() && s && now - n.probe->seen <= topo::kStale;
  if (!n.probe->ok())
    out.error = arena.text(fmt::format("{}{}{}", mysql::to_string(n.probe->reachability),
                                       n.probe->message.empty() ? "" : ": ", n.probe->message));
  if (!fresh) return out;
  out.status = k8s::NodeHealth::Healthy;
  out.role = role_of(*s);
  out.readonly = s->read_only;
  out.superReadonly = s->super_read_only;
  out.uid = arena.text(mysql::to_string(s->server_uuid));
  out.gtidExecuted = arena.text(s->gtid_executed.to_string());
  if (n.isolated) {
    out.error = "isolated by spec.replica";
    return out;
  }
  out.ready = out.role == k8s::NodeRole::Source && !s->offline_mode;
  if (s->group) {
    out.memberState = arena.text(mysql::to_string(s->group->state));
    out.ready = out.role != k8s::NodeRole::None && !s->offline_mode;
  }
  if (!s->replica) return out;
  const auto& r = *s->replica;
  out.sourceHost = arena.text(r.source_host);
  out.sourcePort = r.source_port;
  out.replicaIO = arena.text(yes_or_no(r.io));
  out.replicaSQL = arena.text(yes_or_no(r.sql));
  if (r.seconds_behind) out.secondsBehindSource = static_cast<std::int64_t>(*r.seconds_behind);
  out.ready = s->super_read_only && !s->offline_mode && r.io == mysql::ThreadState::On &&
              r.sql == mysql::ThreadState::On && follows_source(w, n, r);
  if (r.io_error.number != 0)
    out.error = arena.text(fmt::format("receiver: {}: {}", r.io_error.number, r.io_error.text));
  if (r.sql_error.number != 0)
    out.error = arena.text(fmt::format("applier: {}: {}", r.sql_error.number, r.sql_error.text));
  return out;
}

k8s::Map<k8s::TopologyNode> topology(k8s::Arena& arena, const World& w, TimePoint now) {
  std::vector<std::pair<k8s::Text, k8s::TopologyNode>> nodes;
  for (const auto& n : w.nodes)
    if (!n.former) nodes.emplace_back(arena.text(n.name), api_node(arena, w, n, now));
  return arena.map(std::move(nodes));
}

WallTime wall_of(TimePoint t, WallTime wall, TimePoint now) {
  return wall - std::chrono::duration_cast<WallTime::duration>(now - t);
}

k8s::List<k8s::Guard> guards(k8s::Arena& arena, const World& w, const topo::Plan& plan,
                             TimePoint now) {
  std::vector<k8s::Guard> out;
  for (const auto* held : {&plan.guards, &plan.refusals})
    for (const auto& g : *held)
      out.push_back(
          {arena.text(g.rule), arena.text(g.text), k8s::Time{wall_of(g.since, w.wall, now)}});
  return arena.list(out);
}

bool nothing_happened(k8s::TopologyNode before, k8s::TopologyNode after) {
  if (!same_but_for_numbers(before.error, after.error)) return false;
  for (auto* node : {&before, &after}) {
    node->secondsBehindSource.reset();
    node->gtidExecuted = {};
    node->error = {};
  }
  return k8s::same_json_text(before, after);
}

bool nothing_happened(k8s::Guard before, k8s::Guard after) {
  if (!same_but_for_numbers(before.text, after.text)) return false;
  before.text = after.text = {};
  return k8s::same_json_text(before, after);
}

bool nothing_happened(k8s::Condition before, k8s::Condition after) {
  if (!same_but_for_numbers(before.message, after.message)) return false;
  before.message = after.message = {};
  return k8s::same_json_text(before, after);
}

template <class T>
bool nothing_happened(const k8s::List<T>& before, const k8s::List<T>& after) {
  return std::equal(before.begin(), before.end(), after.begin(), after.end(),
                    [](const T& b, const T& a) { return nothing_happened(b, a); });
}

// Whether they differ only in what moves all the time.
bool nothing_happened(Status before, Status after) {
  const bool same_nodes =
      std::equal(before.topology.begin(), before.topology.end(), after.topology.begin(),
                 after.topology.end(), [](const auto& b, const auto& a) {
                   return b.key == a.key && nothing_happened(b.value, a.value);
                 });
  if (!same_nodes || !nothing_happened(before.guards, after.guards) ||
      !nothing_happened(before.conditions, after.conditions))
    return false;
  for (auto* status : {&before, &after}) {
    status->topology = {};
    status->guards = {};
    status->conditions = {};
  }
  return k8s::same_json_text(before, after);
}

boost::json::object body_of(const World& w, boost::json::value status) {
  const auto& o = *w.object;
  auto body = skeleton<k8s::MysqlReplication>(o.metadata.namespace_, o.metadata.name);
  body["metadata"].as_object()["uid"] = o.metadata.uid.view();
  body["status"] = std::move(status);
  return body;
}

// The live status as this manager would have written it.
Status without_record(Status s) {
  s.currentSource = s.honoredSource = {};
  s.epoch = 0;
  s.operation.reset();
  s.lastOperation.reset();
  s.quorum = {};
  s.groupName = {};
  s.externalSource = {};
  s.lostTransactions = {};
  return s;
}

bool has_seen_all(const World& w) {
  return std::all_of(w.nodes.begin(), w.nodes.end(), [](const Node& n) {
    if (!n.pod || n.pod->status.phase != "Running") return true;
    return n.probe && n.agent && n.agent->stream != agent::StreamState::Connecting;
  });
}

// An operation's steps take milliseconds. What is shown of them waits: a write of it would come in
// the way of the next record, and what holds for a moment only is no news.
bool step_is_young(const Status& status, Memory& memory, TimePoint now, Decision& d) {
  const auto& operation = status.operation;
  auto step = operation ? fmt::format("{} {}", operation->id, operation->step) : std::string();
  if (step != memory.step) {
    memory.step = std::move(step);
    memory.step_since = now;
  }
  if (memory.step.empty() || now - memory.step_since >= kShownAfter) return false;
  d.wake_at(memory.step_since + kShownAfter);
  return true;
}

// The condition of an order that was withdrawn, as long as it is news.
const k8s::Condition* withdrawn(const World& w, TimePoint now, Decision& d) {
  const auto& status = w.object->status;
  const auto* told = k8s::find_condition(status.conditions, kOrderObeyed);
  if (!told || told->reason != topo::kWithdrawn) return nullptr;
  const auto since = told->lastTransitionTime.at;
  if (status.lastOperation && status.lastOperation->finishedAt.at >= since) return nullptr;
  const auto left = kWithdrawnShown - (w.wall - since);
  if (left <= Duration::zero()) return nullptr;
  d.wake_at(now + left);
  return told;
}

// What an order that was not obeyed says of the topology: nothing. But that it was not is to be
// read where people look first.
void describe_topology(const topo::Plan& plan, std::string_view order, Conditions& conditions) {
  const auto and_order = [order](std::string_view message) {
    const bool more = !order.empty() && message.find(order) == message.npos;
    return fmt::format("{}{}{}", message, more ? "; " : "", more ? order : std::string_view());
  };
  if (plan.ready)
    return conditions.set(kTopologyReady, true, "SyncTopologySucceed",
                          and_order("every member has its role"));
  if (plan.guards.empty())
    return conditions.set(kTopologyReady, false, kProgressing, and_order(plan.doing));
  const auto& first = plan.guards.front().rule;
  const bool normal = plan.forming || topo::is_course_of_things(first);
  std::string all;
  for (const auto& g : plan.guards) all += (all.empty() ? "" : "; ") + g.text;
  conditions.set(kTopologyReady, false, normal ? kProgressing : first, and_order(all));
}

// A condition names its first guard, and people are told of each: of those that stand anew, and
// where more of one rule do.
std::vector<ConditionNews> guards_to_tell(const Status& live, std::string_view condition,
                                          const std::vector<Guard>& held) {
  const auto* before = k8s::find_condition(live.conditions, condition);
  const bool was_held =
      before && before->status == k8s::ConditionStatus::False && !is_quiet(before->reason);
  std::vector<ConditionNews> out;
  for (const auto& g : held) {
    if (is_quiet(g.rule)) continue;
    const auto known = std::find_if(out.begin(), out.end(),
                                    [&g](const ConditionNews& n) { return n.reason == g.rule; });
    if (known != out.end())
      known->text += "; " + g.text;
    else
      out.push_back({std::string(condition), true, g.rule, g.text,
                     was_held ? before->reason.str() : std::string()});
  }
  std::erase_if(out, [&](const ConditionNews& n) {
    const auto stood = std::count_if(live.guards.begin(), live.guards.end(),
                                     [&n](const k8s::Guard& g) { return g.rule == n.reason; });
    const auto stand = std::count_if(held.begin(), held.end(),
                                     [&n](const Guard& g) { return g.rule == n.reason; });
    return was_held && stood >= stand;
  });
  return out;
}

void tell_what_changed(const World& w, const topo::Plan& plan, const Conditions& conditions,
                       Memory& memory, Decision& d) {
  const auto& o = *w.object;
  // That an order is withdrawn is told when it is.
  auto news = news_of(conditions, {kTopologyReady, kOrderObeyed, kResourceReady},
                      {kProgressing, topo::kWithdrawn}, memory.warned);
  std::erase_if(news,
                [](const ConditionNews& n) { return n.warning && n.condition != kResourceReady; });
  tell_news(d, o, std::move(news));
  if (!plan.forming) tell_news(d, o, guards_to_tell(o.status, kTopologyReady, plan.guards));
  tell_news(d, o, guards_to_tell(o.status, kOrderObeyed, plan.refusals));
}

void describe_conditions(const World& w, const topo::Plan& plan, const std::vector<Guard>& refused,
                         const k8s::Condition* withdrawn, Conditions& conditions) {
  const bool waits = !plan.refusals.empty();
  describe_topology(plan, withdrawn && !waits ? withdrawn->message.view() : plan.order, conditions);
  if (waits)
    conditions.set(kOrderObeyed, false, plan.refusals.front().rule, plan.order);
  else if (withdrawn)
    conditions.set(kOrderObeyed, false, topo::kWithdrawn, withdrawn->message);
  if (!refused.empty()) return conditions.held(kResourceReady, refused);
  const bool services = w.readwrite && (w.readonly || w.object->spec.replica.empty());
  conditions.set(kResourceReady, services, services ? "SyncResourceSucceed" : kProgressing,
                 services         ? "Services and labels are in place"
                 : has_members(w) ? "Services are being made"
                                  : "Services are made when it has a member");
}

}  // namespace

void date_guards(const World& w, std::vector<Guard>& guards, TimePoint now) {
  for (auto& g : guards) {
    const auto* live = w.object->status.guards.find(&k8s::Guard::rule, g.rule);
    const auto since = g.since == TimePoint{} ? now : g.since;
    const auto at = live ? live->since.at
                         : std::chrono::floor<std::chrono::seconds>(wall_of(since, w.wall, now));
    g.since = now - (w.wall - at);
  }
}

void write_record(const World& w, const topo::PersistedRecord& r, Decision& d) {
  k8s::Arena arena;
  boost::json::object status{
      {"currentSource", r.current}, {"honoredSource", r.honored}, {"epoch", signed_epoch(r.epoch)}};
  if (!r.group.empty()) status["groupName"] = r.group;
  if (!r.external.empty()) status["externalSource"] = r.external;
  if (r.operation) status["operation"] = parsed(k8s::to_json_text(api_operation(arena, r)));
  if (r.last) status["lastOperation"] = parsed(k8s::to_json_text(api_finished(arena, *r.last)));
  boost::json::array lost;
  for (const auto& l : r.lost) lost.push_back(parsed(k8s::to_json_text(api_lost(arena, l))));
  if (!lost.empty()) status["lostTransactions"] = std::move(lost);
  status["quorum"] = {
      {"members", boost::json::array(r.quorum.members.begin(), r.quorum.members.end())},
      {"leaving", boost::json::array(r.quorum.leaving.begin(), r.quorum.leaving.end())},
      {"recovering", boost::json::array(r.quorum.recovering.begin(), r.quorum.recovering.end())},
      {"acks", r.quorum.acks},
      {"waitsFor", r.quorum.waits_for}};
  d.add(std::string(kRecordKey),
        Apply{ref_to(*w.object), "troupe-op", boost::json::serialize(body_of(w, std::move(status))),
              true, w.object->metadata.resourceVersion});
}

void write_status(const World& w, Memory& memory, const topo::Plan& plan, TimePoint now,
                  Decision& d) {
  const auto& o = *w.object;
  if (memory.first_look.lasts(o.status.observedGeneration == 0 || has_seen_all(w), now, d)) return;
  k8s::Arena arena;
  Status s;
  s.observedGeneration = o.metadata.generation;
  s.ready = plan.ready;
  s.topology = topology(arena, w, now);
  if (w.readwrite) s.readwriteService = w.readwrite->metadata.name;
  if (w.readonly) s.readonlyService = w.readonly->metadata.name;
  s.guards = guards(arena, w, plan, now);
  Conditions conditions(arena, o.status.conditions, o.metadata.generation, w.wall);
  hold_refused(w.refused, d);
  describe_conditions(w, plan, d.guards, withdrawn(w, now, d), conditions);
  s.conditions = conditions.list();

  if (step_is_young(o.status, memory, now, d)) return;
  const auto live = without_record(o.status);
  if (k8s::same_json_text(s, live)) return;
  if (nothing_happened(live, s) && now - memory.status_written < kDetailEvery) {
    d.wake_at(memory.status_written + kDetailEvery);
    return;
  }
  tell_what_changed(w, plan, conditions, memory, d);
  memory.status_written = now;
  auto body = parsed(k8s::to_json_text(s)).as_object();
  for (const auto field : kRecordFields) body.erase(field);
  d.add("status", Apply{ref_to(o),
                        "troupe-replication",
                        boost::json::serialize(body_of(w, std::move(body))),
                        true,
                        {}});
}

}  // namespace troupe::actors::mysqlreplication
