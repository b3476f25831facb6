// A group as a test tells of it, and what is decided on seeing it.
//
//   auto group = Group::formed();     // db-0 is the primary, all are ONLINE
//   group.seen_by({1, 2}, "g:2", "db-0=UNREACHABLE db-1=PRIMARY db-2=ONLINE");
//   EXPECT_EQ(recorded(group.decide()), "idle: db-1, epoch 2");
#pragma once

#include <initializer_list>
#include <string_view>

#include "actors/mysql_group/decide.hpp"
#include "tests/unit/actors/mysql_topology/servers.hpp"

namespace troupe::mysql_group::testing {

using namespace mysql_topology::testing;
using mysql_topology::Epoch;
using mysql_topology::OperationType;
using mysql_topology::Plan;
using mysql_topology::Role;
using mysql_topology::Step;
using mysql_topology::Verb;

inline constexpr const char* kGroup = "11111111-1111-1111-1111-111111111111";

struct Group : Servers {
  // All ONLINE in view g:1; db-0 is the primary on record, of epoch 1.
  static Group formed(int count = 3);
  // All closed and in no group; nothing is on record.
  static Group fresh(int count = 3);
  // On record as formed(), and every member has lost the group.
  static Group lost(int count = 3);

  // What these say of the group: "db-0=PRIMARY db-1=ONLINE"; of themselves, too.
  void seen_by(std::initializer_list<int> members, std::string_view view_id,
               std::string_view seats);
  // In no group, closed; `says` of itself OFFLINE or ERROR.
  Server& is_out(int ordinal, std::string_view says = "OFFLINE");
  // Every one is as it was left, and has obeyed a StopGroup of the epoch on record.
  void has_stopped(int ordinal, std::string_view executed, std::string_view received = {});

  Plan decide() const { return mysql_group::decide(told(), now); }
};

}  // namespace troupe::mysql_group::testing
