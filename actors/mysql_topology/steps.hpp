// Private to the engine: one function a situation, each fills in the plan.
#pragma once

#include "actors/mysql_topology/decide.hpp"

namespace troupe::mysql_topology {

// No record yet: adopt the source that exists, or form a topology, or say why neither.
void discover(const Topology& t, TimePoint now, Plan& plan);
// The recorded source and its replicas are kept as they should be; changes begin here, but for a
// failover only when no other operation is in flight.
void keep(const Topology& t, TimePoint now, Plan& plan);

void resume_failover(const Topology& t, TimePoint now, Plan& plan);
void resume_switchover(const Topology& t, TimePoint now, Plan& plan);
void resume_rebuild(const Topology& t, TimePoint now, Plan& plan);
// The last steps of every change: the candidate becomes the source and the others follow it.
void install(const Topology& t, TimePoint now, Plan& plan);

// Every other member follows `candidate`, or will.
void attach_others(const Topology& t, const Member& candidate, TimePoint now, Plan& plan);

// The record after the operation in flight has ended.
PersistedRecord finished(const Topology& t, std::string text, bool undone = false);

// Begins a failover when the quorum allows it; says what holds it back otherwise.
void consider_failover(const Topology& t, const Member& source, const Death& death, TimePoint now,
                       Plan& plan);
// The member that shall become the source by an order not yet honored, if any.
std::optional<std::string> ordered(const Topology& t);
// Begins a switchover when one was ordered and is safe; says what holds it back otherwise.
void consider_order(const Topology& t, const Member& source, TimePoint now, Plan& plan);

// What keeps a member from being used, or nullopt: "db-2: agent is Lost", for guards.
std::optional<std::string> unusable(const Member& m, TimePoint now);
// The rule of that guard, `otherwise` if the member is there and ours.
std::string why_unusable(const Member& m, std::string otherwise);
// It can be reached and not logged in to, but not for so long that giving it the accounts must have
// failed.
bool waits_for_accounts(const Member& m, TimePoint now);
// A replica of `source` whose both threads run.
bool replicates_from(const Member& m, const Member& source);
// A receiver that tries to reach `source` and will go on trying: only a wrong address or password
// needs us.
bool is_connecting(const Member& m, const Member& source);
// Promotes `member`, then opens it; true when both are done by the word of its agent.
bool make_source(const Topology& t, const Member& member, Plan& plan);
// Takes writes although it is not the source, or has commits that hang: whether it had to be
// closed.
bool close_stray(const Topology& t, const Member& m, Plan& plan);
// One that was missing from an earlier report of the same member completes it.
void report_lost(PersistedRecord& record, Lost lost);
// Every member gets the accounts as they are now, through its agent: those that this process has
// not given them to, and those that refuse them or whose replicas are refused.
void ensure_accounts(const Topology& t, Epoch epoch, Plan& plan);
// Asks `replica` to follow `source`, unless that was done and no later probe contradicts it.
void follow(const Topology& t, const Member& replica, const Member& source, Plan& plan);

}  // namespace troupe::mysql_topology
