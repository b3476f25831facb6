#include "tests/sim/operator/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "tests/sim/mysql/judge.hpp"
#include "tests/sim/mysql/outside.hpp"
#include "tests/sim/mysql/strikes.hpp"
#include "tests/sim/operator/cluster.hpp"
#include "tests/sim/operator/process.hpp"

namespace troupe::operator_sim {
namespace {

using mysql_topology::sim::Cut;
using mysql_topology::sim::Judge;
using mysql_topology::sim::some_cut;
using mysql_topology::sim::Strikes;
using sim::Invariant;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kServers = 5;
constexpr Duration kFaultsLast = seconds(60);
constexpr Strikes::Pace kPace{.min = milliseconds(50),
                              .max = milliseconds(1500),
                              .burst = 4,
                              .calm_min = seconds(8),
                              .calm_max = seconds(24)};
// A group takes a member that is cut off for dead after 20 s.
constexpr Duration kCutOffMaxOfAGroup = seconds(40);
constexpr Duration kClocksDiffer = std::chrono::minutes(5);
constexpr Duration kFormWithin = seconds(60);
constexpr Duration kConvergeWithin = seconds(300);  // an order waits a minute after a failed try
constexpr Duration kWellFor = seconds(2);
constexpr Duration kLabelsWithin = seconds(30);
// The status tells numbers that moved every 15 seconds.
constexpr Duration kQuietFor = seconds(20);
constexpr Duration kQuietWithin = seconds(120);

// A place where the operator runs: one process after the other.
struct Place {
  explicit Place(int members) : machine(members) {}
  Machine machine;
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
        fleet_(timeline_, options.rules, kServers, Upkeep::OnOrder),
        cluster_(timeline_, fleet_, scenario.seed),
        places_{Place(kServers), Place(kServers)} {
    fleet_.on_turn([this](int member) {
      for (auto& place : places_)
        if (place.process) place.process->server_turned(member);
    });
    if (options.outside) add_some_outside(fleet_, timeline_.chance);
  }

  Run run() {
    auto& chance = timeline_.chance;
    judge_.let_clients_write();
    for (auto& place : places_) {
      place.machine.network.latency_max = milliseconds(chance.percent(80) ? 4 : 40);
      start(place);
    }
    const auto wanted = some_cluster();
    most_units_ = wanted.units;
    cluster_.apply_manifests(wanted);
    const bool early = chance.percent(30);  // trouble while it still forms
    if (early)
      judge_.until(timeline_.now() + chance.between({}, seconds(8)));
    else
      judge_.await(all_is_well({}, kFormWithin), Invariant::ItConverges);
    const auto end = timeline_.now() + (scenario_.lengthy ? sim::kLengthy : kFaultsLast);
    for (auto& place : places_) worsen(place.machine.network);
    strikes_.begin([this] { strike(); });
    judge_.until(end);
    if (judge_.holds()) converge();
    return report();
  }

 private:
  Cluster::Wanted some_cluster() {
    constexpr int kSizes[] = {1, 2, 3, 3, 3, 3, 3, kServers};
    auto& chance = timeline_.chance;
    Cluster::Wanted wanted{.units = kSizes[chance.pick(8)]};
    wanted.semi_sync = wanted.units > 1 && chance.percent(85);
    wanted.failover = wanted.semi_sync && !chance.percent(8);
    wanted.keeps_volumes = chance.percent(50);
    if (options_.group) {
      wanted.group = true;
      wanted.units = std::max(wanted.units, 2);
    }
    wanted.fed = options_.outside && chance.percent(80);
    return wanted;
  }

  // --- what must hold

