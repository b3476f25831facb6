#include "tests/sim/mysql_topology/simulation.hpp"

#include <algorithm>
#include <utility>

#include "tests/sim/mysql/judge.hpp"
#include "tests/sim/mysql/outside.hpp"
#include "tests/sim/mysql/strikes.hpp"
#include "tests/sim/mysql_topology/operator.hpp"

namespace troupe::mysql_topology::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kConvergeWithin = seconds(300);  // an order waits a minute after a failed try
constexpr Duration kQuietFor = seconds(2);

// How long faults last, how fast they follow one another, and for how long one cuts a member off.
struct Tempo {
  Duration least, most;
  Strikes::Pace pace;
  Duration cut_off;
};
constexpr Tempo kOurs{seconds(1), seconds(6), {milliseconds(20), milliseconds(700)}, seconds(5)};
// A group takes 20 s to find that a member is gone.
constexpr Tempo kOfAGroup{seconds(10), seconds(60), {milliseconds(50), seconds(6)}, seconds(40)};

class Simulation {
 public:
  Simulation(const Scenario& scenario, const Options& options)
      : scenario_(scenario),
        options_(options),
        timeline_(scenario.seed, scenario.tell),
        fleet_(timeline_, options.rules, members()),
        operator_(timeline_, options.engine, fleet_, object_),
        deposed_(timeline_, options.engine, fleet_, object_) {
    auto& chance = timeline_.chance;
    object_.mode = chance.percent(85) ? Mode::SemiSync : Mode::Async;
    object_.failover.enabled = object_.mode == Mode::SemiSync && !chance.percent(8);
    for (int i = 1; i < fleet_.size(); ++i)
      if (chance.percent(20)) object_.unlisted.insert(i);
    operator_.faults.latency_max = milliseconds(chance.percent(80) ? 4 : 60);
    if (options.outside) {
      add_some_outside(fleet_, chance);
      if (chance.percent(80)) object_.external = "donor";
    }
    if (options.group) object_.mode = Mode::Group;
  }

  Run run() {
    judge_.let_clients_write();
    operator_.start();
    const auto calm = timeline_.now() + timeline_.chance.between({}, seconds(2));
    const auto end =
        calm + (scenario_.lengthy ? troupe::sim::kLengthy
                                  : timeline_.chance.between(tempo().least, tempo().most));
    judge_.until(calm);
    operator_.faults.lose_percent = timeline_.chance.percent(50) ? timeline_.chance.pick(25) : 0;
    operator_.faults.double_percent = timeline_.chance.percent(50) ? timeline_.chance.pick(25) : 0;
    strikes_.begin([this] { strike(); });
    judge_.until(end);
    if (judge_.holds()) converge();
    return report();
  }

 private:
  const Tempo& tempo() const { return options_.group ? kOfAGroup : kOurs; }

  int members() {
    constexpr int kSizes[] = {1, 2, 3, 3, 3, 4, 5, 5};
    return kSizes[timeline_.chance.pick(8)];
  }

  void look() {
    const auto& record = object_.record;
    judge_.saw_record("the topology", record.epoch, record.current);
    if (!record.external.empty()) fleet_.check_that_nobody_writes();
    const auto before = std::exchange(seen_, record);
    if (record.external.empty() != before.external.empty()) ++fed_or_not_;
    if (record.current != before.current) wake_deposed(before);
    const auto& op = record.operation;
    if (record.epoch > before.epoch && op && op->type == OperationType::Rebuild) ++rebuilds_;
    if (record.quorum.members.size() < before.quorum.members.size()) ++left_;
    if (record.quorum != before.quorum) lose_source_within(milliseconds(60));
    if (op && step_ != op->step) strike_at(op->step);
    if (op && step_ != op->step && op->step == Step::Bootstrap) ++begun_;
    step_ = op ? std::optional(op->step) : std::nullopt;
  }

  // --- faults

