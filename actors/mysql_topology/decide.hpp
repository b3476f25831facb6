// The MySQL engine: from a topology to the next step. Pure, total, level-triggered.
//
// Why no acknowledged write is lost: a commit is acknowledged after w replicas have it in their
// relay logs (w = floor(N/2)). Once f replicas confirm that they receive from the old source no
// more, and f + w >= N, every acknowledged commit is on one of these f, and no further commit can
// gather w acknowledgements. The one that has everything the f have is safe to promote.
//
// That rests on members keeping what they once acknowledged. So relay logs are applied before a
// replica follows another source; data is replaced only by a donor's that has all of it but what is
// errant (Rebuild); and a member whose data was replaced, or lost with its volume, is not among the
// f before it has all that the source has (Quorum::recovering). A source that loses its volume
// together with the only replica that has a commit is outside of it.
//
// N and w are those on record (Quorum), not those of the specification: a member counts before it
// may acknowledge, and until others have what it acknowledged, whether it was isolated, taken out
// or taken by another replication; so a change of membership is safe also where the operator is
// away and the source dies in the midst of it.
//
// Why there are never two that can acknowledge: whatever opens a member or changes whom it follows
// bears the operation's epoch, which is on record first and which its agent compares.
//
// tests/sim/mysql_topology holds both to modelled servers; tests/e2e and ./dev soak hold them to
// real ones, judged by tests/oracle.
#pragma once

#include "actors/mysql_topology/plan.hpp"
#include "actors/mysql_topology/topology.hpp"

namespace troupe::mysql_topology {

Plan decide(const Topology& topology, TimePoint now);

// Why a member's server must be taken for dead, or nullopt. Never on one silent witness alone, nor
// while a replica hears from it.
struct Death {
  std::string evidence;
  TimePoint since;
};
std::optional<Death> death_of(const Topology& topology, const Member& member, TimePoint now);

// What `member` has executed or received and `source` has not, as far as two samples can tell
// (the source's is the later one); transactions of the source itself may still be on their way.
mysql::GtidSet errant(const Member& member, const Member& source);

}  // namespace troupe::mysql_topology