  void look() {
    for (const auto& [name, stored] : cluster_.replications())
      judge_.saw_record(name, mysql_topology::Epoch{stored.epoch}, stored.current);
    if (is_fed()) fleet_.check_that_nobody_writes();
    if (std::exchange(was_fed_, is_fed()) != is_fed()) ++fed_or_not_;
    const bool two = cluster_.two_labelled_as_source();
    if (two && !two_are_labelled_) ++two_labelled_;
    two_are_labelled_ = two;
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
    place.process = Process::start({timeline_, fleet_, cluster_}, place.machine,
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

  int somebody() { return strikes_.luck().pick(cluster_.wanted().units); }
  int source() const { return fleet_.index_of(cluster_.replication().current); }
  bool is_fed() const { return !cluster_.replication().external.empty(); }
  int source_or_somebody() {
    return source() >= 0 && strikes_.luck().percent(60) ? source() : somebody();
  }

  void strike() {
    if (options_.outside && strikes_.luck().percent(30)) return strike_outside();
    const int of_a_hundred = strikes_.luck().pick(100);
    if (of_a_hundred < 30) return strike_server(source_or_somebody());
    if (of_a_hundred < 60) return strike_network(source_or_somebody());
    if (of_a_hundred < 85) return strike_operator(some_operator());
    order(source_or_somebody());
  }

  void strike_server(int i) {
    auto& chance = strikes_.luck();
    switch (chance.pick(7)) {
      case 0:
        return cluster_.delete_pod(i, chance.percent(40));
      case 1:
        return fleet_.restart_agent(i);
      case 2:
        return fill_disk(i);
      default:
        return fleet_.kill(i, chance.between(milliseconds(50), seconds(2)));
    }
  }

  void strike_outside() {
    if (strikes_.luck().percent(15)) return lose_secret();
    mysql_topology::sim::strike_outside(
        fleet_, strikes_.luck(),
        {.member = source_or_somebody(),
         .no_more = !cluster_.wanted().fed && !is_fed(),
         .longest_outage = seconds(20),
         .change_annotation = [this] { cluster_.feed(!cluster_.wanted().fed); }});
  }

  void strike_network(int i) {
    switch (strikes_.luck().pick(8)) {
      case 0:
      case 1:
        return cut(i);
      case 2:
      case 3:
      case 4:
        return isolate(i);
      case 5:
        return fleet_.part(i, somebody(), some_cut(strikes_.luck()));
      case 6:
        return slow_down(i);
      default:
        return heal_some();
    }
  }

  void strike_operator(Place& place) {
    switch (strikes_.luck().pick(9)) {
      case 0:
      case 1:
        return crash(place);
      case 2:
      case 3:
        return suspend(place);
      case 4:
        return hold_watches(place);
      case 5:
        return break_watches(place);
      case 6:
        return cut_api(place);
      case 7:
        for (auto& each : places_) cut_api(each);
        return;
      default:
        return set_clock(place);
    }
  }

  // What users do, whatever befalls.
  void order(int i) {
    switch (strikes_.luck().pick(7)) {
      case 0:
        return cluster_.take_unit(i);
      case 1:
        return rival();
      case 2:
        return isolate_by_order(somebody());
      case 3:
        return scale(1 + strikes_.luck().pick(kServers - 1));
      case 4:
        return cluster_.change_template();
      default:
        return order_source(somebody());
    }
  }

  void later(Duration low, Duration high, std::function<void()> what) {
    timeline_.after(strikes_.luck().between(low, high), [this, what = std::move(what)] {
      if (!strikes_.ended()) what();
    });
  }

  void fill_disk(int i) {
    fleet_.fill_disk(i);
    later(milliseconds(500), seconds(10), [this, i] { fleet_.free_disk(i); });
  }

  // One operator, or both, and a member: neither reaches the other any more, or one does not.
  void cut(int i) {
    const bool both = strikes_.luck().percent(60);
    const auto which = some_cut(strikes_.luck());
    for (auto& place : places_) {
      if (!both && &place != &places_[0]) continue;
      auto& link = place.machine.network.link(i);
      link.reaches = which == Cut::Back;
      link.hears = which == Cut::There;
    }
    constexpr std::string_view kHow[] = {"is cut off from", "does not hear", "is not heard by"};
    timeline_.tell("{} {} {}", fleet_[i].name, kHow[static_cast<int>(which)],
                   both ? "the operators" : "operator-0");
    if (strikes_.luck().percent(60)) later(seconds(1), seconds(15), [this, i] { reach(i); });
  }

  void reach(int i) {
    timeline_.tell("the operators reach {}", fleet_[i].name);
    for (auto& place : places_) place.machine.network.link(i) = {};
  }

  void heal_some() {
    timeline_.tell("partitions heal");
    fleet_.heal();
    for (auto& place : places_)
      for (auto& link : place.machine.network.links) link = {};
  }

  // The hardest case: it lives, is taken for dead, and hears from its replicas again while another
  // one is being put in its place.
  void isolate(int i) {
    const auto which = some_cut(strikes_.luck());
    for (int j = 0; j < fleet_.size(); ++j) fleet_.part(i, j, which);
    if (strikes_.luck().percent(70)) cut(i);
    later(seconds(1), options_.group ? kCutOffMaxOfAGroup : seconds(6), [this, i] {
      for (int j = 0; j < fleet_.size(); ++j) fleet_.reconnect(i, j);
    });
  }

  void slow_down(int i) {
    const auto by = strikes_.luck().between(milliseconds(200), seconds(4));
    timeline_.tell("{} answers late", fleet_[i].name);
    for (auto& place : places_) place.machine.network.link(i).slow = by;
    later(seconds(1), seconds(8), [this, i] {
      for (auto& place : places_) place.machine.network.link(i).slow = {};
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
    later(milliseconds(300), seconds(8), [&place, clock] {
      if (place.process) place.process->resume(clock);
    });
  }

  void set_clock(Place& place) {
    place.machine.wall_is_off = strikes_.luck().between(-kClocksDiffer, kClocksDiffer);
    timeline_.tell("the clock of operator-{} is set", &place - places_.data());
  }

  void hold_watches(Place& place) {
    timeline_.tell("what operator-{} watches comes late", &place - places_.data());
    place.machine.network.watches_held_until =
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
    place.machine.network.api_cut = true;
    if (place.process) place.process->break_watches();
    later(milliseconds(500), seconds(6), [this, &place] {
      timeline_.tell("operator-{} reaches the API server again", &place - places_.data());
      place.machine.network.api_cut = false;
    });
  }

  void lose_secret() {
    cluster_.describe_outside(false);
    later(seconds(1), seconds(15), [this] { cluster_.describe_outside(true); });
  }

  void rival() {
    cluster_.add_rival();
    later(seconds(1), seconds(6), [this] { cluster_.remove_rival(); });
  }

  void order_source(int i) {
    if (!cluster_.wanted().isolated.contains(i)) cluster_.order_source(i);
  }

  // Nobody takes the source out, or apart: that needs an order first.
  bool can_be_spared(int i) const { return i != source() && i != cluster_.wanted().source; }

  void isolate_by_order(int i) {
    const bool is_isolated = cluster_.wanted().isolated.contains(i);
    if (is_isolated || can_be_spared(i)) cluster_.isolate(i, !is_isolated);
  }

  void scale(int units) {
    const auto& wanted = cluster_.wanted();
    if ((wanted.semi_sync || wanted.group) && units < 2) return;
    for (int i = units; i < wanted.units; ++i)
      if (!can_be_spared(i)) return order_source(0);
    most_units_ = std::max(most_units_, units);
    if (units != wanted.units) cluster_.scale(units);
  }

  // --- the end

  void converge() {
    timeline_.tell("faults end");
    strikes_.end();
    fleet_.mend();
    for (auto& place : places_) {
      place.machine.network.heal();
      if (place.process) place.process->resume(Process::ClockWas::Running);
      start(place);
    }
    take_orders_back();
    judge_.await(all_is_well(kWellFor, kConvergeWithin), Invariant::ItConverges);
    judge_.await({.reached = [this] { return labels_are_right(); },
                  .state = [this] { return state(); },
                  .within = kLabelsWithin},
                 Invariant::LabelsNameTheSource);
    if (judge_.holds())
      judge_.compare(is_fed() ? fleet_.outside().value() : source(), cluster_.wanted().units);
    judge_.await({.reached = [this] { return is_well() && labels_are_right(); },
                  .state = [this] { return state(); },
                  .lasting = kQuietFor,
                  .within = kQuietWithin,
                  .last_act = [this] { return last_act(); }},
                 Invariant::NothingIsWrittenAnyMore);
  }

  // Whom a failover under way may need is made a member again, as the guards would ask for.
  void take_orders_back() {
    cluster_.remove_rival();
    const auto isolated = cluster_.wanted().isolated;
    for (const int i : isolated) cluster_.isolate(i, false);
    const auto& r = cluster_.replication();
    if (!r.operation.empty() || source() >= cluster_.wanted().units) cluster_.scale(most_units_);
    if (!options_.outside) return;
    cluster_.describe_outside(true);
    // Half a clone can only be completed.
    if (r.operation.starts_with("Attach")) cluster_.feed(true);
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
           cluster_.units_ready() && cluster_.unit_set_settled();
  }

  bool labels_are_right() const {
    return cluster_.labelled("false") == std::vector<std::string>{cluster_.replication().current} &&
           static_cast<int>(cluster_.labelled("true").size()) == cluster_.wanted().units - 1;
  }

  std::string state() const {
    const auto& r = cluster_.replication();
    std::string text = fmt::format("source {}, {}, {}{}; labelled as source: {}; Units {}",
                                   r.current, r.operation.empty() ? "idle" : r.operation,
                                   r.ready ? "ready" : "not ready: ", r.trouble,
                                   fmt::join(cluster_.labelled("false"), ", "),
                                   !cluster_.units_ready()        ? "not ready"
                                   : !cluster_.unit_set_settled() ? "not settled"
                                                                  : "ready");
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
    if (options_.outside) run.counts["sources outside followed or left"] = fed_or_not_;
    run.counts["runs of actors"] = runs_;
    run.counts["seconds simulated"] = static_cast<std::uint64_t>(
        std::chrono::duration_cast<seconds>(timeline_.now() - began_).count());
    return run;
  }

  const Scenario& scenario_;
  const Options& options_;
  Timeline timeline_;
  Strikes strikes_{timeline_, scenario_, kPace};
  const TimePoint began_ = timeline_.now();
  Fleet fleet_;
  Judge judge_{timeline_, fleet_, [this] { look(); }};
  Cluster cluster_;
  std::array<Place, 2> places_;
  int most_units_ = 0;
  bool two_are_labelled_ = false;
  bool was_fed_ = false;
  std::uint64_t processes_ = 0;
  std::uint64_t leaders_ = 0;
  std::uint64_t two_labelled_ = 0;
  std::uint64_t fed_or_not_ = 0;
  std::uint64_t runs_ = 0;
};

}  // namespace

Run simulate(const Scenario& scenario, const Options& options) {
  return Simulation(scenario, options).run();
}

}  // namespace troupe::operator_sim
