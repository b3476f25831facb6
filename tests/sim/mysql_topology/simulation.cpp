#include "tests/sim/mysql_topology/simulation.hpp"

#include <algorithm>

#include "tests/sim/mysql_topology/operator.hpp"

namespace troupe::mysql_topology::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kConvergeWithin = seconds(300);  // an order waits a minute after a failed try
constexpr Duration kCatchUpWithin = seconds(60);
constexpr Duration kQuietFor = seconds(2);

class Simulation {
 public:
  Simulation(std::uint64_t seed, bool tell, Rules rules)
      : seed_(seed),
        timeline_(seed, tell),
        fleet_(timeline_, rules, members()),
        operator_(timeline_, rules, fleet_, object_),
        deposed_(timeline_, rules, fleet_, object_) {
    auto& chance = timeline_.chance;
    object_.mode = chance.percent(85) ? Mode::SemiSync : Mode::Async;
    object_.failover.enabled = object_.mode == Mode::SemiSync && !chance.percent(8);
    for (int i = 1; i < fleet_.size(); ++i)
      if (chance.percent(20)) object_.unlisted.insert(i);
    operator_.faults.latency_max = milliseconds(chance.percent(80) ? 4 : 60);
  }

  Run run() {
    write();
    operator_.start();
    const auto calm = timeline_.now() + timeline_.chance.between({}, seconds(2));
    const auto end = calm + timeline_.chance.between(seconds(1), seconds(6));
    until(calm);
    operator_.faults.lose_percent = timeline_.chance.percent(50) ? timeline_.chance.pick(25) : 0;
    operator_.faults.double_percent = timeline_.chance.percent(50) ? timeline_.chance.pick(25) : 0;
    trouble();
    until(end);
    if (holds()) converge();
    return report();
  }

 private:
  int members() {
    constexpr int kSizes[] = {1, 2, 3, 3, 3, 4, 5, 5};
    return kSizes[timeline_.chance.pick(8)];
  }

  bool holds() const { return fleet_.violation().empty() && broken_.empty(); }

  void until(TimePoint t) {
    while (holds() && timeline_.now() < t && timeline_.step()) check();
  }

  void check() {
    fleet_.check_writers();
    const auto epoch = object_.record.epoch;
    if (epoch < epoch_) broken_ = "the epoch on record has fallen";
    if (object_.record.current != source_ && !source_.empty()) {
      ++changes_;
      if (epoch <= source_epoch_) broken_ = "another source in the same epoch";
    }
    if (object_.record.current != source_) {
      source_ = object_.record.current;
      source_epoch_ = epoch;
    }
    if (epoch > epoch_ && object_.record.operation &&
        object_.record.operation->type == OperationType::Rebuild)
      ++rebuilds_;
    epoch_ = epoch;
    const auto& quorum = object_.record.quorum;
    if (quorum.members.size() < quorum_.members.size()) ++left_out_;
    if (quorum != quorum_) lose_source_within(milliseconds(60));
    quorum_ = quorum;
    const auto& op = object_.record.operation;
    if (op && (!step_ || *step_ != op->step)) strike_at(op->step);
    step_ = op ? std::optional(op->step) : std::nullopt;
  }

  void write() {
    timeline_.after(timeline_.chance.between(milliseconds(2), milliseconds(30)), [this] {
      if (writing_) fleet_.write_somewhere();
      write();
    });
  }

  // --- faults

  void trouble() {
    timeline_.after(timeline_.chance.between(milliseconds(20), milliseconds(700)), [this] {
      if (calm_) return;
      strike();
      trouble();
    });
  }

  int somebody() { return timeline_.chance.pick(fleet_.size()); }
  int source_or_somebody() {
    const int source = fleet_.index_of(object_.record.current);
    return source >= 0 && timeline_.chance.percent(60) ? source : somebody();
  }

