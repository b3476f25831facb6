#include "tests/sim/mysql/group.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace troupe::mysql_topology::sim {
namespace {

using mysql::GroupState;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kUnreachableAfter = seconds(5);
// member_expel_timeout is 5 s, and whether it is over is looked at every 15 s.
constexpr Duration kExpelledAfter = kUnreachableAfter + seconds(15);
constexpr Duration kLeavesAfter = seconds(10);  // unreachable_majority_timeout
// Longer on real servers, by minutes.
constexpr Duration kFindsDonorWithin = seconds(10);
constexpr Duration kFindsGroupWithin = seconds(5);
constexpr Duration kLeavesAloneAfter = seconds(5);
constexpr Duration kViewTakesMax = milliseconds(300);
constexpr Duration kAckDelayMax = milliseconds(12);
constexpr int kRecoveredInATurn = 8;
constexpr std::uint16_t kPort = 3306;
constexpr int kOfTheGroup = 0x7000;

mysql::GtidSource of_the_group() { return {uuid_of_groups(), {}}; }

std::size_t index(int server) { return static_cast<std::size_t>(server); }

bool is_seated(GroupState state) {
  return state == GroupState::Online || state == GroupState::Recovering;
}

mysql::GtidSet position(const Server& s) { return unite(s.executed, s.received); }

std::uint64_t last_number_in(const mysql::GtidSet& set) {
  for (const auto& e : set.entries())
    if (e.source == of_the_group()) return e.intervals.back().last;
  return 0;
}

Reply done(const Server& s) { return {.executed = s.executed, .received = s.received}; }
Reply refused(Code code, std::string why) { return {.failed = Error{code, std::move(why)}}; }

}  // namespace

// Nobody's UUID.
mysql::Uuid uuid_of_groups() { return uuid_of(kOfTheGroup); }

Server& Groups::server(int i) { return fleet_.servers_[index(i)]; }
const Server& Groups::server(int i) const { return fleet_.servers_[index(i)]; }
TimePoint Groups::now() const { return fleet_.timeline_.now(); }

// --- who hears whom ------------------------------------------------------------------------------

bool Groups::takes_part(const Server& s, std::size_t group) const {
  return s.running && !s.paused && s.seat && s.seat->group == group && is_seated(s.seat->state);
}

bool Groups::in_touch(const Server& a, const Server& b) const {
  return takes_part(b, a.seat->group) && fleet_.reaches(a.index, b.index) &&
         fleet_.reaches(b.index, a.index);
}

// Of the newest view, to agree on the next.
bool Groups::has_majority(const Group& g, const Server& by) const {
  const auto agree = std::count_if(g.members.begin(), g.members.end(),
                                   [&](int i) { return in_touch(by, server(i)); });
  return static_cast<std::size_t>(agree) * 2 > g.members.size();
}

bool Groups::is_heard(const Server& s, int other) const {
  return other == s.index || now() - s.seat->heard[index(other)] <= kUnreachableAfter;
}

std::size_t Groups::heard(const Server& s) const {
  return static_cast<std::size_t>(std::count_if(s.seat->members.begin(), s.seat->members.end(),
                                                [&](int i) { return is_heard(s, i); }));
}

void Groups::hear(Server& s) {
  auto& seat = *s.seat;
  bool expelled = false, behind = false;
  const auto& newest = group_of(s).members;
  for (const int i : seat.members) {
    const auto& other = server(i);
    if (i == s.index || !in_touch(s, other)) continue;
    if (other.seat->news > seat.news) {
      const bool stays = std::find(newest.begin(), newest.end(), s.index) != newest.end();
      (stays ? behind : expelled) = true;
    }
    seat.heard[index(i)] = now();
    seat.states[index(i)] = other.seat->state;
  }
  if (expelled) return exclude(s, "has been expelled");
  if (behind) learn(s);
}

