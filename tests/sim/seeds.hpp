// Which seeds the test of a simulation runs, and how it tells of them.
//
//   BINARY                                              the seeds of CI, and the mutants
//   TROUPE_SEEDS_PERCENT=15 BINARY                      a share of these seeds
//   TROUPE_SEEDS=0..100000 BINARY --gtest_filter='*Seeds*'
//   TROUPE_SEEDS=4711 BINARY --gtest_filter='*Seeds*'   one seed, with its story
//   TROUPE_SEEDS=4711 TROUPE_FAULTS=3,17 BINARY ...     of its faults only these
//   TROUPE_LONG=1 TROUPE_SEEDS=0..100 BINARY ...        ten minutes of faults each
//
// `./dev sim` reads the lines that begin with "seed " and "mutant ".
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/run.hpp"

namespace troupe::sim {

using Simulate = std::function<Run(const Scenario&)>;

struct Summary {
  std::uint64_t seeds = 0;
  std::uint64_t failed = 0;
  std::map<std::string, std::uint64_t> counts;
};

struct SeedRange {
  std::uint64_t from = 0;
  std::uint64_t to = 0;  // excluded
  std::uint64_t size() const { return to - from; }
};

// Those that were asked for, all in one; or else the first `otherwise`, in parts of `each`: as many
// tests, which GoogleTest's sharding spreads over cores. Of stories that are told beside others,
// only one in so many; a single seed always.
std::vector<SeedRange> seed_ranges(std::uint64_t otherwise, std::uint64_t each,
                                   std::uint64_t one_in = 1);
// "0to99"
std::string name_of(const SeedRange& range);

// Fails the test for every seed that breaks an invariant, and says how to replay it with as few of
// its faults as do the same.
Summary run_seeds(const SeedRange& range, const Simulate& simulate);

// Which of a failed run's faults break the same invariant without the others: leaves out many at
// once and then fewer, for a bounded number of runs.
std::set<int> needed_faults(const Run& failed, const Simulate& simulate);

// Fails the test unless one of `limit` seeds breaks `invariant`. `known` did so once: the search
// begins there, and goes on elsewhere when it does not any more. TROUPE_SEEDS says where else.
void expect_caught(const std::string& mutant, Invariant invariant, std::uint64_t known,
                   std::uint64_t limit, const Simulate& simulate);

// Fails the test unless a seed's story is always the same.
void expect_the_same_story(std::uint64_t seed, const Simulate& simulate);

}  // namespace troupe::sim
