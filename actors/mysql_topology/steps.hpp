// Private to the engine: one function a situation, each fills in the plan.
#pragma once

#include "actors/mysql_topology/decide.hpp"
#include "actors/mysql_topology/shared.hpp"

namespace troupe::mysql_topology {

// What a member acknowledged before it stopped receiving, its source has committed by then.
inline constexpr Duration kSettled = std::chrono::seconds(1);

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

// --- topologies that are fed from outside (external.cpp)

void resume_attach(const Topology& t, TimePoint now, Plan& plan);
void resume_detach(const Topology& t, TimePoint now, Plan& plan);
// Nothing is on record, and a server outside shall be followed: `source` will.
void form_fed(const Topology& t, const Member& source, PersistedRecord begun, Plan& plan);
// Why no topology that is to be fed can be formed, if so.
bool external_is_unusable(const Topology& t, Plan& plan);
// Begins to follow a server outside, or ends that, as it is asked for; says what holds it back.
// Whether something was begun.
bool consider_external(const Topology& t, const Member& source, TimePoint now, Plan& plan);
// The source stays closed and follows the server outside; whether it does.
bool keep_fed(const Topology& t, const Member& source, TimePoint now, Plan& plan);
// The last step of a change of source: the candidate follows the server outside if it can.
void install_fed(const Topology& t, const Member& candidate, TimePoint now, Plan& plan);
// Whether `m` follows it, has to wait for an answer, or cannot, as guards say.
enum class FollowsOutside { Yes, Waits, Cannot };
FollowsOutside follow_outside(const Topology& t, const Member& m, TimePoint now, Plan& plan);
// Of what `m` has and its source has not, what does not come from outside: the rest will come to
// the source, too. Nullopt: that has to be asked first.
std::optional<mysql::GtidSet> not_from_outside(const Topology& t, const Member& m,
                                               mysql::GtidSet extra, TimePoint now, Plan& plan);

// Every other member follows `candidate`, or will.
void attach_others(const Topology& t, const Member& candidate, TimePoint now, Plan& plan);

// What replicas that answer say of a source that does not.
struct Witnesses {
  std::vector<const Member*> hearing;  // it lives
  std::vector<const Member*> deaf;
  std::vector<const Member*> silent;  // they do not answer either
};
Witnesses witnesses_of(const Topology& t, const Member& source, TimePoint now);
// It has not answered for the grace: dead if so many replicas as a failover needs hear nothing from
// it either.
bool is_silent(const Topology& t, const Member& m, TimePoint now);
// A replica of `source` that got a heartbeat or a transaction from it lately.
bool hears(const Member& replica, const Member& source);
// Replicas whose word is older than the last that was heard of the source itself.
std::vector<const Member*> not_asked_since_lost(const Topology& t, const Member& source,
                                                TimePoint now);
// A member without data has acknowledged nothing that it lacks: the source had nothing either when
// that very server was known already. One whose volume was replaced is another server.
bool had_nothing_to_lose(const Member& m, const Member& source);
// Why a source that is not dead yet is not waited for: its server was told to end, which may take
// it many seconds in which it serves nobody. During a change of roles that is no death: what it was
// closed with is known then.
std::optional<Death> ending_of(const Member& m);
// Why a source that answers acknowledges nothing any more: so many of its replicas have not reached
// it for a while that the rest are too few. Nullopt: it may.
std::optional<Death> cut_off(const Topology& t, const Member& source, TimePoint now);

// Begins a failover when the quorum allows it; says what holds it back otherwise.
void consider_failover(const Topology& t, const Member& source, const Death& death, TimePoint now,
                       Plan& plan);
// Begins a switchover when one was ordered and is safe; says what holds it back otherwise.
void consider_order(const Topology& t, const Member& source, TimePoint now, Plan& plan);

// It can be reached and not logged in to, but not for so long that giving it the accounts must have
// failed.
bool waits_for_accounts(const Member& m, TimePoint now);
// What a source among so many members waits for.
std::uint32_t acks_of(const Topology& t, std::size_t members);
// The same of servers with a past: whether anybody was waited for will be seen at the source.
Quorum unknown_quorum(const Topology& t);
// Whether a replica shall acknowledge.
bool acknowledges(const Topology& t, const Member& m);
// A replica of `source` that works and is as it should be.
bool healthy_replica(const Topology& t, const Member& m, const Member& source);
// Whether the source waits as it should.
bool semi_sync_is_right(const Topology& t, const mysql::MemberObservation& source);
// Brings the quorum on record nearer to the specification, a change at a time, where nothing that
// was acknowledged can be missed by it. Says who does not count yet, or counts still.
void keep_quorum(const Topology& t, const Member& source, TimePoint now, Plan& plan);

// Who has lost its data vouches again once it has caught up; whether anybody has.
bool let_recover(const Topology& t, const Member& source, TimePoint now, Plan& plan);

// The rule of a member that could be followed by nobody, as its host leads elsewhere.
inline constexpr std::string_view kHostNotItsOwn = "HostNotItsOwn";

// How little room is left on its volume, if it is too little; nullopt: enough, or not known.
std::optional<std::string> nearly_full(const Member& m);
void tell_full_volumes(const Topology& t, Plan& plan);
// Free bytes that a clone of `donor` takes on the volume of `m`; 0: none, or not known.
std::uint64_t clone_needs(const Member& m, const Member& donor);
// Why it does not fit.
std::optional<std::string> no_room_for_clone(const Member& m, const Member& donor);

// A replica that is told to follow `source` where that is by the specification of now.
bool is_pointed_at(const Member& m, const Member& source);
// A replica of `source` whose both threads run.
bool replicates_from(const Member& m, const Member& source);
// The rule of those who receive at the source's address, and from another server.
inline constexpr std::string_view kFromAnother = "ReplicatesFromAnother";
// Which server that is, and what to correct; nullopt: it is no such one.
std::optional<std::string> replicates_from_another(const Topology& t, const Member& m,
                                                   const Member& source);
// What a server that answers does instead.
std::string why_not_replicating(const Member& m, const Member& source);
// A receiver that tries to reach `source` and will go on trying: only a wrong address or password
// needs us.
bool is_connecting(const Member& m, const Member& source);
// Promotes `member`, then opens it; true when both are done by the word of its agent.
bool make_source(const Topology& t, const Member& member, Plan& plan);
// Takes writes although it is not the source, or has commits that hang: whether it had to be
// closed.
bool close_stray(const Topology& t, const Member& m, Plan& plan);
// Asks `replica` to follow `source`, unless that was done and no later probe contradicts it.
void follow(const Topology& t, const Member& replica, const Member& source, Plan& plan);

}  // namespace troupe::mysql_topology
