#include "tests/sim/operator/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>

#include "tests/sim/operator/cluster.hpp"
#include "tests/sim/operator/process.hpp"

namespace troupe::operator_sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFormWithin = seconds(60);
constexpr Duration kConvergeWithin = seconds(300);  // an order waits a minute after a failed try
constexpr Duration kCatchUpWithin = seconds(60);
constexpr Duration kWellFor = seconds(2);
// The status tells numbers that moved every 15 seconds.
constexpr Duration kQuietFor = seconds(20);
constexpr Duration kQuietWithin = seconds(120);

// A place where the operator runs: one process after the other.
struct Place {
  explicit Place(int members) : network(members) {}
  Network network;
  std::shared_ptr<Process> process;
  int lives = 0;
  bool led = false;
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, const Options& options)
      : seed_(seed),
        options_(options),
        timeline_(seed, options.tell),
        fleet_(timeline_, options.rules, members(), Upkeep::OnOrder),
        cluster_(timeline_, fleet_, seed),
        places_{Place(fleet_.size()), Place(fleet_.size())} {}

  Run run() {
    auto& chance = timeline_.chance;
    write();
    for (auto& place : places_) {
      place.network.latency_max = milliseconds(chance.percent(80) ? 4 : 40);
      start(place);
    }
    const bool semi_sync = fleet_.size() > 1 && chance.percent(85);
    cluster_.apply_manifests(fleet_.size(), semi_sync, semi_sync && !chance.percent(8));
    const bool early = chance.percent(30);  // trouble while it still forms
    if (early)
      until(timeline_.now() + chance.between({}, seconds(8)));
    else
      form();
    const auto end = timeline_.now() + chance.between(seconds(2), seconds(10));
    for (auto& place : places_) worsen(place.network);
    trouble();
    until(end);
    if (holds()) converge();
    return report();
  }

 private:
  int members() {
    constexpr int kSizes[] = {1, 2, 3, 3, 3, 3, 3, 5};
    return kSizes[timeline_.chance.pick(8)];
  }

  bool holds() const { return fleet_.violation().empty() && broken_.empty(); }

  bool step() {
    if (!holds() || !timeline_.step()) return false;
    check();
    return holds();
  }
  void until(TimePoint t) {
    while (timeline_.now() < t && step()) {
    }
  }

  void form() {
    const auto limit = timeline_.now() + kFormWithin;
    while (!is_well() && step())
      if (timeline_.now() >= limit) {
        broken_ = "it does not form: " + state();
        return;
      }
  }

  void write() {
    timeline_.after(timeline_.chance.between(milliseconds(2), milliseconds(30)), [this] {
      if (writing_) fleet_.write_somewhere();
      write();
    });
  }

  // --- what must hold

  struct Seen {
    std::uint64_t epoch = 0;
    std::string current;
    std::uint64_t current_since = 0;  // epoch
  };

  void check() {
    fleet_.check_writers();
    for (const auto& [name, stored] : cluster_.replications()) check_record(name, stored);
    const auto sources = cluster_.labelled("false").size();
    if (sources > 1 && labelled_ <= 1) ++two_labelled_;
    labelled_ = sources;
    for (auto& place : places_) {
      const bool leads = place.process && place.process->leads();
      if (leads && !place.led) ++leaders_;
      place.led = leads;
    }
  }

  void check_record(const std::string& name, const Stored& stored) {
    auto& seen = seen_[name];
    if (stored.epoch < seen.epoch) broken_ = "the epoch on record has fallen";
    if (stored.current != seen.current && !seen.current.empty()) {
      ++changes_;
      if (stored.epoch <= seen.current_since) broken_ = "another source in the same epoch";
    }
    if (stored.current != seen.current) seen.current_since = stored.epoch;
    seen.current = stored.current;
    seen.epoch = stored.epoch;
  }

  // --- operators

  void start(Place& place) {
    if (place.process) return;
    const auto which = &place - places_.data();
    place.process = Process::start({timeline_, fleet_, cluster_}, place.network,
                                   {.name = fmt::format("operator-{}.{}", which, ++place.lives),
                                    .seed = timeline_.chance.next(),
                                    .kinds = options_.kinds});
    ++processes_;
  }

  void stop(Place& place) {
    if (!place.process) return;
    runs_ += place.process->runs();
    place.process.reset();
  }

  Place& somewhere() { return places_[static_cast<std::size_t>(timeline_.chance.pick(2))]; }
  // As a rule the one that leads: what befalls the other matters less.
  Place& some_operator() {
    for (auto& place : places_)
      if (place.process && place.process->leads() && timeline_.chance.percent(80)) return place;
    return somewhere();
  }

  // --- faults

  void worsen(Network& network) {
    auto& chance = timeline_.chance;
    network.lose_percent = chance.percent(50) ? chance.pick(20) : 0;
    network.double_percent = chance.percent(50) ? chance.pick(20) : 0;
    network.refuse_percent = chance.percent(50) ? chance.pick(20) : 0;
  }

  void trouble() {
    timeline_.after(timeline_.chance.between(milliseconds(50), milliseconds(1500)), [this] {
      if (calm_) return;
      strike();
      trouble();
    });
  }

  int somebody() { return timeline_.chance.pick(fleet_.size()); }
  int source_or_somebody() {
    const int source = fleet_.index_of(cluster_.replication().current);
    return source >= 0 && timeline_.chance.percent(60) ? source : somebody();
  }

  void strike() {
    auto& chance = timeline_.chance;
    const int i = source_or_somebody();
    switch (chance.pick(20)) {
      case 0:
      case 1:
      case 2:
        return fleet_.kill(i, chance.between(milliseconds(50), seconds(2)));
      case 3:
        return cluster_.delete_pod(i, chance.percent(40));
      case 4:
      case 5:
        return cut(i);
      case 6:
      case 7:
        return isolate(i);
      case 8:
        return fleet_.cut(i, somebody(), true);
      case 9:
        return heal_some();
      case 10:
      case 11:
        return crash(some_operator());
      case 12:
      case 13:
        return suspend(some_operator());
      case 14:
        return hold_watches(some_operator());
      case 15:
        return break_watches(some_operator());
      case 16:
        return cut_api(some_operator());
      case 17:
        return fleet_.restart_agent(i);
      case 18:
        return chance.percent(50) ? cluster_.take_unit(i) : rival();
      default:
        return cluster_.order_source(somebody());
    }
  }

  void later(Duration low, Duration high, std::function<void()> what) {
    timeline_.after(timeline_.chance.between(low, high), [this, what = std::move(what)] {
      if (!calm_) what();
    });
  }

  // One operator, or both, reach a member no more.
  void cut(int i) {
    const bool both = timeline_.chance.percent(60);
    for (auto& place : places_)
      if (both || &place == &places_[0])
        place.network.cut_off[static_cast<std::size_t>(i)] = {true, timeline_.now()};
    timeline_.tell("{} is cut off from {}", fleet_[i].name, both ? "the operators" : "operator-0");
  }

  void heal_some() {
    timeline_.tell("partitions heal");
    fleet_.heal();
    for (auto& place : places_)
      for (auto& c : place.network.cut_off) c = {};
  }

  // The hardest case: it lives, is taken for dead, and hears from its replicas again while another
  // one is being put in its place.
  void isolate(int i) {
    for (int j = 0; j < fleet_.size(); ++j)
      if (j != i) fleet_.cut(i, j, true);
    if (timeline_.chance.percent(70)) cut(i);
    later(seconds(1), seconds(6), [this, i] {
      for (int j = 0; j < fleet_.size(); ++j) fleet_.cut(i, j, false);
    });
  }

  void crash(Place& place) {
    stop(place);
    later(milliseconds(10), seconds(2), [this, &place] { start(place); });
  }

  void suspend(Place& place) {
    if (!place.process || place.process->paused()) return;
    place.process->pause();
    const auto clock =
        timeline_.chance.percent(60) ? Process::ClockWas::Suspended : Process::ClockWas::Running;
    later(milliseconds(300), seconds(6), [&place, clock] {
      if (place.process) place.process->resume(clock);
    });
  }

  void hold_watches(Place& place) {
    timeline_.tell("what operator-{} watches comes late", &place - places_.data());
    place.network.watches_held_until =
        timeline_.now() + timeline_.chance.between(milliseconds(200), seconds(5));
  }

  void break_watches(Place& place) {
    if (!place.process) return;
    const bool expired = timeline_.chance.percent(50);
    timeline_.tell("the watches of {} break{}", place.process->name(),
                   expired ? ", and what they stood at is compacted" : "");
    if (expired) cluster_.compact();
    place.process->break_watches();
  }

  void cut_api(Place& place) {
    timeline_.tell("operator-{} is cut off from the API server", &place - places_.data());
    place.network.api_cut = true;
    if (place.process) place.process->break_watches();
    later(milliseconds(500), seconds(6), [this, &place] {
      timeline_.tell("operator-{} reaches the API server again", &place - places_.data());
      place.network.api_cut = false;
    });
  }

  void rival() {
    cluster_.add_rival(fleet_.size());
    later(seconds(1), seconds(6), [this] { cluster_.remove_rival(); });
  }

  // --- the end

  void converge() {
    timeline_.tell("faults end");
    calm_ = true;
    fleet_.heal();
    for (int i = 0; i < fleet_.size(); ++i)
      if (!fleet_[i].running) fleet_[i].starts_at = timeline_.now();
    for (auto& place : places_) {
      place.network.heal();
      if (place.process) place.process->resume(Process::ClockWas::Running);
      start(place);
    }
    cluster_.remove_rival();
    const auto limit = timeline_.now() + kConvergeWithin;
    auto well_since = TimePoint::max();
    while (step()) {
      const auto now = timeline_.now();
      if (!is_well())
        well_since = TimePoint::max();
      else if (well_since == TimePoint::max())
        well_since = now;
      if (is_well() && now - well_since >= kWellFor) break;
      if (now >= limit) broken_ = "no convergence: " + state();
    }
    if (holds()) compare();
    if (holds()) be_quiet();
  }

  // Without writers every member comes to hold the same, and all that was acknowledged.
  void compare() {
    writing_ = false;
    const int source = fleet_.index_of(cluster_.replication().current);
    const auto limit = timeline_.now() + kCatchUpWithin;
    int i = 0;
    while (holds() && i < fleet_.size()) {
      if (fleet_.holds_the_same(i, source)) {
        ++i;
        continue;
      }
      if (timeline_.now() >= limit || !step())
        broken_ = fmt::format("{} does not come to hold what the source holds", fleet_[i].name);
    }
    if (holds() && !fleet_.has_all_acknowledged(source))
      broken_ = "acknowledged writes are missing at the end";
  }

  void be_quiet() {
    const auto limit = timeline_.now() + kQuietWithin;
    const auto last_act = [this] {
      TimePoint last;
      for (const auto& place : places_) last = std::max(last, place.process->last_act());
      return last;
    };
    while (timeline_.now() - last_act() < kQuietFor && step())
      if (timeline_.now() >= limit) broken_ = "no quiet: " + state();
    if (holds() && !is_well()) broken_ = "it was well, and is not any more: " + state();
  }

  bool is_well() const {
    const auto& r = cluster_.replication();
    return r.ready && r.operation.empty() && r.honored == r.spec_source && !cluster_.has_rival() &&
           cluster_.labelled("false") == std::vector<std::string>{r.current} &&
           static_cast<int>(cluster_.labelled("true").size()) == fleet_.size() - 1 &&
           cluster_.units_ready();
  }

  std::string state() const {
    const auto& r = cluster_.replication();
    std::string text = fmt::format("source {}, {}, {}{}; labelled as source: {}; Units {}",
                                   r.current, r.operation.empty() ? "idle" : r.operation,
                                   r.ready ? "ready" : "not ready: ", r.trouble,
                                   fmt::join(cluster_.labelled("false"), ", "),
                                   cluster_.units_ready() ? "ready" : "not ready");
    for (const auto& place : places_)
      if (place.process && place.process->leads())
        text += fmt::format("; {}: {}", place.process->name(), place.process->doing());
    return text;
  }

  Run report() {
    for (auto& place : places_) stop(place);
    const auto& violation = fleet_.violation().empty() ? broken_ : fleet_.violation();
    const bool late = broken_.starts_with("no convergence") || broken_.starts_with("no quiet") ||
                      broken_.starts_with("it does not form");
    if (!violation.empty()) timeline_.tell("FAILED: {}", violation);
    return {.seed = seed_,
            .violation = violation,
            .unsafe = !violation.empty() && !late,
            .story = timeline_.story(),
            .acknowledged = fleet_.acknowledged_writes(),
            .changes = changes_,
            .processes = processes_,
            .leaders = leaders_,
            .two_labelled = two_labelled_,
            .runs = runs_,
            .simulated_seconds =
                std::chrono::duration<double>(timeline_.now().time_since_epoch()).count() - 100};
  }

  const std::uint64_t seed_;
  const Options& options_;
  Timeline timeline_;
  Fleet fleet_;
  Cluster cluster_;
  std::array<Place, 2> places_;
  bool calm_ = false;
  bool writing_ = true;
  std::string broken_;
  std::map<std::string, Seen> seen_;
  std::size_t labelled_ = 0;
  std::size_t changes_ = 0;
  std::size_t processes_ = 0;
  std::size_t leaders_ = 0;
  std::size_t two_labelled_ = 0;
  std::uint64_t runs_ = 0;
};

}  // namespace

Run simulate(std::uint64_t seed, const Options& options) { return Simulation(seed, options).run(); }

}  // namespace troupe::operator_sim
