// Which replica may take over: the one whose position holds everything that any candidate has.
//
// A position is received united with executed (MemberObservation::position). Among candidates that
// are not below anyone, equals are ordered by preference; unequal ones have diverged, and then
// nobody is chosen, because either choice would drop transactions that the other one has: people
// decide. Errant members are not candidates; the caller leaves them out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engines/mysql/model/gtid_set.hpp"
#include "engines/mysql/model/version.hpp"

namespace troupe::mysql {

struct Candidate {
  std::string name;
  int ordinal = 0;
  Version version;
  GtidSet position;
  std::uint64_t unapplied = 0;  // transactions received but not executed
  bool departing = false;       // its server is about to end
  bool misnamed = false;        // nobody would find it where it is said to be
};

// `index` into the candidates given.
struct Chosen {
  std::size_t index = 0;
};

struct Leader {
  std::size_t index = 0;
  GtidSet only_here;  // what at least one other leader lacks
};

// Two or more candidates each hold what another lacks.
struct Diverged {
  std::vector<Leader> leaders;
};

struct NoCandidate {};

using Choice = std::variant<NoCandidate, Chosen, Diverged>;

// Preference among equals: one that can be followed, one that stays, the lowest version (others can
// follow it), the fewest transactions left to apply (opens soonest), the lowest ordinal, the name.
Choice choose(std::span<const Candidate> candidates);

}  // namespace troupe::mysql
