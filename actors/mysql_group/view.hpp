// A group as its members see it, and whom of them to believe.
//
// A member that was cut off goes on calling itself ONLINE for a while, and a paused one wakes up
// with what it saw before. So a member is believed only if it is ONLINE itself and sees a majority
// of its group ONLINE or RECOVERING; and of those, the one with the newest view.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/mysql_topology/topology.hpp"

namespace troupe::mysql_group {

struct Seat {
  const mysql_topology::Member* member = nullptr;
  mysql::GroupState state = mysql::GroupState::Offline;
  bool primary = false;
};

struct View {
  const mysql_topology::Member* witness = nullptr;  // whose view it is
  std::string group_name;
  std::vector<Seat> seats;             // of those whom we know
  std::vector<std::string> strangers;  // "HOST:PORT" of the others

  const Seat* seat_of(const mysql_topology::Member& member) const;
  bool has_online(const mysql_topology::Member& member) const;
  const mysql_topology::Member* primary() const;  // null: none that is ONLINE and known to us
  // Everything that the group has, as far as its members have said.
  mysql::GtidSet position() const;
};

struct Sight {
  std::optional<View> view;
  std::string several;  // for people: members that are in groups apart from one another, if any
};

Sight look(const mysql_topology::Topology& topology, TimePoint now);

// What the member says of itself; Offline also without the plugin.
mysql::GroupState own_state(const mysql_topology::Member& member);
// "db-1 sees 1 of 3 members"
std::string describe_sight(const mysql_topology::Member& member);

}  // namespace troupe::mysql_group