void Groups::learn(Server& s) {
  auto& seat = *s.seat;
  const auto& g = group_of(s);
  for (const int i : g.members)
    if (std::find(seat.members.begin(), seat.members.end(), i) == seat.members.end()) {
      seat.heard[index(i)] = now();
      seat.states[index(i)] = server(i).seat ? server(i).seat->state : GroupState::Recovering;
    }
  seat.news = g.news;
  seat.view = g.view;
  seat.members = g.members;
  seat.primary = g.primary;
  deliver(s);
}

bool Groups::gives_up(Server& s) {
  auto& seat = *s.seat;
  if (heard(s) * 2 > seat.members.size()) {
    seat.alone_since.reset();
    return false;
  }
  if (!seat.alone_since) seat.alone_since = now();
  if (now() - *seat.alone_since <= kLeavesAfter) return false;
  exclude(s, "has had no majority for too long");
  return true;
}

// exit_state_action: OFFLINE_MODE.
void Groups::exclude(Server& s, std::string_view why) {
  fleet_.timeline_.tell("{} {}: it leaves its group and goes offline", s.name, why);
  s.seat->state = GroupState::Error;
  s.read_only = s.super_read_only = s.offline = true;
  s.applier = false;
  s.sessions.clear();
}

// --- views ---------------------------------------------------------------------------------------

void Groups::sit_down(Server& s, std::size_t group, GroupState state) {
  Seat seat;
  seat.group = group;
  seat.state = state;
  seat.heard.assign(fleet_.servers_.size(), now());
  seat.states.assign(fleet_.servers_.size(), GroupState::Online);
  seat.delivered = groups_[group].log.size();
  seat.received = groups_[group].last_proposal;
  seat.acknowledged_in = groups_[group].view + 1;
  seat.donor_until = now() + kFindsDonorWithin;
  s.seat = std::move(seat);
  s.cursor = 0;
  s.applier = true;
}

void Groups::begin(Server& s, const std::string& name) {
  Group g;
  g.name = name;
  g.prefix = fmt::format("{}", (now() - TimePoint{}).count());
  g.all = position(s);
  g.last_number = last_number_in(g.all);
  g.acknowledged.resize(fleet_.servers_.size());
  groups_.push_back(std::move(g));
  fleet_.timeline_.tell("{} begins group {}", s.name, groups_.back().prefix);
  sit_down(s, groups_.size() - 1, GroupState::Online);
  install(groups_.back(), s, {s.index});
}

void Groups::install(Group& g, const Server& by, std::vector<int> members) {
  g.members = std::move(members);
  ++g.view;
  ++g.news;
  g.heir = -1;
  if (std::find(g.members.begin(), g.members.end(), g.primary) == g.members.end()) {
    adopt(g);
    elect(g);
  }
  std::string names;
  for (const int i : g.members) names += " " + server(i).name;
  fleet_.timeline_.tell("group {}, view {}:{}; primary {}", g.prefix, g.view, names,
                        g.primary < 0 ? "none" : server(g.primary).name);
  for (const int i : g.members)
    if (auto& s = server(i); in_touch(by, s)) learn(s);
}

// What the old primary had proposed is decided if it is known to those who go on.
void Groups::adopt(Group& g) {
  for (const auto& p : std::exchange(g.pending, {}))
    if (std::any_of(g.members.begin(), g.members.end(),
                    [&](int i) { return server(i).seat && server(i).seat->received >= p.number; }))
      decide(g, p);
}

void Groups::elect(Group& g) {
  g.primary = -1;
  for (const int i : g.members) {
    const auto& s = server(i);
    if (!s.running || !s.seat || s.seat->state != GroupState::Online) continue;
    if (g.primary < 0 || s.identity < server(g.primary).identity) g.primary = i;
  }
}

