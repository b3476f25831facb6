#include "tests/unit/actors/mysql_topology/servers.hpp"

#include <fmt/format.h>

#include <boost/algorithm/string/split.hpp>
#include <stdexcept>

#include "engines/mysql/model/error_number.hpp"

namespace troupe::mysql_topology::testing {
namespace {

using mysql::Reachability;
using mysql::ThreadState;

constexpr std::uint16_t kPort = 3306;
constexpr Duration kProbeAge = milliseconds(100);

std::string role_text(Role role) {
  switch (role) {
    case Role::None:
      return "None";
    case Role::Source:
      return "Source";
    case Role::Replica:
      return "Replica";
  }
  return "";
}

}  // namespace

mysql::Uuid uuid_of(std::string_view member) {
  const auto digit = member.substr(member.find_last_of('-') + 1);
  return mysql::parse_uuid(fmt::format("00000000-0000-0000-0000-00000000000{}", digit)).value();
}

mysql::GtidSet gtids(std::string_view text) {
  mysql::GtidSet all;
  std::vector<std::string> parts;
  boost::algorithm::split(parts, text, [](char c) { return c == ' '; });
  for (const auto& part : parts) {
    if (part.empty()) continue;
    const auto colon = part.find(':');
    const auto one = mysql::GtidSet::parse(mysql::to_string(uuid_of(part.substr(0, colon))) +
                                           part.substr(colon));
    if (!one) throw std::invalid_argument(part);
    all.add(*one);
  }
  return all;
}

Server::Server(int ordinal, TimePoint at)
    : name(fmt::format("db-{}", ordinal)), host(name + ".db"), now(at) {
  agent.stream = agent::StreamState::Connected;
  agent.since = agent.seen = at - seconds(60);
  agent.container_id = "c1";
  agent.process.state = agent::ProcessState::Running;
  agent.process.supervisor_connected = true;
  agent.highest_epoch = Epoch{1};
  probe.reachability = Reachability::Ok;
  probe.since = at - seconds(60);
  probe.tried = probe.seen = at - kProbeAge;
  seen.seen = probe.seen;
  seen.known_since = at - seconds(60);
  seen.server_uuid = uuid_of(name);
  seen.version = {9, 7, 0};
  outcomes[Verb::EnsureAccounts] = {.ok = true, .at = at - seconds(60)};
  is_closed();
}

Server& Server::is_closed() {
  seen.read_only = seen.super_read_only = seen.offline_mode = true;
  seen.replica.reset();
  seen.semi_sync_source = {.names = mysql::SemiSyncNames::New,
                           .enabled = false,
                           .wait_for_replica_count = 1,
                           .wait_no_replica = true,
                           .wait_point = mysql::WaitPoint::AfterSync,
                           .clients = 0,
                           .wait_sessions = 0};
  seen.semi_sync_replica = {.names = mysql::SemiSyncNames::New, .enabled = false};
  return *this;
}

Server& Server::is_source(std::uint32_t acks, std::uint32_t attached) {
  is_closed();
  seen.read_only = seen.super_read_only = seen.offline_mode = false;
  seen.semi_sync_source.enabled = acks > 0;
  seen.semi_sync_source.wait_for_replica_count = acks;
  seen.semi_sync_source.clients = attached;
  return *this;
}

Server& Server::is_replica_of(const Server& source) {
  is_closed();
  seen.offline_mode = false;
  seen.semi_sync_replica.enabled = source.seen.semi_sync_source.enabled;
  seen.replica = mysql::ReplicaStatus{.source_host = source.host,
                                      .source_port = kPort,
                                      .source_uuid = source.seen.server_uuid,
                                      .io = ThreadState::On,
                                      .sql = ThreadState::On,
                                      .auto_position = true,
                                      .seconds_behind = 0,
                                      .heartbeat_age = milliseconds(500),
                                      .last_queued_age = milliseconds(200)};
  return *this;
}

Server& Server::has(std::string_view executed, std::string_view received) {
  seen.gtid_executed = gtids(executed);
  if (seen.replica) seen.replica->retrieved = gtids(received);
  return *this;
}

Server& Server::has_purged(std::string_view purged) {
  seen.gtid_purged = gtids(purged);
  return *this;
}

Server& Server::is_killed() {
  agent.process.state = agent::ProcessState::Backoff;
  agent.process.exit_signal = 9;
  agent.since = agent.seen = now - milliseconds(5);
  return refuses_connections();
}

Server& Server::has_no_pod() {
  pod = known_to_agent = probed = false;
  return *this;
}

Server& Server::has_lost_its_agent() {
  agent.stream = agent::StreamState::Lost;
  agent.since = now - seconds(1);
  return *this;
}

Server& Server::refuses_connections() {
  probe.reachability = Reachability::Refused;
  probe.since = probe.tried = now - milliseconds(5);
  return *this;
}

Server& Server::is_silent(Duration since) {
  probe.reachability = Reachability::Timeout;
  probe.since = now - since;
  probe.tried = now;
  return *this;
}

Server& Server::has_no_unit() {
  unit = ours = pod = known_to_agent = probed = false;
  return *this;
}

Server& Server::is_unclaimed() {
  ours = known_to_agent = false;
  return *this;
}

Server& Server::belongs_to(std::string_view replication) {
  owner = replication;
  elsewhere.seen = now - seconds(1);
  ours = known_to_agent = probed = false;
  return *this;
}

Server& Server::refuses_password() {
  probe.reachability = Reachability::AuthFailed;
  probe.since = now - seconds(1);
  probe.tried = now - kProbeAge;
  return *this;
}

Server& Server::hears_nothing() {
  seen.replica->io = ThreadState::Connecting;
  seen.replica->heartbeat_age = seconds(30);
  return *this;
}

Server& Server::cannot_reach_its_source(Duration since) {
  seen.replica->io = ThreadState::Connecting;
  seen.replica->io_error = {mysql::error_number::kConnectFailed, "cannot connect"};
  seen.replica->heartbeat_age = seen.replica->last_queued_age = since;
  return *this;
}

Server& Server::was_asked_now() {
  probe.tried = probe.seen = seen.seen = now;
  return *this;
}

Server& Server::has_volume(std::uint64_t free_mib, std::uint64_t total_mib,
                           std::uint64_t data_mib) {
  agent.disk_free_bytes = free_mib << 20;
  agent.disk_total_bytes = total_mib << 20;
  agent.data_bytes = data_mib << 20;
  return *this;
}

Server& Server::receives_from(std::string_view server) {
  seen.replica->source_uuid = uuid_of(server);
  return *this;
}

Server& Server::did(Verb verb, std::uint64_t epoch, std::string_view executed,
                    std::string_view received) {
  last_verb = verb;
  outcomes[verb] = {.epoch = Epoch{epoch},
                    .ok = true,
                    .at = now - milliseconds(50),
                    .executed = gtids(executed),
                    .received = gtids(received)};
  return *this;
}

Server& Server::failed(Verb verb, std::uint64_t epoch, std::string_view why) {
  last_verb = verb;
  outcomes[verb] = {.epoch = Epoch{epoch},
                    .ok = false,
                    .error = {Code::Retry, std::string(why)},
                    .at = now - milliseconds(50),
                    .failures = 1};
  return *this;
}

Server& Server::with_peer(std::string_view peer, std::string_view address) {
  outcomes[last_verb].peer = peer;
  outcomes[last_verb].address = address;
  return *this;
}

Server& Server::is_asked_to_follow(const Server& source, std::uint64_t epoch) {
  follow_order = {Epoch{epoch}, source.name, source.member().address(), now - milliseconds(40)};
  return *this;
}

Member Server::member() const {
  Member m;
  m.name = name;
  m.host = host;
  m.port = kPort;
  m.host_problem = host_problem;
  m.ordinal = name.back() - '0';
  m.isolated = isolated;
  m.former = former;
  m.unit_exists = unit;
  m.ours = ours;
  m.owner = owner;
  m.pod_exists = pod;
  m.departing = departing;
  m.instance = pod ? name + "@1" : "";
  if (known_to_agent) m.agent = std::make_shared<agent::AgentObservation>(agent);
  if (probed) {
    auto outcome = probe;
    if (ever_answered) outcome.observation = std::make_shared<mysql::MemberObservation>(seen);
    m.probe = std::make_shared<mysql::ProbeOutcome>(std::move(outcome));
  }
  m.outcomes = outcomes;
  m.follow_order = follow_order;
  if (!owner.empty()) {
    auto outcome = probe;
    outcome.observation = std::make_shared<mysql::MemberObservation>(elsewhere);
    m.elsewhere = std::make_shared<mysql::ProbeOutcome>(std::move(outcome));
  }
  return m;
}

Servers Servers::fresh(int count) {
  Servers s;
  s.topology.wanted = "db-0";
  s.topology.failover.enabled = true;
  s.topology.wall = "2026-01-31T12:00:00Z";
  for (int i = 0; i < count; ++i) {
    s.list.emplace_back(i, s.now);
    s.list.back().agent.highest_epoch = {};
  }
  return s;
}

Servers Servers::formed(int count, Mode mode) {
  auto s = fresh(count);
  s.topology.mode = mode;
  s.record() = {.epoch = Epoch{1}, .current = "db-0", .honored = "db-0"};
  for (auto& server : s.list) {
    server.agent.highest_epoch = Epoch{1};
    s.record().quorum.members.push_back(server.name);
  }
  auto& quorum = s.record().quorum;
  if (mode == Mode::SemiSync)
    quorum.acks = quorum.waits_for = static_cast<std::uint32_t>(count / 2);
  s[0].is_source(s.told().acks(), static_cast<std::uint32_t>(count - 1)).has("db-0:1-10");
  for (int i = 1; i < count; ++i) s[i].is_replica_of(s[0]).has("db-0:1-10", "db-0:1-10");
  return s;
}

Operation& Servers::begin(OperationType type, Step step, std::string from, std::string candidate) {
  record().epoch.value += 1;
  if (step == Step::Promote) record().current = candidate;
  record().operation = Operation{.type = type,
                                 .step = step,
                                 .from = std::move(from),
                                 .candidate = std::move(candidate),
                                 .reason = "a reason",
                                 .started = topology.wall};
  return *record().operation;
}

void Servers::take_out(int ordinal) {
  auto& quorum = record().quorum;
  std::erase(quorum.members, list[static_cast<std::size_t>(ordinal)].name);
  quorum.acks = quorum.waits_for = static_cast<std::uint32_t>(quorum.members.size() / 2);
  auto& source = list[0].seen.semi_sync_source;
  source.wait_for_replica_count = quorum.acks;
  source.clients = quorum.members.size() - 1;
}

void Servers::pass(Duration time) { now += time; }

Topology Servers::told() const {
  auto t = topology;
  for (const auto& server : list) t.members.push_back(server.member());
  find_twins(t);
  return t;
}

std::vector<std::string> asked(const Plan& plan) {
  std::vector<std::string> out;
  for (const auto& c : plan.commands)
    out.push_back(
        fmt::format("{} {}{}{}", c.member, to_string(c.verb), c.peer.empty() ? "" : " ", c.peer));
  return out;
}

std::optional<Command> command(const Plan& plan, std::string_view member, Verb verb) {
  for (const auto& c : plan.commands)
    if (c.member == member && c.verb == verb) return c;
  return {};
}

std::string recorded(const Plan& plan) {
  if (!plan.record) return {};
  const auto& r = *plan.record;
  if (!r.operation) return fmt::format("idle: {}, epoch {}", r.current, r.epoch.value);
  const auto& op = *r.operation;
  return fmt::format("{} {}{}{}, epoch {}", to_string(op.type), to_string(op.step),
                     op.from.empty() ? "" : " from " + op.from,
                     op.candidate.empty() ? "" : " to " + op.candidate, r.epoch.value);
}

namespace {

std::vector<std::string> rules(const std::vector<Guard>& guards) {
  std::vector<std::string> out;
  for (const auto& g : guards) out.push_back(g.rule);
  return out;
}

}  // namespace

std::vector<std::string> held_by(const Plan& plan) { return rules(plan.guards); }
std::vector<std::string> refused_by(const Plan& plan) { return rules(plan.refusals); }

std::string text_of(const Plan& plan, std::string_view rule) {
  for (const auto* guards : {&plan.guards, &plan.refusals})
    for (const auto& g : *guards)
      if (g.rule == rule) return g.text;
  return {};
}

std::string roles(const Plan& plan) {
  std::string out;
  for (const auto& [name, role] : plan.roles)
    if (!name.empty()) out += fmt::format("{}{}={}", out.empty() ? "" : " ", name, role_text(role));
  return out;
}

}  // namespace troupe::mysql_topology::testing