  void strike() {
    auto& chance = timeline_.chance;
    const int i = source_or_somebody();
    switch (chance.pick(17)) {
      case 0:
      case 1:
      case 2:
        return fleet_.kill(i, chance.between(milliseconds(50), seconds(2)));
      case 3:
        return fleet_.delete_pod(i, chance.between(milliseconds(300), seconds(3)));
      case 4:
        return operator_.cut(i, chance.percent(60));
      case 5:
        return isolate(i);
      case 6:
        return chance.percent(50) ? isolate(i) : fleet_.cut(i, somebody(), true);
      case 7:
        fleet_.heal();
        for (int j = 0; j < fleet_.size(); ++j) operator_.cut(j, false);
        return;
      case 8:
      case 9:
        if (!operator_.alive()) return;
        operator_.die();
        return timeline_.after(chance.between(milliseconds(10), seconds(1)),
                               [this] { operator_.start(); });
      case 10:
        return fleet_.restart_agent(i);
      case 11:
        deposed_.start_deposed();
        return timeline_.after(chance.between(milliseconds(500), seconds(4)),
                               [this] { deposed_.die(); });
      case 12:
        return take(somebody());
      case 13:
        return isolate_by_order(somebody());
      case 14:
        return take_out(somebody());
      case 15:
        fleet_[i].epoch.value += 1 + static_cast<std::uint64_t>(chance.pick(3));
        return timeline_.tell("the agent of {} has seen epoch {}", fleet_[i].name,
                              fleet_[i].epoch.value);
      default:
        if (const int next = somebody();
            !object_.isolated.contains(next) && !object_.unlisted.contains(next))
          object_.wanted = fleet_[next].name;
        timeline_.tell("spec.source: {}", object_.wanted);
        return operator_.wake();
    }
  }

  // Another replication gets the member's Unit, as when its label is edited by hand, takes the
  // member from its source and gives it back some time.
  void take(int i) {
    if (!object_.taken.insert(i).second) return;
    timeline_.tell("{} belongs to another replication", fleet_[i].name);
    operator_.wake();
    timeline_.after(timeline_.chance.between({}, milliseconds(400)), [this, i] {
      const auto& s = fleet_[i];
      if (calm_ || !object_.taken.contains(i) || !s.pod || !s.agent_up) return;
      const Command c{.member = s.name, .verb = Verb::StopReceiver, .epoch = {s.epoch.value + 1}};
      fleet_.command(
          i,
          {.command = c, .deadline = timeline_.now() + seconds(2), .answer = [](const Reply&) {}});
    });
    timeline_.after(timeline_.chance.between(milliseconds(100), seconds(4)), [this, i] {
      if (object_.taken.erase(i) == 0) return;
      timeline_.tell("{} belongs to the topology again", fleet_[i].name);
      operator_.wake();
    });
  }

  // The specification changes. Nobody takes the source out: that needs an order first.
  bool can_be_spared(int i) const {
    const auto& name = fleet_[i].name;
    return name != object_.record.current && name != object_.wanted;
  }

  void isolate_by_order(int i) {
    if (object_.isolated.erase(i) == 0) {
      if (!can_be_spared(i)) return;
      object_.isolated.insert(i);
    }
    timeline_.tell("{} is {}", fleet_[i].name, object_.isolated.contains(i) ? "isolated" : "back");
    operator_.wake();
  }

  void take_out(int i) {
    if (object_.unlisted.erase(i) != 0) {
      lose_source_within(milliseconds(1500));
    } else {
      if (!can_be_spared(i)) return;
      object_.unlisted.insert(i);
    }
    timeline_.tell("{} is {}", fleet_[i].name,
                   object_.unlisted.contains(i) ? "taken out" : "a member again");
    operator_.wake();
  }

  // While members come and go, it is the source's death that is the worst.
  void lose_source_within(Duration limit) {
    const int source = fleet_.index_of(object_.record.current);
    if (calm_ || source < 0 || !timeline_.chance.percent(15)) return;
    timeline_.after(timeline_.chance.between({}, limit), [this, source] {
      if (!calm_) fleet_.kill(source, timeline_.chance.between(milliseconds(300), seconds(3)));
    });
  }

