#include "tests/sim/mysql/judge.hpp"

#include <algorithm>
#include <utility>

namespace troupe::mysql_topology::sim {
namespace {

using std::chrono::milliseconds;

constexpr Duration kWriteEveryMin = milliseconds(2);
constexpr Duration kWriteEveryMax = milliseconds(30);
constexpr Duration kProgressWithin = std::chrono::seconds(60);
// A storm of retries has far fewer events.
constexpr Duration kMoment = milliseconds(1);
constexpr int kMostInAMoment = 50'000;

}  // namespace

Judge::Judge(Timeline& timeline, Fleet& fleet, std::function<void()> look)
    : timeline_(timeline), fleet_(fleet), look_(std::move(look)) {}

void Judge::let_clients_write() {
  if (!std::exchange(writing_, true)) write();
}

void Judge::write() {
  timeline_.after(timeline_.chance.between(kWriteEveryMin, kWriteEveryMax), [this] {
    if (!writing_) return;
    fleet_.write_somewhere();
    write();
  });
}

void Judge::broken(Invariant invariant, std::string text) {
  if (!violation_) violation_ = {invariant, std::move(text)};
}

void Judge::saw_record(const std::string& topology, Epoch epoch, const std::string& current) {
  auto& seen = records_[topology];
  if (epoch < seen.epoch) broken(Invariant::EpochsNeverFall, "the epoch on record has fallen");
  seen.epoch = epoch;
  if (current == seen.current) return;
  if (!seen.current.empty()) {
    ++changes_;
    if (epoch <= seen.current_since)
      broken(Invariant::EpochsNeverFall, "another source in the same epoch");
  }
  seen.current = current;
  seen.current_since = epoch;
}

bool Judge::step() {
  if (!holds() || !timeline_.step()) return false;
  if (const auto now = timeline_.now(); now >= moment_ + kMoment) {
    moment_ = now;
    in_moment_ = 0;
  }
  if (++in_moment_ == kMostInAMoment)
    broken(Invariant::ItConverges, "somebody looks again and again without letting time go on");
  fleet_.check_writers();
  look_();
  return holds();
}

void Judge::until(TimePoint t) {
  while (timeline_.now() < t && step()) {
  }
}

void Judge::await(const Goal& goal, Invariant otherwise) {
  const auto limit = timeline_.now() + goal.within;
  auto since = TimePoint::max();
  while (step()) {
    const auto now = timeline_.now();
    since = goal.reached() ? std::min(since, now) : TimePoint::max();
    const auto still_since =
        goal.last_act && since < TimePoint::max() ? std::max(since, goal.last_act()) : since;
    if (still_since < TimePoint::max() && now - still_since >= goal.lasting) return;
    if (now >= limit) broken(otherwise, goal.state());
  }
}

// A new member has much to catch up with, where the run has been long.
bool Judge::catches_up(int member, int source) {
  const auto executed = [this, member] { return fleet_[member].executed.count(); };
  auto had = executed();
  auto limit = timeline_.now() + kProgressWithin;
  while (!fleet_.holds_the_same(member, source)) {
    if (!step() || timeline_.now() >= limit) return false;
    if (const auto has = executed(); std::exchange(had, has) != has)
      limit = timeline_.now() + kProgressWithin;
  }
  return true;
}

void Judge::compare(int source, int members) {
  writing_ = false;
  for (int i = 0; holds() && i < members; ++i)
    if (!catches_up(i, source))
      return broken(Invariant::MembersComeToHoldTheSame,
                    fmt::format("{} does not come to hold what the source holds", fleet_[i].name));
  if (!fleet_.has_all_acknowledged(source))
    broken(Invariant::NoAcknowledgedWriteIsLost, "acknowledged writes are missing at the end");
}

troupe::sim::Run Judge::report(std::uint64_t seed) {
  const auto& violation = fleet_.violation() ? fleet_.violation() : violation_;
  if (violation) timeline_.tell("FAILED: {}", violation->text);
  return {.seed = seed,
          .violation = violation,
          .story = timeline_.story(),
          .counts = {{"writes acknowledged", fleet_.acknowledged_writes()},
                     {"changes of source", changes_}}};
}

}  // namespace troupe::mysql_topology::sim