void Groups::expel_the_silent(Server& s) {
  auto& g = group_of(s);
  if (s.seat->news != g.news) return;
  const auto silent = [&](int i) {
    return i != s.index && now() - s.seat->heard[index(i)] > kExpelledAfter;
  };
  if (std::none_of(g.members.begin(), g.members.end(), silent)) return;
  // One of them does it, if the others agree.
  const auto first =
      std::find_if(g.members.begin(), g.members.end(), [&](int i) { return is_heard(s, i); });
  if (*first != s.index || !has_majority(g, s)) return;
  auto rest = g.members;
  std::erase_if(rest, silent);
  install(g, s, std::move(rest));
}

void Groups::leave(Server& s) {
  const bool seated = s.running && is_seated(s.seat->state);
  auto& g = group_of(s);
  const bool agreed = seated && !s.paused && has_majority(g, s);
  const auto left = std::exchange(s.seat, std::nullopt);
  s.read_only = s.super_read_only = true;
  s.applier = false;
  s.sessions.clear();
  if (!agreed) return;
  auto rest = g.members;
  std::erase(rest, s.index);
  fleet_.timeline_.tell("{} takes its leave", s.name);
  for (const int i : rest)
    if (takes_part(server(i), left->group) && fleet_.reaches(i, s.index) &&
        fleet_.reaches(s.index, i))
      return install(g, server(i), std::move(rest));
  g.members = std::move(rest);  // nobody is left
}

// --- transactions --------------------------------------------------------------------------------

void Groups::propose(Server& s, std::size_t write) {
  auto& g = group_of(s);
  s.sessions.push_back(write);
  g.pending.push_back({write, s.index, ++g.last_proposal});
  s.seat->received = g.last_proposal;
  decide(g);
}

// By a member, to the primary; on its way it is whatever becomes of who sent it.
void Groups::acknowledge(Server& s) {
  auto& g = group_of(s);
  // What was on its way when the view changed is said again.
  const bool said = s.seat->received == g.last_proposal && s.seat->acknowledged_in == g.view;
  if (g.primary < 0 || g.primary == s.index || said || s.seat->news != g.news ||
      !in_touch(s, server(g.primary)))
    return;
  s.seat->received = g.last_proposal;
  s.seat->acknowledged_in = g.view;
  auto& timeline = fleet_.timeline_;
  timeline.after(timeline.chance.between({}, kAckDelayMax),
                 [this, from = s.index, group = s.seat->group, view = g.view,
                  upto = g.last_proposal, primary = g.primary] {
                   auto& to = groups_[group];
                   if (to.view != view || to.primary != primary ||
                       !takes_part(server(primary), group) || !fleet_.reaches(from, primary))
                     return;
                   to.acknowledged[index(from)] = std::max(to.acknowledged[index(from)], upto);
                   decide(to);
                 });
}

void Groups::decide(Group& g) {
  if (g.primary < 0) return;
  auto& primary = server(g.primary);
  if (!takes_part(primary, static_cast<std::size_t>(&g - groups_.data())) || primary.full) return;
  while (!g.pending.empty()) {
    const auto& p = g.pending.front();
    const auto have = std::count_if(g.members.begin(), g.members.end(), [&](int i) {
      return i == g.primary || g.acknowledged[index(i)] >= p.number;
    });
    if (static_cast<std::size_t>(have) * 2 <= g.members.size()) return;
    decide(g, p);
    for (const int i : g.members)
      if (auto& s = server(i);
          i != g.primary && g.acknowledged[index(i)] >= p.number && in_touch(primary, s))
        deliver(s);
    g.pending.pop_front();
    deliver(primary);
  }
}

void Groups::decide(Group& g, const Proposal& p) {
  g.log.push_back({{kOfTheGroup, ++g.last_number, p.write}, p.from});
  g.all.add(of_the_group(), {g.last_number, g.last_number});
}

