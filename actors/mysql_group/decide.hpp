// MySQL group replication: what is left to decide where the servers agree among themselves.
//
// The group elects its primary, and loses no transaction that it has acknowledged as long as a
// majority of it lives. So roles are read, not given: of the members that are ONLINE and see a
// majority of their group (view.hpp), the newest view says who is the primary, and labels, Services
// and the record follow it. What is decided here:
//
//   join      whoever is missing, one at a time, if it has nothing that the group lacks; a member
//             with transactions of its own is shown, saved and rebuilt from a donor
//   leave     whoever is isolated or taken out of the specification
//   order     another primary, where a person, or the end of the primary's server, asks for it
//   begin     a group, the first time and when every member has lost it
//
// Why there are never two groups: beginning one is an operation, on record with its epoch and the
// group's name before any step. First every member that may belong to the group obeys a StopGroup
// of that epoch. So no group is left, none comes back (a server never joins by itself, and an agent
// refuses lower epochs), and each has said what it holds. Then the one that holds everything begins
// the group; an agent does so only right after that StopGroup, once. A member that cannot be asked
// stops all this: it may be in a group.
//
// Groups of at most nine members, with one primary. Failover does not wait for us, and is not
// switched off by spec.failover.enabled.
#pragma once

#include "actors/mysql_topology/plan.hpp"
#include "actors/mysql_topology/topology.hpp"

namespace troupe::mysql_group {

mysql_topology::Plan decide(const mysql_topology::Topology& topology, TimePoint now);

}  // namespace troupe::mysql_group
