#include "engines/mysql/model/choice.hpp"

#include <algorithm>
#include <tuple>

namespace troupe::mysql {
namespace {

// Strictly more than `other` has.
bool exceeds(const GtidSet& position, const GtidSet& other) {
  return position.contains(other) && !other.contains(position);
}

auto preference(const Candidate& candidate) {
  return std::tie(candidate.misnamed, candidate.departing, candidate.version, candidate.unapplied,
                  candidate.ordinal, candidate.name);
}

std::vector<std::size_t> undominated(std::span<const Candidate> candidates) {
  std::vector<std::size_t> leaders;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const bool below = std::any_of(candidates.begin(), candidates.end(), [&](const auto& other) {
      return exceeds(other.position, candidates[i].position);
    });
    if (!below) leaders.push_back(i);
  }
  return leaders;
}

Diverged diverged(std::span<const Candidate> candidates, const std::vector<std::size_t>& leaders) {
  GtidSet common = candidates[leaders.front()].position;
  for (const auto index : leaders) common = intersect(common, candidates[index].position);
  Diverged result;
  for (const auto index : leaders) {
    result.leaders.push_back({index, subtract(candidates[index].position, common)});
  }
  return result;
}

}  // namespace

Choice choose(std::span<const Candidate> candidates) {
  if (candidates.empty()) return NoCandidate{};
  const auto leaders = undominated(candidates);
  const auto& position = candidates[leaders.front()].position;
  const bool equal = std::all_of(leaders.begin(), leaders.end(), [&](std::size_t index) {
    return candidates[index].position == position;
  });
  if (!equal) return diverged(candidates, leaders);
  return Chosen{*std::min_element(leaders.begin(), leaders.end(), [&](auto a, auto b) {
    return preference(candidates[a]) < preference(candidates[b]);
  })};
}

}  // namespace troupe::mysql