// On disk, of what is decided, and committed at once by who has proposed it.
void Groups::deliver(Server& s) {
  auto& seat = *s.seat;
  const auto& log = group_of(s).log;
  if (seat.state != GroupState::Online || s.full) return;
  for (; seat.delivered < log.size(); ++seat.delivered) {
    const auto& [t, from] = log[seat.delivered];
    if (s.flushed.contains(of_the_group(), t.number) ||
        s.received.contains(of_the_group(), t.number))
      continue;
    if (from == s.index && s.relay.empty()) {
      fleet_.add(s, t);
      continue;
    }
    s.relay.push_back(t);
    s.received.add(of_the_group(), {t.number, t.number});
    if (s.writes.size() <= t.write) s.writes.resize(t.write + 64);
    s.writes[t.write] = true;
  }
  fleet_.commit(s.index);
}

// A member hears what it has missed from one that has it.
void Groups::follow(Server& s) {
  const auto& g = group_of(s);
  if (s.seat->delivered == g.log.size()) return;
  if (std::any_of(g.members.begin(), g.members.end(), [&](int i) {
        const auto& other = server(i);
        return i != s.index && in_touch(s, other) && other.seat->delivered == g.log.size();
      }))
    deliver(s);
}

// --- joining -------------------------------------------------------------------------------------

std::optional<Reply> Groups::join(Server& s, Job& job) {
  for (std::size_t n = 0; n < groups_.size(); ++n) {
    auto& g = groups_[n];
    if (g.name != job.command.group) continue;
    const auto contact = std::find_if(g.members.begin(), g.members.end(), [&](int i) {
      const auto& other = server(i);
      return takes_part(other, n) && other.seat->news == g.news && has_majority(g, other) &&
             fleet_.reaches(i, s.index) && fleet_.reaches(s.index, i);
    });
    if (contact == g.members.end()) continue;
    if (std::find(g.members.begin(), g.members.end(), s.index) != g.members.end())
      return refused(Code::Retry, "the group has not missed it yet");
    sit_down(s, n, GroupState::Recovering);
    s.seat->is_misfit = !g.all.contains(position(s));
    s.seat->leaves_at = now() + fleet_.timeline_.chance.between({}, kViewTakesMax);
    s.seat->to_recover = g.all;
    auto members = g.members;
    members.push_back(s.index);
    std::sort(members.begin(), members.end());
    g.acknowledged[index(s.index)] = 0;
    install(g, server(*contact), std::move(members));
    return std::nullopt;
  }
  if (now() < job.phase_ends) return std::nullopt;
  return refused(Code::Retry, "no group answers");
}

void Groups::recover(Server& s) {
  auto& g = group_of(s);
  auto& seat = *s.seat;
  if (seat.is_misfit) {
    if (now() < seat.leaves_at) return;
    fleet_.timeline_.tell("{} has transactions not present in the group", s.name);
    return leave(s);
  }
  if (s.relay.empty() && s.executed.contains(seat.to_recover)) {
    fleet_.timeline_.tell("{} is ONLINE", s.name);
    seat.state = GroupState::Online;
    if (g.primary < 0) {
      elect(g);
      ++g.news;
      learn(s);
    }
    return;
  }
  std::optional<int> donor;
  for (const int i : g.members) {
    const auto& other = server(i);
    if (i == s.index || !in_touch(s, other) || other.seat->state != GroupState::Online ||
        !position(s).contains(other.purged))
      continue;
    if (!donor || seat.donor == i) donor = i;
  }
  if (!donor && now() < seat.donor_until) return;
  if (!donor) {
    leave(s);
    s.offline = true;
    fleet_.timeline_.tell("{} finds nobody to recover from", s.name);
    return;
  }
  seat.donor_until = now() + kFindsDonorWithin;
  if (std::exchange(seat.donor, donor) != donor) s.cursor = 0;
  const auto& from = server(*donor);
  for (int n = kRecoveredInATurn; n > 0 && s.cursor < from.committed && !s.full; ++s.cursor) {
    const auto& t = from.binlog[s.cursor];
    const mysql::GtidSource source{uuid_of(t.origin), {}};
    if (s.flushed.contains(source, t.number) || s.received.contains(source, t.number)) continue;
    s.relay.push_back(t);
    s.received.add(source, {t.number, t.number});
    if (s.writes.size() <= t.write) s.writes.resize(t.write + 64);
    s.writes[t.write] = true;
    --n;
  }
}

