// What may be concluded about a member from what was seen of it.
#include <fmt/format.h>

#include <algorithm>

#include "actors/mysql_topology/steps.hpp"

namespace troupe::mysql_topology {
namespace {

using mysql::Reachability;

// The source sends a heartbeat every second when it has nothing else to say.
constexpr Duration kHeartbeatOverdue = std::chrono::milliseconds(2500);
// A receiver takes 8 s to notice that its source is gone, and attaches again a second later.
constexpr Duration kCutOff = std::chrono::seconds(10);

bool nothing_serves(const Member& m) {
  if (!m.probe) return false;
  const auto r = m.probe->reachability;
  return r == Reachability::Refused || r == Reachability::Reset || r == Reachability::Unreachable;
}

bool agent_is_gone(const Member& m) {
  return m.agent && m.agent->stream != agent::StreamState::Connecting && !m.agent_connected();
}

// For how long a replica has not heard from its source, by its own clock; nullopt: it has heard
// nothing since it started.
std::optional<Duration> silence(const mysql::ReplicaStatus& r) {
  if (!r.heartbeat_age) return r.last_queued_age;
  return std::min(*r.heartbeat_age, r.last_queued_age.value_or(Duration::max()));
}

bool hears_nothing(const Member& replica) {
  const auto* s = replica.server();
  if (!s || !s->replica) return true;
  if (s->replica->io != mysql::ThreadState::On) return true;
  return s->replica->heartbeat_age && *silence(*s->replica) > kHeartbeatOverdue;
}

// Since when neither the member's agent nor its server was reached.
TimePoint lost_since(const Member& m) {
  return std::max(agent_is_gone(m) ? m.agent->since : TimePoint{},
                  m.probe && !m.probe->ok() ? m.probe->since : TimePoint{});
}

// For how long a replica has not heard from the source that it is pointed at. A receiver that was
// pointed there anew begins from nothing: what it heard before, it heard from whoever it was.
std::optional<Duration> silence_since_pointed(const Member& m, const mysql::ReplicaStatus& r,
                                              TimePoint now) {
  const auto followed = m.outcomes.find(Verb::Follow);
  if (followed == m.outcomes.end()) return r.heartbeat_age ? silence(r) : std::nullopt;
  return std::min(silence(r).value_or(Duration::max()), now - followed->second.at);
}

// It tries to reach the source where that is by the specification, and has not for a while. Refused
// accounts are another matter, which is mended at the source.
bool cannot_reach(const Member& m, const Member& source, Duration limit, TimePoint now) {
  if (!is_pointed_at(m, source)) return false;
  const auto& r = *m.server()->replica;
  const bool tries = r.io == mysql::ThreadState::Connecting && r.io_error.number != 0 &&
                     mysql::reachability_of(r.io_error.number) != Reachability::AuthFailed;
  const auto silent_for = silence_since_pointed(m, r, now);
  // One that is connected and hears nothing is held up itself, by its disk for one: a receiver
  // whose line is dead connects anew after 8 s.
  return tries && silent_for && *silent_for >= limit;
}

}  // namespace

bool is_silent(const Topology& t, const Member& m, TimePoint now) {
  return m.probe && (m.probe->reachability == Reachability::Timeout || nothing_serves(m)) &&
         now - m.probe->since >= t.failover.grace;
}

bool hears(const Member& replica, const Member& source) {
  return is_pointed_at(replica, source) && !hears_nothing(replica);
}

bool had_nothing_to_lose(const Member& m, const Member& source) {
  const auto* s = source.server();
  return s && m.server() && s->position().empty() && s->seen >= m.server()->known_since;
}

std::vector<const Member*> not_asked_since_lost(const Topology& t, const Member& source,
                                                TimePoint now) {
  std::vector<const Member*> out;
  for (const auto* m : t.voters())
    if (m != &source && m->answers(now) && m->server()->seen <= lost_since(source))
      out.push_back(m);
  return out;
}

Witnesses witnesses_of(const Topology& t, const Member& source, TimePoint now) {
  Witnesses w;
  for (const auto* m : t.voters()) {
    if (m == &source) continue;
    if (!m->answers(now))
      w.silent.push_back(m);
    else if (hears_nothing(*m))
      w.deaf.push_back(m);
    else if (hears(*m, source))
      w.hearing.push_back(m);
  }
  return w;
}

std::optional<Death> death_of(const Topology& t, const Member& m, TimePoint now) {
  if (m.agent_connected() && m.agent->death_witnessed())
    return Death{fmt::format("the process of {} {}, says its agent", m.name,
                             agent::how_it_ended(m.agent->process)),
                 m.agent->since};
  if (m.ours && !m.pod_exists) return Death{fmt::format("the Pod of {} is gone", m.name), {}};
  // Who is silent, the members of a group find out among themselves.
  if (!m.probe || t.mode == Mode::Group) return std::nullopt;

  const auto witnesses = witnesses_of(t, m, now);
  // Whoever is cut off from one machine gets these answers, too: a replica that was asked since and
  // hears from the member knows better.
  if (agent_is_gone(m) && nothing_serves(m) && witnesses.hearing.empty() &&
      not_asked_since_lost(t, m, now).empty())
    return Death{
        fmt::format("{}: its agent is {}, and its server: {}", m.name,
                    agent::to_string(m.agent->stream), mysql::to_string(m.probe->reachability)),
        lost_since(m)};

  // Silence has many reasons; its replicas must agree.
  if (!is_silent(t, m, now)) return std::nullopt;
  const auto deaf = static_cast<int>(witnesses.deaf.size());
  if (deaf < t.quorum()) return std::nullopt;
  return Death{
      fmt::format("{} has not answered for {}, and {} of its replicas hear nothing from it", m.name,
                  to_text(now - m.probe->since), deaf),
      m.probe->since};
}

std::optional<Death> ending_of(const Member& m) {
  if (!m.agent_connected() || m.agent->process.state != agent::ProcessState::Stopping)
    return std::nullopt;
  return Death{
      fmt::format("the process of {} was told to end and is stopping, says its agent", m.name),
      m.agent->since};
}

std::optional<Death> cut_off(const Topology& t, const Member& source, TimePoint now) {
  if (!t.semi_sync() || !source.answers(now) || source.changed_since_probe()) return std::nullopt;
  const auto limit = std::max(kCutOff, t.failover.grace);
  std::string names;
  int count = 0;
  for (const auto* m : t.voters()) {
    if (m == &source || !t.counts(*m) || !m->answers(now) || m->changed_since_probe() ||
        !cannot_reach(*m, source, limit, now))
      continue;
    names += (names.empty() ? "" : ", ") + m->name;
    ++count;
  }
  if (count < t.quorum()) return std::nullopt;
  return Death{fmt::format("{} answers, and {} have not heard from it for {} or more: none of its "
                           "commits can be acknowledged",
                           source.name, names, to_text(limit)),
               source.server()->seen};
}

mysql::GtidSet errant(const Member& member, const Member& source) {
  const auto* m = member.server();
  const auto* s = source.server();
  if (!m || !s || s->seen < m->answered()) return {};
  return subtract(m->gtid_executed, s->gtid_executed).without(s->server_uuid);
}

}  // namespace troupe::mysql_topology
