#include "tests/sim/mysql_topology/operator.hpp"

#include <algorithm>

namespace troupe::mysql_topology::sim {
namespace {

using mysql::Reachability;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kProbeEvery = seconds(1);
constexpr Duration kProbeDeadline = seconds(2);
constexpr Duration kStreamSilence = seconds(2);  // then the agent's stream counts as lost
constexpr Duration kBackoffFirst = milliseconds(100);
constexpr int kBackoffDoublings = 5;
constexpr std::uint16_t kPort = 3306;
constexpr std::string_view kGroup = "6d7b8f2e-0c1a-4b5e-9d3f-1a2b3c4d5e6f";

Duration limit_of(Verb verb) {
  switch (verb) {
    case Verb::StopReceiver:
      return seconds(2);
    case Verb::Drain:
      return seconds(5);
    case Verb::Open:
    case Verb::Follow:
    case Verb::Promote:
      return seconds(6);
    case Verb::StartGroup:
      return seconds(60);
    default:
      return seconds(20);
  }
}

}  // namespace

Operator::Operator(Timeline& timeline, Engine engine, Fleet& fleet, Object& object)
    : timeline_(timeline), engine_(engine), fleet_(fleet), object_(object) {
  watched_.resize(static_cast<std::size_t>(fleet.size()));
}

template <class F>
void Operator::later(Duration delay, F what) {
  timeline_.after(delay, [this, generation = generation_, what = std::move(what)] {
    if (alive_ && generation == generation_) what();
  });
}

void Operator::start() {
  if (alive_) return;
  timeline_.tell("operator: starts");
  alive_ = true;
  ++generation_;
  if (!deposed_) read_ = object_.record;
  read_version_ = object_.version;
  read_taken_ = object_.taken;
  read_isolated_ = object_.isolated;
  read_unlisted_ = object_.unlisted;
  read_external_ = object_.external;
  for (int i = 0; i < fleet_.size(); ++i) {
    probe_again(i);
    look_at_agent(i);
  }
  wake();
}

void Operator::start_deposed(const PersistedRecord& read) {
  if (alive_) return;
  read_ = read;
  timeline_.tell("a deposed operator wakes up");
  deposed_ = true;
  start();
}

void Operator::die() {
  if (!alive_) return;
  timeline_.tell("operator: dies");
  alive_ = deciding_ = false;
  ++generation_;
  in_flight_.clear();
  backoff_.clear();
  timer_ = TimePoint::max();
  plan_ = {};
  for (auto& w : watched_) w = {.is_cut = w.is_cut};
}

void Operator::cut(int member, bool is_cut) {
  auto& w = watched_[static_cast<std::size_t>(member)];
  if (w.is_cut == is_cut) return;
  timeline_.tell("operator: {} {}", is_cut ? "cut off from" : "reaches again", fleet_[member].name);
  w.is_cut = is_cut;
}

// --- observations --------------------------------------------------------------------------------

void Operator::probe_again(int i) {
  probe(i);
  later(kProbeEvery + timeline_.chance.between({}, milliseconds(20)),
        [this, i] { probe_again(i); });
}

void Operator::probe(int i) {
  later(timeline_.chance.between({}, faults.latency_max), [this, i] {
    const auto& s = fleet_[i];
    if (!s.pod) return;
    if (watched_[static_cast<std::size_t>(i)].is_cut || (s.running && !fleet_.answers(i)))
      return later(kProbeDeadline, [this, i] { probed(i, Reachability::Timeout, nullptr); });
    if (!s.listens()) return probed(i, Reachability::Refused, nullptr);
    auto seen = std::make_shared<mysql::MemberObservation>(fleet_.observe(i));
    later(timeline_.chance.between({}, faults.latency_max),
          [this, i, seen] { probed(i, Reachability::Ok, seen.get()); });
  });
}

void Operator::probed(int i, Reachability reachability, const mysql::MemberObservation* seen) {
  auto& w = watched_[static_cast<std::size_t>(i)];
  const auto now = timeline_.now();
  mysql::ProbeOutcome o;
  if (w.probe) o = *w.probe;
  o.found(reachability, now - kProbeDeadline, now);
  if (seen) {
    auto copy = std::make_shared<mysql::MemberObservation>(*seen);
    copy->seen = o.seen = now;
    mysql::remember(o.observation.get(), *copy);
    o.observation = std::move(copy);
  }
  w.probe = std::make_shared<mysql::ProbeOutcome>(std::move(o));
  wake();
}

// The agent's stream pushes; looking often stands for the time that takes.
void Operator::look_at_agent(int i) {
  later(timeline_.chance.between(milliseconds(2), milliseconds(40)), [this, i] {
    auto& w = watched_[static_cast<std::size_t>(i)];
    const auto& s = fleet_[i];
    if (w.life != s.life && s.pod) w = {.is_cut = w.is_cut, .life = s.life};
    std::optional<AgentState> state;
    if (s.agent_up && !w.is_cut) state = agent_state(s, fmt::format("c{}", s.life));
    if (state && deposed_) state->epoch = std::min(s.epoch, read_.epoch);
    if (w.agent.look(state, timeline_.now(), kStreamSilence) != AgentStream::News::None) wake();
    look_at_agent(i);
  });
}

// --- deciding ------------------------------------------------------------------------------------

void Operator::wake() {
  if (!alive_ || deciding_) return;
  deciding_ = true;
  later(timeline_.chance.between({}, milliseconds(1)), [this] {
    deciding_ = false;
    decide();
  });
}

Topology Operator::told() const {
  Topology t;
  t.mode = object_.mode;
  t.failover = object_.failover;
  t.wanted = object_.wanted;
  t.new_group = kGroup;
  t.record = read_;
  t.order_by_note = object_.order;
  t.recover_on = object_.recover_on;
  if (const auto& external = deposed_ ? read_external_ : object_.external; !external.empty())
    t.external = External{.name = external,
                          .host = fleet_[fleet_.size()].name,
                          .port = kPort,
                          .revision = 1,
                          .problem = {}};
  t.wall = object_.wall;
  for (int i = 0; i < fleet_.size(); ++i) {
    const auto& w = watched_[static_cast<std::size_t>(i)];
    const auto& s = fleet_[i];
    const auto& counted = t.record.quorum.members;
    const bool counts = std::find(counted.begin(), counted.end(), s.name) != counted.end();
    const bool unlisted = (deposed_ ? read_unlisted_ : object_.unlisted).contains(i);
    if (unlisted && !counts) continue;
    Member m;
    m.former = unlisted;
    m.isolated = (deposed_ ? read_isolated_ : object_.isolated).contains(i);
    m.name = m.host = s.name;
    m.port = kPort;
    m.ordinal = i;
    m.unit_exists = true;
    m.ours = !(deposed_ ? read_taken_ : object_.taken).contains(i);
    if (!m.ours) m.owner = "orders";
    m.pod_exists = s.pod;
    if (object_.departing.contains(i)) m.departing = Departure{s.name + " is to end", true};
    m.instance = fmt::format("{}@{}", s.name, w.life);
    if (!m.ours) {
      m.elsewhere = w.probe;
    } else {
      m.probe = w.probe;
      m.agent = w.agent.seen();
      m.outcomes = w.outcomes;
    }
    t.members.push_back(std::move(m));
  }
  return t;
}

void Operator::decide() {
  ++decisions_;
  const auto now = timeline_.now();
  plan_ = engine_(told(), now);
  label_pods();
  if (plan_.record) write(*plan_.record);
  if (plan_.note_done || plan_.note_void) object_.order.clear();
  if (plan_.choice_over) object_.recover_on.clear();
  for (const auto& c : plan_.commands) ask(c);
  for (const auto& name : plan_.probe) {
    const auto key = "probe " + name;
    if (!in_flight_.insert(key).second) continue;
    later(milliseconds(5), [this, key] { in_flight_.erase(key); });
    probe(fleet_.index_of(name));
  }
  auto next = plan_.wake;
  for (const auto& [key, b] : backoff_)
    if (b.until > now) next = std::min(next, b.until);
  if (next == TimePoint::max() || (timer_ > now && timer_ <= next)) return;
  timer_ = next;
  later(std::max(next - now, Duration(1)), [this] {
    timer_ = TimePoint::max();
    wake();
  });
}

// --- effects -------------------------------------------------------------------------------------

void Operator::label_pods() {
  if (deposed_) return;
  for (int i = 0; i < fleet_.size(); ++i) {
    const auto& s = fleet_[i];
    auto& place = object_.places[i];
    if (place.life != s.life || !s.pod) place = {.life = s.life};
    if (!s.pod || object_.taken.contains(i)) continue;
    if (!object_.isolated.contains(i) && !object_.unlisted.contains(i))
      place.role = role_after(plan_, s.name, place.role);
    else if (!plan_.roles_stand)
      place.role = Role::None;
  }
}

void Operator::write(const PersistedRecord& record) {
  if (deposed_ || !faults.reaches_api) return;
  const std::string key = "record";
  if (backoff_[key].until > timeline_.now() || !in_flight_.insert(key).second) return;
  last_act_ = timeline_.now();
  auto& chance = timeline_.chance;
  const bool lost = chance.percent(faults.lose_percent);
  const auto answer_after = chance.between({}, faults.latency_max);
  // The request is on its way, whatever becomes of who sent it.
  timeline_.after(
      chance.between({}, faults.latency_max),
      [this, record, lost, answer_after, expected = read_version_, key, generation = generation_] {
        const bool fits = object_.version == expected;
        if (fits) {
          object_.record = record;
          ++object_.version;
          timeline_.tell("status: {} {} {} of {}, epoch {}: {}", record.current,
                         record.operation ? to_string(record.operation->type) : "idle",
                         record.operation ? to_string(record.operation->step) : "",
                         record.operation ? record.operation->candidate : "", record.epoch.value,
                         record.operation ? record.operation->reason
                         : record.last    ? record.last->text
                                          : "");
        }
        const auto heard = [this] {
          read_ = object_.record;
          read_version_ = object_.version;
          wake();
        };
        // Of one that died its successor hears by the watch.
        if (generation != generation_) return later(answer_after + milliseconds(30), heard);
        // The answer, or else the watch, which is slower.
        later(lost ? answer_after + milliseconds(30) : answer_after, [this, fits, key, heard] {
          in_flight_.erase(key);
          backoff_[key] = {.until = fits ? TimePoint{} : timeline_.now() + milliseconds(5)};
          heard();
        });
      });
}

void Operator::ask(const Command& c) {
  const auto key = fmt::format("{} {} {} {}", c.member, to_string(c.verb), c.epoch.value, c.peer);
  if (backoff_[key].until > timeline_.now() || in_flight_.contains(key)) return;
  in_flight_.insert(key);
  last_act_ = timeline_.now();
  const int i = fleet_.index_of(c.member);
  const int life = watched_[static_cast<std::size_t>(i)].life;
  auto& chance = timeline_.chance;
  const int copies = chance.percent(faults.lose_percent)     ? 0
                     : chance.percent(faults.double_percent) ? 2
                                                             : 1;
  timeline_.tell("operator: {} {} {} (epoch {}){}", c.member, to_string(c.verb), c.peer,
                 c.epoch.value,
                 copies == 1   ? ""
                 : copies == 0 ? ", lost"
                               : ", twice");
  for (int n = 0; n < copies; ++n) {
    // A copy may come long after the first one.
    const auto delay =
        n == 0 ? chance.between({}, faults.latency_max) : chance.between({}, seconds(2));
    timeline_.after(delay, [this, i, life, c, key] { deliver(i, life, c, key); });
  }
  later(limit_of(c.verb) + milliseconds(100), [this, i, life, c, key] {
    if (!in_flight_.contains(key)) return;
    answered(i, life, c, key, Reply{.failed = Error{Code::Timeout, "no answer"}});
  });
}

void Operator::deliver(int i, int life, const Command& c, const std::string& key) {
  const auto& s = fleet_[i];
  if (!s.pod || !s.agent_up || s.life != life || watched_[static_cast<std::size_t>(i)].is_cut)
    return;
  Job job{.command = c, .deadline = timeline_.now() + limit_of(c.verb)};
  job.answer = [this, i, life, c, key, generation = generation_](const Reply& reply) {
    if (watched_[static_cast<std::size_t>(i)].is_cut || generation != generation_ ||
        timeline_.chance.percent(faults.lose_percent))
      return;
    later(timeline_.chance.between({}, faults.latency_max),
          [this, i, life, c, key, reply] { answered(i, life, c, key, reply); });
  };
  fleet_.command(i, std::move(job));
}

void Operator::answered(int i, int life, const Command& c, const std::string& key,
                        const Reply& reply) {
  if (in_flight_.erase(key) == 0) return;  // the second answer to a request that came twice
  auto& b = backoff_[key];
  if (reply.failed) {
    b.until = timeline_.now() + kBackoffFirst * (1 << std::min(b.failures++, kBackoffDoublings));
  } else {
    b = {};
  }
  if (c.verb != Verb::InspectSource) probe(i);
  auto& w = watched_[static_cast<std::size_t>(i)];
  auto& o = w.outcomes[c.verb];
  if (w.life != life || o.epoch > c.epoch) return wake();
  o = Outcome{.epoch = c.epoch,
              .peer = c.peer,
              .address = c.address,
              .ok = !reply.failed,
              .error = reply.failed.value_or(Error{}),
              .at = timeline_.now(),
              .accounts = c.accounts,
              .killed = reply.killed,
              .saved_to = reply.saved_to,
              .executed = reply.executed,
              .received = reply.received,
              .outside = reply.outside};
  wake();
}

}  // namespace troupe::mysql_topology::sim