// --- the primary ---------------------------------------------------------------------------------

void Groups::serve_as_primary(Server& s) {
  auto& seat = *s.seat;
  auto& g = group_of(s);
  if (g.heir >= 0) return hand_over(s);
  if (!s.super_read_only || !s.relay.empty() || seat.delivered < g.log.size() || s.full) return;
  fleet_.timeline_.tell("{} opens as the primary", s.name);
  s.read_only = s.super_read_only = false;
  s.opened.value = ++fleet_.openings_;
  if (!fleet_.has_all_acknowledged(s.index))
    fleet_.broken(Invariant::NoAcknowledgedWriteIsLost,
                  fmt::format("{} opened as the primary of its group without all acknowledged "
                              "writes",
                              s.name));
  for (int held = std::exchange(seat.held, 0); held > 0; --held) propose(s, fleet_.writes_++);
}

// BEFORE_ON_PRIMARY_FAILOVER.
bool Groups::holds(const Server& s) const {
  const auto& seat = *s.seat;
  return seat.state == GroupState::Online && seat.primary == s.index && s.super_read_only &&
         (!s.relay.empty() || seat.delivered < group_of(s).log.size());
}

void Groups::hand_over(Server& s) {
  auto& g = group_of(s);
  const auto& heir = server(g.heir);
  const bool wanted = heir.job && heir.job->command.verb == Verb::SetGroupPrimary;
  if (!wanted) {
    g.heir = -1;
    return;
  }
  s.read_only = s.super_read_only = true;
  const bool all = std::all_of(g.members.begin(), g.members.end(),
                               [&](int i) { return i == s.index || in_touch(s, server(i)); });
  if (!all || !g.pending.empty() || heir.seat->delivered < g.log.size() || !heir.relay.empty())
    return;
  g.primary = std::exchange(g.heir, -1);
  ++g.news;
  learn(s);
}

// --- the agent -----------------------------------------------------------------------------------

std::optional<Reply> Groups::start(Server& s, Job& job) {
  enum { kAsked, kStarts, kWaits };
  const auto& c = job.command;
  const auto is_in = [&s] { return s.seat && is_seated(s.seat->state); };
  if (job.phase == kAsked) {
    const bool seated = is_in();
    const bool has_left =
        std::exchange(s.left_group_in, std::nullopt) == std::pair(s.agent_boot, s.boot);
    if (!seated && c.bootstrap && !has_left && fleet_.rules_.begin_right_after_leaving)
      return refused(Code::Conflict, "the member begins a group only right after a StopGroup");
    if (!seated) {
      s.seat.reset();
      s.offline = s.read_only = s.super_read_only = s.applier = true;
    }
    job.phase = seated ? kWaits : kStarts;
    job.phase_ends = now() + kFindsGroupWithin;
    return std::nullopt;
  }
  if (job.phase == kStarts) {
    if (!s.relay.empty()) return std::nullopt;  // first what it has received
    if (!c.bootstrap) {
      auto reply = join(s, job);
      if (s.seat) job.phase = kWaits;
      return reply;
    }
    begin(s, c.group);
    job.phase = kWaits;
  }
  if (!is_in()) return refused(Code::Retry, "the group has not taken it in");
  if (heard(s) * 2 <= s.seat->members.size()) return refused(Code::Conflict, "it has no majority");
  if (s.seat->state != GroupState::Online) return std::nullopt;
  s.offline = false;
  return done(s);
}