  // The hardest case: it lives, is taken for dead, and hears from its replicas again while another
  // one is being put in its place.
  void isolate(int i) {
    for (int j = 0; j < fleet_.size(); ++j)
      if (j != i) fleet_.cut(i, j, true);
    operator_.cut(i, timeline_.chance.percent(70));
    timeline_.after(timeline_.chance.between(seconds(1), seconds(5)), [this, i] {
      for (int j = 0; j < fleet_.size(); ++j) fleet_.cut(i, j, false);
    });
  }

  // Partitions heal when it is worst: while the operator is changing sources.
  void strike_at(Step step) {
    if (calm_ || !timeline_.chance.percent(40)) return;
    timeline_.tell("at {}:", to_string(step));
    fleet_.heal();
  }

  // --- the end

  void converge() {
    timeline_.tell("faults end");
    calm_ = true;
    operator_.faults = {};
    deposed_.die();
    object_.taken.clear();
    object_.isolated.clear();
    object_.unlisted.clear();
    fleet_.heal();
    for (int i = 0; i < fleet_.size(); ++i) {
      operator_.cut(i, false);
      auto& s = fleet_[i];
      if (!s.running) s.starts_at = timeline_.now();
    }
    operator_.start();
    const auto limit = timeline_.now() + kConvergeWithin;
    auto well_since = TimePoint::max();
    while (holds()) {
      if (!timeline_.step()) return;
      check();
      const auto now = timeline_.now();
      if (!is_well())
        well_since = TimePoint::max();
      else if (well_since == TimePoint::max())
        well_since = now;
      if (is_well() && now - std::max(well_since, operator_.last_act()) >= kQuietFor) break;
      if (now >= limit) {
        broken_ = "no convergence: " + state();
        return;
      }
    }
    if (holds()) compare();
  }

  // Without writers every member comes to hold the same, and all that was acknowledged.
  void compare() {
    writing_ = false;
    const int source = fleet_.index_of(object_.record.current);
    const auto limit = timeline_.now() + kCatchUpWithin;
    int i = 0;
    while (holds() && i < fleet_.size()) {
      if (fleet_.holds_the_same(i, source)) {
        ++i;
        continue;
      }
      if (timeline_.now() >= limit || !timeline_.step())
        broken_ = fmt::format("{} does not come to hold what the source holds", fleet_[i].name);
    }
    if (holds() && !fleet_.has_all_acknowledged(source))
      broken_ = "acknowledged writes are missing at the end";
  }

  bool is_well() const {
    const auto& r = object_.record;
    return operator_.plan().ready && !r.operation && r.honored == object_.wanted;
  }

  std::string state() const {
    const auto& r = object_.record;
    std::string text =
        fmt::format("{} {} {}", r.current, r.operation ? to_string(r.operation->type) : "idle",
                    r.operation ? to_string(r.operation->step) : "");
    for (const auto& g : operator_.plan().guards) text += "; " + g.rule + ": " + g.text;
    return text;
  }

  Run report() {
    Run out{.seed = seed_,
            .violation = fleet_.violation().empty() ? broken_ : fleet_.violation(),
            .unsafe = !holds() && !broken_.starts_with("no convergence"),
            .acknowledged = fleet_.acknowledged_writes(),
            .changes = changes_,
            .rebuilds = rebuilds_,
            .left_out = left_out_,
            .decisions = operator_.decisions()};
    if (!out.violation.empty()) timeline_.tell("FAILED: {}", out.violation);
    out.story = timeline_.story();
    return out;
  }

  std::uint64_t seed_;
  Timeline timeline_;
  Fleet fleet_;
  Object object_;
  Operator operator_;
  Operator deposed_;
  bool calm_ = false;
  bool writing_ = true;
  std::string broken_;
  Epoch epoch_;
  std::string source_;
  Epoch source_epoch_;
  std::optional<Step> step_;
  std::size_t changes_ = 0;
  std::size_t rebuilds_ = 0;
  std::size_t left_out_ = 0;
  Quorum quorum_;
};

}  // namespace

Run simulate(std::uint64_t seed, bool tell, Rules rules) {
  return Simulation(seed, tell, rules).run();
}

}  // namespace troupe::mysql_topology::sim
