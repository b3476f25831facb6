#include "tests/sim/seeds.hpp"

#include <errno.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <optional>
#include <sstream>
#include <string_view>

namespace troupe::sim {
namespace {

std::uint64_t number(std::string_view text) {
  std::uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::optional<SeedRange> asked_for() {
  const char* given = std::getenv("TROUPE_SEEDS");
  if (!given) return std::nullopt;
  const std::string_view text = given;
  const auto dots = text.find("..");
  if (dots == std::string_view::npos) return SeedRange{number(text), number(text) + 1};
  return SeedRange{number(text.substr(0, dots)), number(text.substr(dots + 2))};
}

std::uint64_t share_of(std::uint64_t seeds) {
  const char* percent = std::getenv("TROUPE_SEEDS_PERCENT");
  return percent ? seeds * number(percent) / 100 : seeds;
}

constexpr int kShrinkingRuns = 300;
constexpr std::uint64_t kShrunkFailures = 3;  // of the first; who has understood them asks again

std::optional<std::set<int>> faults_asked_for() {
  const char* given = std::getenv("TROUPE_FAULTS");
  if (!given) return std::nullopt;
  std::set<int> faults;
  std::istringstream text(given);
  for (std::string one; std::getline(text, one, ',');) faults.insert(static_cast<int>(number(one)));
  return faults;
}

bool lengthy_asked_for() { return std::getenv("TROUPE_LONG") != nullptr; }

bool breaks_the_same(const Run& run, const Violation& violation) {
  return run.violation && run.violation->of == violation.of;
}

void tell_failure(const Run& run, const std::optional<std::set<int>>& faults) {
  std::string how = lengthy_asked_for() ? "TROUPE_LONG=1 " : "";
  if (faults) how += fmt::format("TROUPE_FAULTS={} ", fmt::join(*faults, ","));
  // The same seed is another story for a group, or with a server outside.
  const auto* suite = testing::UnitTest::GetInstance()->current_test_suite()->name();
  ADD_FAILURE() << fmt::format(
      "\nseed {}: {}: {}\n  replay: TROUPE_SEEDS={} {}{} --gtest_filter='{}.*'", run.seed,
      to_string(run.violation->of), run.violation->text, run.seed, how, program_invocation_name,
      suite);
}

}  // namespace

std::set<int> needed_faults(const Run& failed, const Simulate& simulate) {
  std::vector<int> needed(static_cast<std::size_t>(failed.strikes));
  std::iota(needed.begin(), needed.end(), 0);
  int runs = 0;
  for (auto length = std::max<std::size_t>(needed.size() / 2, 1);; length /= 2) {
    for (std::size_t from = 0; from < needed.size() && runs < kShrinkingRuns; ++runs) {
      auto fewer = needed;
      const auto first = fewer.begin() + static_cast<std::ptrdiff_t>(from);
      const auto to = std::min(from + length, fewer.size());
      fewer.erase(first, fewer.begin() + static_cast<std::ptrdiff_t>(to));
      const auto run = simulate({.seed = failed.seed,
                                 .lengthy = lengthy_asked_for(),
                                 .strikes = {{fewer.begin(), fewer.end()}}});
      if (breaks_the_same(run, *failed.violation))
        needed = std::move(fewer);
      else
        from = to;
    }
    if (length <= 1) break;
  }
  return {needed.begin(), needed.end()};
}

std::vector<SeedRange> seed_ranges(std::uint64_t otherwise, std::uint64_t each,
                                   std::uint64_t one_in) {
  std::vector<SeedRange> ranges;
  if (const auto asked = asked_for()) {
    const auto divisor = asked->size() == 1 ? 1 : one_in;
    ranges.push_back({asked->from / divisor, asked->to / divisor});
    if (ranges.back().size() == 0) ranges.clear();
    return ranges;
  }
  const auto all = share_of(otherwise / one_in);
  for (std::uint64_t from = 0; from < all; from += each)
    ranges.push_back({from, std::min(from + each, all)});
  return ranges;
}

std::string name_of(const SeedRange& range) {
  return fmt::format("{}to{}", range.from, range.to - 1);
}

Summary run_seeds(const SeedRange& range, const Simulate& simulate) {
  const bool alone = range.size() == 1;
  const auto faults = faults_asked_for();
  Summary summary;
  for (auto seed = range.from; seed < range.to; ++seed, ++summary.seeds) {
    const auto run =
        simulate({.seed = seed, .tell = alone, .lengthy = lengthy_asked_for(), .strikes = faults});
    for (const auto& line : run.story) std::cout << line << '\n';
    for (const auto& [what, count] : run.counts) summary.counts[what] += count;
    if (!run.violation) continue;
    const bool shrink = ++summary.failed <= kShrunkFailures && !faults;
    tell_failure(run, shrink ? needed_faults(run, simulate) : faults);
  }
  std::cout << summary.seeds << " seeds, " << summary.failed << " failed";
  for (const auto& [what, count] : summary.counts) std::cout << ", " << what << ": " << count;
  std::cout << '\n';
  return summary;
}

void expect_caught(const std::string& mutant, Invariant invariant, std::uint64_t known,
                   std::uint64_t limit, const Simulate& simulate) {
  const auto range = asked_for().value_or(SeedRange{known, known + limit});
  for (auto seed = range.from; seed < range.to; ++seed) {
    const auto run = simulate({.seed = seed});
    if (!run.violation || run.violation->of != invariant) continue;
    std::cout << fmt::format("mutant {}: {}: {}: seed {}: {}\n", mutant, to_string(invariant),
                             seed - range.from + 1, seed, run.violation->text);
    return;
  }
  ADD_FAILURE() << fmt::format("\nmutant {}: {}: not within {}", mutant, to_string(invariant),
                               range.to - range.from);
}

void expect_the_same_story(std::uint64_t seed, const Simulate& simulate) {
  const Scenario scenario{.seed = seed, .tell = true};
  const auto first = simulate(scenario), second = simulate(scenario);
  EXPECT_FALSE(first.story.empty());
  EXPECT_EQ(first.story, second.story);
}

}  // namespace troupe::sim