  int somebody() { return strikes_.luck().pick(fleet_.size()); }
  int source_or_somebody() {
    const int source = fleet_.index_of(object_.record.current);
    return source >= 0 && strikes_.luck().percent(60) ? source : somebody();
  }

  void strike() {
    auto& chance = strikes_.luck();
    if (options_.outside && chance.percent(25)) return strike_outside();
    if (options_.group && chance.percent(15)) return strike_group(somebody());
    const int i = source_or_somebody();
    switch (chance.pick(19)) {
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
        return chance.percent(50) ? isolate(i) : fleet_.part(i, somebody(), some_cut(chance));
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
        return depose(object_.record, chance.between(milliseconds(500), seconds(4)));
      case 12:
        return take(somebody());
      case 13:
        return isolate_by_order(somebody());
      case 14:
        return take_out(somebody());
      case 15:
        return fill_disk(i);
      case 16:
        return lose_volume(somebody());
      case 17:
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

  void strike_outside() {
    sim::strike_outside(fleet_, strikes_.luck(),
                        {.member = source_or_somebody(),
                         .no_more = object_.external.empty() && object_.record.external.empty(),
                         .longest_outage = seconds(2),
                         .change_annotation = [this] {
                           object_.external = object_.external.empty() ? "donor" : "";
                           timeline_.tell("annotation external-source: '{}'", object_.external);
                           operator_.wake();
                         }});
  }

  // What a group cannot mend by itself.
  void strike_group(int i) {
    auto& chance = strikes_.luck();
    switch (chance.pick(3)) {
      case 0:
        return fleet_.purge(i);
      case 1:
        return lose_volume(i);
      default:
        for (int j = 0; j < fleet_.size(); ++j)
          fleet_.kill(j, chance.between(milliseconds(50), seconds(5)));
    }
  }

  void lose_volume(int i) {
    if (can_lose_volume(i))
      fleet_.delete_pod_and_volume(i, strikes_.luck().between(milliseconds(300), seconds(3)));
  }

  // A majority of those who count has all that was acknowledged without it: who has nothing says
  // the same after it has lost its volume as before anything was written. Where no group is, it
  // is a replica, and all others have theirs: what the operator cannot mend by itself is for a
  // person to decide.
  bool can_lose_volume(int i) const {
    const auto& quorum = object_.record.quorum;
    const auto& operation = object_.record.operation;
    if (!object_.failover.enabled && operation && operation->candidate == fleet_[i].name)
      return false;
    const auto have_all =
        std::count_if(quorum.members.begin(), quorum.members.end(), [&](const auto& name) {
          const int other = fleet_.index_of(name);
          return other != i && fleet_.has_all_acknowledged(other) &&
                 (!options_.group || !fleet_[other].executed.empty());
        });
    if (options_.group) return static_cast<std::size_t>(have_all) * 2 > quorum.members.size();
    return !options_.outside && fleet_[i].name != object_.record.current &&
           quorum.recovering.empty() &&
           static_cast<std::size_t>(have_all) + 1 >= quorum.members.size();
  }

  // Another replication gets the member's Unit, as when its label is edited by hand, takes the
  // member from its source and gives it back some time.
  void take(int i) {
    if (!object_.taken.insert(i).second) return;
    timeline_.tell("{} belongs to another replication", fleet_[i].name);
    operator_.wake();
    timeline_.after(strikes_.luck().between({}, milliseconds(400)), [this, i] {
      const auto& s = fleet_[i];
      if (strikes_.ended() || !object_.taken.contains(i) || !s.pod || !s.agent_up) return;
      const Command c{.member = s.name, .verb = Verb::StopReceiver, .epoch = {s.epoch.value + 1}};
      fleet_.command(
          i,
          {.command = c, .deadline = timeline_.now() + seconds(2), .answer = [](const Reply&) {}});
    });
    timeline_.after(strikes_.luck().between(milliseconds(100), seconds(4)), [this, i] {
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
    if (strikes_.ended() || source < 0 || !timeline_.chance.percent(15)) return;
    timeline_.after(timeline_.chance.between({}, limit), [this, source] {
      if (!strikes_.ended())
        fleet_.kill(source, timeline_.chance.between(milliseconds(300), seconds(3)));
    });
  }

  // The hardest case: it lives, is taken for dead, and hears from its replicas again while another
  // one is being put in its place.
  void isolate(int i) {
    const auto cut = some_cut(strikes_.luck());
    for (int j = 0; j < fleet_.size(); ++j) fleet_.part(i, j, cut);
    operator_.cut(i, strikes_.luck().percent(70));
    timeline_.after(strikes_.luck().between(seconds(1), tempo().cut_off), [this, i] {
      for (int j = 0; j < fleet_.size(); ++j) fleet_.reconnect(i, j);
    });
  }

  void fill_disk(int i) {
    fleet_.fill_disk(i);
    timeline_.after(strikes_.luck().between(milliseconds(200), seconds(5)),
                    [this, i] { fleet_.free_disk(i); });
  }

  void depose(const PersistedRecord& read, Duration life) {
    if (deposed_.alive()) return;
    deposed_.start_deposed(read);
    timeline_.after(life, [this] { deposed_.die(); });
  }

  // One that was paused wakes when there is another source, and knows the one before.
  void wake_deposed(const PersistedRecord& read) {
    auto& chance = timeline_.chance;
    if (strikes_.ended() || !chance.percent(20)) return;
    timeline_.after(chance.between({}, milliseconds(300)),
                    [this, read, life = chance.between(milliseconds(200), seconds(2))] {
                      if (!strikes_.ended()) depose(read, life);
                    });
  }

  // Partitions heal when it is worst: while the operator is changing sources.
  void strike_at(Step step) {
    if (strikes_.ended() || !timeline_.chance.percent(40)) return;
    timeline_.tell("at {}:", to_string(step));
    fleet_.heal();
  }

  // --- the end

  void converge() {
    timeline_.tell("faults end");
    strikes_.end();
    operator_.faults = {};
    deposed_.die();
    object_.taken.clear();
    object_.isolated.clear();
    object_.unlisted.clear();
    fleet_.mend();
    for (int i = 0; i < fleet_.size(); ++i) operator_.cut(i, false);
    // Half a clone can only be completed.
    const auto& op = object_.record.operation;
    if (op && op->type == OperationType::Attach) object_.external = "donor";
    operator_.start();
    judge_.await({.reached = [this] { return is_well(); },
                  .state = [this] { return state(); },
                  .lasting = kQuietFor,
                  .within = kConvergeWithin,
                  .last_act = [this] { return operator_.last_act(); }},
                 Invariant::ItConverges);
    if (judge_.holds()) judge_.compare(has_all(), fleet_.size());
  }

  // Whose data everybody has to have.
  int has_all() const {
    const auto& record = object_.record;
    return record.external.empty() ? fleet_.index_of(record.current) : fleet_.outside().value();
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
    auto run = judge_.report(scenario_.seed);
    run.strikes = strikes_.count();
    run.counts["rebuilds"] = rebuilds_;
    run.counts["members left"] = left_;
    if (options_.group) run.counts["groups begun"] = begun_;
    if (options_.outside) run.counts["sources outside followed or left"] = fed_or_not_;
    run.counts["decisions"] = operator_.decisions();
    return run;
  }

  const Scenario& scenario_;
  const Options& options_;
  Timeline timeline_;
  Strikes strikes_{timeline_, scenario_, tempo().pace};
  Fleet fleet_;
  Judge judge_{timeline_, fleet_, [this] { look(); }};
  Object object_;
  Operator operator_;
  Operator deposed_;
  PersistedRecord seen_;
  std::optional<Step> step_;
  std::uint64_t rebuilds_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t fed_or_not_ = 0;
  std::uint64_t begun_ = 0;
};

}  // namespace

Run simulate(const Scenario& scenario, const Options& options) {
  return Simulation(scenario, options).run();
}

}  // namespace troupe::mysql_topology::sim
