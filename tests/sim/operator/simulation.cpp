#include "tests/sim/operator/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "tests/sim/mysql/judge.hpp"
#include "tests/sim/mysql/strikes.hpp"
#include "tests/sim/operator/cluster.hpp"
#include "tests/sim/operator/process.hpp"

namespace troupe::operator_sim {
namespace {

using mysql_topology::sim::Judge;
using mysql_topology::sim::Strikes;
using sim::Invariant;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kFormWithin = seconds(60);
constexpr Duration kConvergeWithin = seconds(300);  // an order waits a minute after a failed try
constexpr Duration kWellFor = seconds(2);
constexpr Duration kLabelsWithin = seconds(30);
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
  Simulation(const Scenario& scenario, const Options& options)
      : scenario_(scenario),
        options_(options),
        timeline_(scenario.seed, scenario.tell),
        fleet_(timeline_, options.rules, members(), Upkeep::OnOrder),
        cluster_(timeline_, fleet_, scenario.seed),
        places_{Place(fleet_.size()), Place(fleet_.size())} {}

  Run run() {
    auto& chance = timeline_.chance;
    judge_.let_clients_write();
    for (auto& place : places_) {
      place.network.latency_max = milliseconds(chance.percent(80) ? 4 : 40);
      start(place);
    }
    const bool semi_sync = fleet_.size() > 1 && chance.percent(85);
    cluster_.apply_manifests(fleet_.size(), semi_sync, semi_sync && !chance.percent(8));
    const bool early = chance.percent(30);  // trouble while it still forms
    if (early)
      judge_.until(timeline_.now() + chance.between({}, seconds(8)));
    else
      judge_.await(all_is_well({}, kFormWithin), Invariant::ItConverges);
    const auto end = timeline_.now() + chance.between(seconds(2), seconds(10));
    for (auto& place : places_) worsen(place.network);
    strikes_.begin([this] { strike(); });
    judge_.until(end);
    if (judge_.holds()) converge();
    return report();
  }

 private:
  int members() {
    constexpr int kSizes[] = {1, 2, 3, 3, 3, 3, 3, 5};
    return kSizes[timeline_.chance.pick(8)];
  }

  // --- what must hold

  void look() {
    for (const auto& [name, stored] : cluster_.replications())
      judge_.saw_record(name, mysql_topology::Epoch{stored.epoch}, stored.current);
    const auto sources = cluster_.labelled("false").size();
    if (sources > 1 && labelled_ <= 1) ++two_labelled_;
    labelled_ = sources;
    for (auto& place : places_) {
      const bool leads = place.process && place.process->leads();
      if (leads && !place.led) ++leaders_;
      place.led = leads;
    }
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

  int somebody() { return strikes_.luck().pick(fleet_.size()); }
  int source_or_somebody() {
    const int source = fleet_.index_of(cluster_.replication().current);
    return source >= 0 && strikes_.luck().percent(60) ? source : somebody();
  }

  void strike() {
    auto& chance = strikes_.luck();
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
    timeline_.after(strikes_.luck().between(low, high), [this, what = std::move(what)] {
      if (!strikes_.ended()) what();
    });
  }

  // One operator, or both, reach a member no more.
  void cut(int i) {
    const bool both = strikes_.luck().percent(60);
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
    if (strikes_.luck().percent(70)) cut(i);
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
        strikes_.luck().percent(60) ? Process::ClockWas::Suspended : Process::ClockWas::Running;
    later(milliseconds(300), seconds(6), [&place, clock] {
      if (place.process) place.process->resume(clock);
    });
  }

  void hold_watches(Place& place) {
    timeline_.tell("what operator-{} watches comes late", &place - places_.data());
    place.network.watches_held_until =
        timeline_.now() + strikes_.luck().between(milliseconds(200), seconds(5));
  }

  void break_watches(Place& place) {
    if (!place.process) return;
    const bool expired = strikes_.luck().percent(50);
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
    strikes_.end();
    fleet_.heal();
    for (int i = 0; i < fleet_.size(); ++i)
      if (!fleet_[i].running) fleet_[i].starts_at = timeline_.now();
    for (auto& place : places_) {
      place.network.heal();
      if (place.process) place.process->resume(Process::ClockWas::Running);
      start(place);
    }
    cluster_.remove_rival();
    judge_.await(all_is_well(kWellFor, kConvergeWithin), Invariant::ItConverges);
    judge_.await({.reached = [this] { return labels_are_right(); },
                  .state = [this] { return state(); },
                  .within = kLabelsWithin},
                 Invariant::LabelsNameTheSource);
    if (judge_.holds()) judge_.compare(fleet_.index_of(cluster_.replication().current));
    judge_.await({.reached = [this] { return is_well() && labels_are_right(); },
                  .state = [this] { return state(); },
                  .lasting = kQuietFor,
                  .within = kQuietWithin,
                  .last_act = [this] { return last_act(); }},
                 Invariant::NothingIsWrittenAnyMore);
  }

  Judge::Goal all_is_well(Duration lasting, Duration within) const {
    return {.reached = [this] { return is_well(); },
            .state = [this] { return state(); },
            .lasting = lasting,
            .within = within};
  }

  TimePoint last_act() const {
    return std::max(places_[0].process->last_act(), places_[1].process->last_act());
  }

  bool is_well() const {
    const auto& r = cluster_.replication();
    return r.ready && r.operation.empty() && r.honored == r.spec_source && !cluster_.has_rival() &&
           cluster_.units_ready();
  }

  bool labels_are_right() const {
    return cluster_.labelled("false") == std::vector<std::string>{cluster_.replication().current} &&
           static_cast<int>(cluster_.labelled("true").size()) == fleet_.size() - 1;
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
    auto run = judge_.report(scenario_.seed);
    run.strikes = strikes_.count();
    run.counts["processes"] = processes_;
    run.counts["changes of leader"] = leaders_;
    run.counts["times two labels"] = two_labelled_;
    run.counts["runs of actors"] = runs_;
    run.counts["seconds simulated"] = static_cast<std::uint64_t>(
        std::chrono::duration_cast<seconds>(timeline_.now() - began_).count());
    return run;
  }

  const Scenario& scenario_;
  const Options& options_;
  Timeline timeline_;
  Strikes strikes_{timeline_, scenario_, {milliseconds(50), milliseconds(1500)}};
  const TimePoint began_ = timeline_.now();
  Fleet fleet_;
  Judge judge_{timeline_, fleet_, [this] { look(); }};
  Cluster cluster_;
  std::array<Place, 2> places_;
  std::size_t labelled_ = 0;
  std::uint64_t processes_ = 0;
  std::uint64_t leaders_ = 0;
  std::uint64_t two_labelled_ = 0;
  std::uint64_t runs_ = 0;
};

}  // namespace

Run simulate(const Scenario& scenario, const Options& options) {
  return Simulation(scenario, options).run();
}

}  // namespace troupe::operator_sim
