// What every way of clustering MySQL decides alike (this folder's own, and actors/mysql_group):
// what may be concluded of a member, accounts, orders, rebuilding, and what goes on record first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/mysql_topology/plan.hpp"
#include "actors/mysql_topology/topology.hpp"

namespace troupe::mysql_topology {

// What one of them knows of its own: fills in the plan, by what is on record.
using Situations = void (*)(const Topology& t, TimePoint now, Plan& plan);

// With what holds for all: members of others are left alone, what is on record is put right before
// anything rests on it, epochs that cannot be given are told, and evidence that gets old wakes.
Plan decide_by(Situations next, const Topology& t, TimePoint now);

// Above all that is on record or was seen by an agent.
Epoch next_epoch(const Topology& t);

// --- members

// What keeps a member from being used, or nullopt: "db-2: agent is Lost", for guards.
std::optional<std::string> unusable(const Member& m, TimePoint now);
// The rule of that guard, `otherwise` if the member is there and ours.
std::string why_unusable(const Member& m, std::string otherwise);
// The same of a member that worked: it may only have to be given what changed a moment ago.
std::string why_unusable_now(const Member& m, std::string otherwise, TimePoint now);
// A member by the specification, and nobody else's.
bool stays(const Member& m);
// It counts, and shall follow nobody, or be in no group, any more.
bool leaves(const Topology& t, const Member& m);

// "1 transaction", "2 transactions"
std::string transactions(std::uint64_t count);
// What it watches for, where nothing is held and not all is as it shall be; it says so where it
// would say that it is watching.
inline constexpr std::string_view kWatching = "watching";
void say_what_is_asked(Plan& plan);

// --- what is not formed yet

// Members of another replication; then nothing of the rest is touched either.
bool some_are_anothers(const Topology& t, TimePoint now, Plan& plan);
// Members of which nobody can say what they have.
bool some_are_unknown(const Topology& t, TimePoint now, Plan& plan);
// All of the specification, of whom nobody has written anything yet.
Quorum new_quorum(const Topology& t);

// --- accounts

// Every member gets the accounts as they are now, through its agent: those that this process has
// not given them to, and those that refuse them or whose replicas are refused.
void ensure_accounts(const Topology& t, Epoch epoch, Plan& plan);

// --- orders

// The member that shall become the source by an order not yet honored, if any.
std::optional<std::string> ordered(const Topology& t);
// Takes an order by annotation back that names no member.
void withdraw_order(const Topology& t, const Member& source, TimePoint now, Plan& plan);
// What an order asks for is so already: whether that was written down.
bool is_obeyed_already(const Topology& t, Plan& plan);
// Who could be named instead.
std::string candidates(const Topology& t, const Member& source, TimePoint now);

// --- operations

// The record after the operation in flight has ended.
PersistedRecord finished(const Topology& t, std::string text, bool undone = false);
// One that was missing from an earlier report of the same member completes it.
void report_lost(PersistedRecord& record, Lost lost);

// A member's data is to be replaced, `extra` of it saved before. One operation at a time; not only
// beside a source that takes writes: its commits may wait for just this member.
void begin_rebuild(const Topology& t, const Member& m, const mysql::GtidSet& extra,
                   const std::string& why, Plan& plan);
// The step Save of the rebuild in flight.
void save_extra(const Topology& t, const Member& m, TimePoint now, Plan& plan);
// The candidate's data is thrown away from now on: that is written down first.
void begin_clone(PersistedRecord& record);
// What is saved by it.
mysql::GtidSet extra_of(const Operation& op);
// The data that had to go is gone, whoever replaced it: an earlier clone, or a new volume.
bool is_rebuilt(const Topology& t, const Member& m, const Member& source, TimePoint now);
void end_rebuild(const Topology& t, const Member& m, Plan& plan);

}  // namespace troupe::mysql_topology
