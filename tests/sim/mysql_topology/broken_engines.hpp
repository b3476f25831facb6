// The engine with the handling of one hazard taken out, each a planted bug that the simulation has
// to find: it changes what the real engine is told, or what becomes of its plan.
#pragma once

#include "actors/mysql_topology/decide.hpp"

namespace troupe::mysql_topology::sim {

using Engine = Plan (*)(const Topology& t, TimePoint now);

// --- the arithmetic of the quorum

// Takes the last of the replicas that are away for one that does not exist: f is one too low.
Plan overlooks_a_member(const Topology& t, TimePoint now);
// Who is taken out of the specification counts no more from that moment.
Plan forgets_who_leaves(const Topology& t, TimePoint now);
// Who has lost its data counts for a failover as soon as it has some again.
Plan forgets_who_recovers(const Topology& t, TimePoint now);
// An empty server that was replaced after the source was last seen is taken for the one of then.
Plan takes_new_servers_for_old_ones(const Topology& t, TimePoint now);
// Counts on more acknowledgements as soon as the source is told to wait for them.
Plan counts_on_acks_too_early(const Topology& t, TimePoint now);
// Has the source wait for one acknowledgement less.
Plan waits_for_one_less(const Topology& t, TimePoint now);

// --- failover

// Takes what replicas were last seen to have for what they have, without stopping them.
Plan lets_replicas_receive(const Topology& t, TimePoint now);
// Chooses a replica that has stopped, and not the one that has most.
Plan chooses_anyone(const Topology& t, TimePoint now);
// Takes what members answered in earlier epochs for answers of this one.
Plan believes_old_answers(const Topology& t, TimePoint now);
// Begins in the epoch of what came before.
Plan keeps_the_epoch(const Topology& t, TimePoint now);

// --- switchover

// Takes the old source for closed.
Plan leaves_the_source_open(const Topology& t, TimePoint now);
// Takes the candidate for having caught up.
Plan does_not_wait_to_catch_up(const Topology& t, TimePoint now);

// --- everyday

// Does not see what a replica has that its source has not.
Plan overlooks_errant_transactions(const Topology& t, TimePoint now);
// Does not close whom it finds open and is not the source.
Plan leaves_strays_open(const Topology& t, TimePoint now);

// --- data from outside

// Opens a source that follows a server outside, as if clients had to write to it.
Plan opens_who_is_fed(const Topology& t, TimePoint now);
// Leaves the server outside with what the source had executed when it was last looked at.
Plan leaves_before_it_is_drained(const Topology& t, TimePoint now);
// Takes the source's replicas for having all that came from outside.
Plan leaves_before_replicas_have_all(const Topology& t, TimePoint now);
// Takes the server outside for having all that was written here.
Plan follows_who_lacks_something(const Topology& t, TimePoint now);
// What that one is told: it breaks whoever decides by the engine.
Topology told_outside_has_all(const Topology& t);

// --- groups (actors/mysql_group)

// Begins a group without those whom nobody can ask.
Plan begins_without_asking_all(const Topology& t, TimePoint now);
// Takes all members for holding the same when one of them is to begin a group.
Plan begins_with_anyone(const Topology& t, TimePoint now);
// Has members leave, one begin and all others join in one and the same epoch.
Plan begins_in_one_epoch(const Topology& t, TimePoint now);

}  // namespace troupe::mysql_topology::sim