std::optional<Reply> Groups::stop(Server& s, Job& job) {
  enum { kAsked, kLeaves };
  const bool seated = s.seat && is_seated(s.seat->state);
  if (job.phase == kAsked) {
    s.offline = true;
    s.sessions.clear();
    job.phase = kLeaves;
    const bool agreed = seated && has_majority(group_of(s), s);
    job.phase_ends = now() + (!seated  ? Duration{}
                              : agreed ? fleet_.timeline_.chance.between({}, kViewTakesMax)
                                       : kLeavesAloneAfter);
  }
  if (seated && now() < job.phase_ends) return std::nullopt;
  if (s.seat) leave(s);
  s.read_only = s.super_read_only = true;
  s.applier = false;
  s.left_group_in = std::pair(s.agent_boot, s.boot);
  return done(s);
}

std::optional<Reply> Groups::set_primary(Server& s, Job& job) {
  enum { kAsked, kWaits };
  if (!s.seat || s.seat->state != GroupState::Online)
    return refused(Code::Conflict, "the member is not ONLINE in its group");
  auto& g = group_of(s);
  if (s.seat->primary == s.index && g.primary == s.index) return done(s);
  if (job.phase == kAsked) {
    const auto& seen = *s.seat;
    if (!std::all_of(seen.members.begin(), seen.members.end(), [&](int i) {
          return i == s.index || (is_heard(s, i) && seen.states[index(i)] == GroupState::Online);
        }))
      return refused(Code::Invalid, "not all members are ONLINE");
    g.heir = s.index;
    job.phase = kWaits;
  }
  if (g.heir != s.index && g.primary != s.index)
    return refused(Code::Retry, "the group has changed meanwhile");
  return std::nullopt;
}

// --- a server's turn, and what is seen -----------------------------------------------------------

void Groups::turn(Server& s) {
  if (!is_seated(s.seat->state)) return;
  hear(s);
  if (!is_seated(s.seat->state) || gives_up(s)) return;
  expel_the_silent(s);
  if (s.seat->state == GroupState::Recovering)
    recover(s);
  else
    follow(s);
  if (!s.seat) return;
  acknowledge(s);
  if (s.seat->primary != s.index) {
    s.read_only = s.super_read_only = true;
    return;
  }
  if (group_of(s).primary == s.index) serve_as_primary(s);
  decide(group_of(s));
}

bool Groups::can_acknowledge(const Server& s) const {
  const auto& g = group_of(s);
  if (g.primary != s.index) return false;
  const auto there = std::count_if(g.members.begin(), g.members.end(), [&](int i) {
    const auto& other = server(i);
    return other.running && other.seat && other.seat->group == s.seat->group &&
           is_seated(other.seat->state);
  });
  return static_cast<std::size_t>(there) * 2 > g.members.size();
}

std::optional<Violation> Groups::violation() const {
  const Server* first = nullptr;
  for (const auto& s : fleet_.servers_) {
    if (!s.running || !s.seat || !is_seated(s.seat->state)) continue;
    if (first && first->seat->group != s.seat->group)
      return Violation{Invariant::OneGroup,
                       fmt::format("{} and {} are in two groups", first->name, s.name)};
    first = &s;
  }
  return std::nullopt;
}

mysql::GroupStatus Groups::observe(const Server& s) const {
  mysql::GroupStatus out;
  out.state = s.seat ? s.seat->state : GroupState::Offline;
  out.received = s.received;
  out.queued = s.relay.size();
  const auto peer = [this](int i, GroupState state, bool primary) {
    return mysql::GroupPeer{uuid_of(server(i).identity), server(i).name, kPort, state, primary};
  };
  if (!is_seated(out.state)) {
    out.peers.push_back(peer(s.index, out.state, false));
    return out;
  }
  const auto& seat = *s.seat;
  out.group_name = group_of(s).name;
  out.view_id = fmt::format("{}:{}", group_of(s).prefix, seat.view);
  for (const int i : seat.members) {
    const auto state = i == s.index     ? seat.state
                       : is_heard(s, i) ? seat.states[index(i)]
                                        : GroupState::Unreachable;
    out.peers.push_back(peer(i, state, i == seat.primary));
  }
  return out;
}

}  // namespace troupe::mysql_topology::sim
