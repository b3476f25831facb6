// Private to the group's engine: one function a situation, each fills in the plan.
#pragma once

#include "actors/mysql_group/decide.hpp"
#include "actors/mysql_group/view.hpp"
#include "actors/mysql_topology/decide.hpp"
#include "actors/mysql_topology/shared.hpp"

namespace troupe::mysql_group {

namespace topo = mysql_topology;
using mysql::GroupState;
using topo::Epoch;
using topo::Member;
using topo::Operation;
using topo::OperationType;
using topo::PersistedRecord;
using topo::Plan;
using topo::Role;
using topo::Step;
using topo::Topology;
using topo::Verb;

// Nothing on record: a group that exists is adopted, else one is begun.
void discover(const Topology& t, TimePoint now, Plan& plan);
// Everybody has lost the group: begins it again, or says what stands against it.
void without_group(const Topology& t, TimePoint now, Plan& plan);
void resume_bootstrap(const Topology& t, TimePoint now, Plan& plan);
void resume_switchover(const Topology& t, const View& view, TimePoint now, Plan& plan);
void resume_rebuild(const Topology& t, const View& view, TimePoint now, Plan& plan);

// Roles by the view, and the record after it.
void assign_roles(const Topology& t, const View& view, TimePoint now, Plan& plan);
// True: the record has to follow first.
bool follow_election(const Topology& t, const View& view, Plan& plan);
// Who belongs into the group joins it, one at a time. Whether all have.
bool keep_members(const Topology& t, const View& view, TimePoint now, Plan& plan);
// An ONLINE member whose binary logs still have all that `m` has missed: joiners try one donor
// after the other. Null: `m` can only be cloned.
const Member* who_can_tell(const View& view, const Member& m);
// Who does not, leaves it.
void let_leave(const Topology& t, const View& view, TimePoint now, Plan& plan);
void consider_order(const Topology& t, const View& view, TimePoint now, Plan& plan);
// The primary is taken out of the specification. The group may have elected it after that, or just
// before: who writes a specification cannot know.
void hand_over_to_a_member(const Topology& t, const View& view, TimePoint now, Plan& plan);

// A donor's data is there for a member that is out of the group: an ONLINE one's that has executed
// `needed`, a secondary's if there is one.
const Member* donor_for(const Topology& t, const View& view, const mysql::GtidSet& needed,
                        TimePoint now);

topo::Command start_command(const Topology& t, const Member& m);
// Takes part, or may hold what the group has acknowledged.
bool belongs(const Topology& t, const Member& m);

}  // namespace troupe::mysql_group
