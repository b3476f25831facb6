// What may be concluded about a member from what was seen of it.
#include <fmt/format.h>

#include "actors/mysql_topology/decide.hpp"

namespace troupe::mysql_topology {
namespace {

using mysql::Reachability;

// The source sends a heartbeat every second when it has nothing else to say.
constexpr Duration kHeartbeatOverdue = std::chrono::milliseconds(2500);

bool nothing_serves(const Member& m) {
  if (!m.probe) return false;
  const auto r = m.probe->reachability;
  return r == Reachability::Refused || r == Reachability::Reset || r == Reachability::Unreachable;
}

bool hears_nothing(const Member& replica) {
  const auto* s = replica.server();
  if (!s || !s->replica) return true;
  if (s->replica->io != mysql::ThreadState::On) return true;
  return s->replica->heartbeat_age && *s->replica->heartbeat_age > kHeartbeatOverdue &&
         s->replica->last_queued_age.value_or(Duration::max()) > kHeartbeatOverdue;
}

}  // namespace

std::optional<Death> death_of(const Topology& t, const Member& m, TimePoint now) {
  if (m.agent_connected() && m.agent->death_witnessed())
    return Death{fmt::format("the process of {} {}, says its agent", m.name,
                             agent::how_it_ended(m.agent->process)),
                 m.agent->since};
  if (m.ours && !m.pod_exists) return Death{fmt::format("the Pod of {} is gone", m.name), {}};
  // Who is silent, the members of a group find out among themselves.
  if (!m.probe || t.mode == Mode::Group) return std::nullopt;

  const bool agent_gone =
      m.agent && m.agent->stream != agent::StreamState::Connecting && !m.agent_connected();
  if (agent_gone && nothing_serves(m))
    return Death{
        fmt::format("{}: its agent is {}, and its server: {}", m.name,
                    agent::to_string(m.agent->stream), mysql::to_string(m.probe->reachability)),
        std::max(m.agent->since, m.probe->since)};

  // Silence has many reasons; its replicas must agree.
  const bool silent = m.probe->reachability == Reachability::Timeout || nothing_serves(m);
  if (!silent || now - m.probe->since < t.failover.grace) return std::nullopt;
  int deaf = 0;
  for (const auto* v : t.voters())
    if (v != &m && v->answers(now) && hears_nothing(*v)) ++deaf;
  if (deaf < t.quorum()) return std::nullopt;
  return Death{
      fmt::format("{} has not answered for {}, and {} of its replicas hear nothing from it", m.name,
                  to_text(now - m.probe->since), deaf),
      m.probe->since};
}

mysql::GtidSet errant(const Member& member, const Member& source) {
  const auto* m = member.server();
  const auto* s = source.server();
  if (!m || !s || s->seen < m->answered()) return {};
  return subtract(m->gtid_executed, s->gtid_executed).without(s->server_uuid);
}

}  // namespace troupe::mysql_topology
