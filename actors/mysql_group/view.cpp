#include "actors/mysql_group/view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace troupe::mysql_group {
namespace {

namespace topo = mysql_topology;
using mysql::GroupState;
using topo::Member;

bool is_reachable(const mysql::GroupPeer& peer) {
  return peer.state == GroupState::Online || peer.state == GroupState::Recovering;
}

std::size_t reachable(const mysql::GroupStatus& group) {
  return static_cast<std::size_t>(
      std::count_if(group.peers.begin(), group.peers.end(), is_reachable));
}

// It was taken out of the group after it was last probed.
bool has_left_since(const Member& m) {
  return std::any_of(m.outcomes.begin(), m.outcomes.end(), [&m](const auto& entry) {
    const auto& [verb, outcome] = entry;
    return (verb == topo::Verb::StopGroup || verb == topo::Verb::Clone) && outcome.ok &&
           outcome.at > m.server()->seen;
  });
}

bool is_believed(const topo::Topology& t, const Member& m, TimePoint now) {
  if (!m.answers(now) || own_state(m) != GroupState::Online || has_left_since(m)) return false;
  const auto& group = *m.server()->group;
  if (!t.record.group.empty() && group.group_name != t.record.group) return false;
  return reachable(group) * 2 > group.peers.size();
}

// "PREFIX:NUMBER": a group keeps its prefix as long as it lives, and counts its views.
struct ViewId {
  std::string prefix;
  std::uint64_t number = 0;
};

ViewId view_of(const Member& m) {
  const auto& id = m.server()->group->view_id;
  const auto colon = id.rfind(':');
  if (colon == std::string::npos) return {id, 0};
  return {id.substr(0, colon), std::strtoull(id.c_str() + colon + 1, nullptr, 10)};
}

// Also one that has not been probed since it started is known to its agent, and another's to its
// owner.
const Member* find(const topo::Topology& t, const mysql::GroupPeer& peer) {
  for (const auto& m : t.members) {
    const auto* s = m.is_anothers() && m.elsewhere ? m.elsewhere->observation.get() : m.server();
    if (peer.server_uuid && s && s->server_uuid == *peer.server_uuid) return &m;
    if (peer.server_uuid && m.agent && m.agent->server_uuid == mysql::to_string(*peer.server_uuid))
      return &m;
  }
  const auto at = std::find_if(t.members.begin(), t.members.end(), [&peer](const Member& m) {
    return !m.former && m.host == peer.host && m.port == peer.port;
  });
  return at == t.members.end() ? nullptr : &*at;
}

View view_by(const topo::Topology& t, const Member& witness) {
  const auto& group = *witness.server()->group;
  View view{.witness = &witness, .group_name = group.group_name, .seats = {}, .strangers = {}};
  for (const auto& peer : group.peers) {
    if (const auto* m = find(t, peer))
      view.seats.push_back({m, peer.state, peer.primary});
    else
      view.strangers.push_back(fmt::format("{}:{}", peer.host, peer.port));
  }
  return view;
}

}  // namespace

GroupState own_state(const Member& m) {
  const auto* s = m.server();
  return s && s->group ? s->group->state : GroupState::Offline;
}

std::string describe_sight(const Member& m) {
  const auto& group = *m.server()->group;
  return fmt::format("{} is {} and sees {} of {} members", m.name, mysql::to_string(group.state),
                     reachable(group), group.peers.size());
}

const Seat* View::seat_of(const Member& m) const {
  const auto at =
      std::find_if(seats.begin(), seats.end(), [&m](const Seat& s) { return s.member == &m; });
  return at == seats.end() ? nullptr : &*at;
}

bool View::has_online(const Member& m) const {
  const auto* seat = seat_of(m);
  return seat && seat->state == GroupState::Online;
}

const Member* View::primary() const {
  const auto at = std::find_if(seats.begin(), seats.end(), [](const Seat& s) {
    return s.primary && s.state == GroupState::Online;
  });
  return at == seats.end() ? nullptr : at->member;
}

mysql::GtidSet View::position() const {
  mysql::GtidSet all;
  for (const auto& seat : seats)
    if (seat.state == GroupState::Online) all.add(seat.member->position());
  return all;
}

Sight look(const topo::Topology& t, TimePoint now) {
  std::vector<const Member*> believed;
  for (const auto& m : t.members)
    if (is_believed(t, m, now)) believed.push_back(&m);
  if (believed.empty()) return {};
  const auto order = [](const Member* m) {
    return std::tuple(view_of(*m).number, m->server()->seen);
  };
  const auto* newest =
      *std::max_element(believed.begin(), believed.end(),
                        [&order](const Member* a, const Member* b) { return order(a) < order(b); });
  Sight sight{.view = view_by(t, *newest), .several = {}};
  for (const auto* m : believed)
    if (view_of(*m).prefix != view_of(*newest).prefix)
      sight.several =
          fmt::format("{} and {} are in groups apart from one another", newest->name, m->name);
  return sight;
}

}  // namespace troupe::mysql_group
