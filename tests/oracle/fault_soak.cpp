#include "tests/oracle/fault_soak.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/model/json_text.hpp"
#include "tests/oracle/judgement.hpp"
#include "tests/oracle/readers.hpp"
#include "tests/oracle/say.hpp"
#include "tests/oracle/strike.hpp"
#include "tests/oracle/surroundings.hpp"
#include "tests/oracle/until_stopped.hpp"
#include "tests/oracle/writers.hpp"

namespace troupe::oracle {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr seconds kWritesFlow(60);
// A server that waited for room looks again after a minute; a rebuild takes half of one.
constexpr seconds kWholeAgain(180);
constexpr std::uint64_t kCalm = 200;  // acknowledged writes
constexpr std::size_t kServiceWriters = 2;
constexpr WriterOptions kPace{.rows_a_second = 100};
constexpr std::uint64_t kLittleRoom = std::uint64_t{64} << 20;  // volumes have 2 GiB

// Where the members are: their Pods get other addresses when they are made anew.
class Whereabouts {
 public:
  explicit Whereabouts(const MysqlCluster& cluster) {
    look(cluster);
    thread_.start(1, [this, &cluster](std::size_t) {
      while (!thread_.stopping()) {
        thread_.pause_until(Clock::now() + seconds(2));
        look(cluster);
      }
    });
  }
  // Nothing until it is known.
  std::optional<Address> of(const std::string& member) const {
    const std::scoped_lock lock(mutex_);
    const auto found = known_.find(member);
    return found == known_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  void look(const MysqlCluster& cluster) {
    for (const auto& [name, pod] : cluster.situation().pods) {
      const std::scoped_lock lock(mutex_);
      if (!pod.host.empty()) known_[name] = MysqlCluster::address_of(pod);
    }
  }

  mutable std::mutex mutex_;
  std::map<std::string, Address> known_;
  UntilStopped thread_;  // the first to go
};

class ScheduleRun {
 public:
  ScheduleRun(const Kubectl& kubectl, const FaultSchedule& schedule, const OperatorControl& control)
      : kubectl_(kubectl), schedule_(schedule), control_(control), cluster_(kubectl) {}

  ScheduleResult run() {
    if (!begin()) return result_;
    const auto began = Clock::now();
    for (const auto& burst : schedule_.bursts) strike(burst);
    const auto healed = Clock::now();
    if (!eventually(kWholeAgain, [&] { return cluster_.is_whole(); }))
      return fail(fmt::format("not whole {} s after the last fault: {}", kWholeAgain.count(),
                              cluster_.state()));
    result_.whole_after = duration_cast<milliseconds>(Clock::now() - healed);
    if (!flow(*through_service_)) return result_;
    result_.longest_outage = through_service_->longest_gap(began, Clock::now());
    judge();
    return result_;
  }

 private:
  ScheduleResult fail(std::string problem) {
    result_.problem = std::move(problem);
    return result_;
  }

  bool begin() {
    if (!eventually(kWholeAgain, [&] { return cluster_.is_whole(); }))
      return fail("not whole before it began: " + cluster_.state()), false;
    members_ = cluster_.members();
    if (members_.size() != 3) return fail("not three members: " + cluster_.state()), false;
    epoch_ = epoch();
    // What schedules before this one have written is needed by nobody.
    for (const auto& member : members_)
      cluster_.query(member, "FLUSH BINARY LOGS; PURGE BINARY LOGS BEFORE NOW()");
    if (const auto problem = cluster_.prepare_writers())
      return fail("no account and table for the writers: " + *problem), false;
    whereabouts_.emplace(cluster_);
    const auto are_known = [&] {
      return std::all_of(members_.begin(), members_.end(),
                         [&](const auto& member) { return whereabouts_->of(member).has_value(); });
    };
    if (!eventually(kWritesFlow, are_known)) return fail("a member has no address"), false;
    std::vector<Writers::Route> routes;
    for (const auto& member : members_)
      routes.emplace_back([this, member] { return *whereabouts_->of(member); });
    auto options = kPace;
    to_members_.emplace(std::move(routes), options);
    options.first_id = members_.size();
    through_service_.emplace(std::vector<Address>(kServiceWriters, cluster_.read_write()), options);
    readers_.emplace(std::vector{cluster_.read_write(), cluster_.read_only()});
    to_members_->start();
    through_service_->start();
    readers_->start();
    return flow(*to_members_) && flow(*through_service_);
  }

  // None is below 1; where the API server is slow, it is asked again.
  std::int64_t epoch() const {
    std::int64_t now = 0;
    eventually(kWritesFlow, [&] { return (now = cluster_.epoch()) > 0; });
    return now;
  }

  bool flow(const Writers& writers) {
    if (writers.flow(kCalm, kWritesFlow)) return true;
    fail(fmt::format("no {} writes were acknowledged within {} s: {}", kCalm, kWritesFlow.count(),
                     cluster_.state()));
    return false;
  }

  // --- faults

  // When each begins and ends is the schedule's: these times are waited for and nothing else.
  void strike(const Burst& burst) {
    began_ = Clock::now();
    for (const auto& fault : burst.faults) {
      pass_until(began_ + fault.at);
      strike(fault);
    }
    while (!standing_.empty()) pass_until(next_end());
    pass_until(Clock::now() + burst.calm);
  }

  void strike(const ScheduledFault& fault) {
    ++result_.faults;
    const auto situation = cluster_.situation();
    const auto victim = pod_of(fault.victim, situation);
    auto done = carry_out(fault, victim, situation);
    tell(fmt::format("{}{}{}", to_string(fault),
                     fault.fault == Fault::KillOperator ? "" : " (" + victim.name + ")",
                     done ? "" : ": not possible"));
    if (!done) ++result_.not_possible;
    if (done && *done)
      standing_.push_back({Clock::now() + fault.lasts, std::move(*done), to_string(fault)});
  }

  // What takes it back, which may be nothing; or nothing at all where it could not be done.
  std::optional<TakeBack> carry_out(const ScheduledFault& fault, const MemberPod& victim,
                                    const MysqlCluster::Situation& situation) {
    switch (fault.fault) {
      case Fault::KillServer:
        return struck(victim, Strike::Process);
      case Fault::PauseServer:
        return struck(victim, Strike::Pause);
      case Fault::CutOff:
        return struck(victim, Strike::CutOff);
      case Fault::KillPod:
        return struck(victim, Strike::Pod);
      case Fault::DeletePod:
        if (kubectl_({"delete", "pod", victim.name, "--wait=false"}).status != 0)
          return std::nullopt;
        return TakeBack{};
      case Fault::LoseSight:
        return lose_sight_of(victim);
      case Fault::Part:
        return part(victim, pod_of(fault.other, situation));
      case Fault::Silence:
        return silence(victim, pod_of(fault.other, situation));
      case Fault::FillVolume:
        return fill_volume(cluster_, victim.name, 0);
      case Fault::CrowdVolume:
        return fill_volume(cluster_, victim.name, kLittleRoom);
      case Fault::KillOperator:
        if (!control_.kill()) return std::nullopt;
        return control_.start;
    }
    return std::nullopt;
  }

  std::optional<TakeBack> struck(const MemberPod& victim, Strike how) const {
    const auto done = oracle::strike(kubectl_, victim, how);
    if (!done) return std::nullopt;
    if (how == Strike::Process || how == Strike::Pod) return TakeBack{};
    return [struck = *done] {
      release(struck);
      return true;
    };
  }

  // One without anything of a Pod while there is none.
  MemberPod pod_of(Victim victim, const MysqlCluster::Situation& now) const {
    auto replicas = members_;
    std::erase(replicas, now.source);
    const auto name = victim == Victim::Source    ? now.source
                      : victim == Victim::Replica ? replicas.front()
                                                  : replicas.back();
    const auto found = now.pods.find(name);
    return found == now.pods.end() ? MemberPod{.name = name} : found->second;
  }

  // --- time

  struct Standing {
    Clock::time_point until;
    TakeBack take_back;
    std::string what;
  };

  Clock::time_point next_end() const {
    return std::min_element(standing_.begin(), standing_.end(),
                            [](const auto& a, const auto& b) { return a.until < b.until; })
        ->until;
  }

  // Taking back what is over meanwhile.
  void pass_until(Clock::time_point t) {
    while (!standing_.empty() && next_end() <= t) {
      const auto end = next_end();
      std::this_thread::sleep_until(end);
      for (auto& one : standing_)
        if (one.until == end) take_back(one);
      std::erase_if(standing_, [&](const auto& one) { return one.until == end; });
    }
    std::this_thread::sleep_until(t);
  }

  void take_back(const Standing& one) {
    const bool done = one.take_back();
    tell(fmt::format("over: {}{}", one.what, done ? "" : ": could not be taken back"));
    if (!done && result_.problem.empty()) fail("could not be taken back: " + one.what);
  }

  void tell(const std::string& what) const {
    say(fmt::format("    {:5.1f} s  {}", milliseconds_between(began_, Clock::now()) / 1000, what));
  }

  // --- the end

  void judge() {
    to_members_->stop();
    through_service_->stop();
    readers_->stop();
    result_.acknowledged = to_members_->acknowledged() + through_service_->acknowledged();
    result_.reads = readers_->reads();
    result_.epochs = epoch() - epoch_;
    const auto verdict = judge_members(cluster_, {&*to_members_, &*through_service_});
    result_.lost = verdict.lost;
    result_.doubled = verdict.doubled;
    const auto rows = read_rows(cluster_.read_write());
    if (rows.error.empty()) result_.shown_and_gone = readers_->missing_in(rows);
    const auto handovers = to_members_->handovers();
    if (!result_.problem.empty()) return;
    if (!verdict.good())
      fail(fmt::format("{} acknowledged writes lost, {} doubled {}", verdict.lost, verdict.doubled,
                       verdict.problem));
    else if (handovers > result_.epochs)
      fail(fmt::format("two could write: the right to has moved {} times in {} epochs", handovers,
                       result_.epochs));
    else if (const auto difference = difference_of_members(cluster_))
      fail("the members differ: " + *difference);
  }

  const Kubectl& kubectl_;
  const FaultSchedule& schedule_;
  const OperatorControl& control_;
  const MysqlCluster cluster_;
  ScheduleResult result_;
  std::vector<std::string> members_;
  std::int64_t epoch_ = 0;  // in the beginning
  std::optional<Whereabouts> whereabouts_;
  std::optional<Writers> to_members_, through_service_;
  std::optional<Readers> readers_;
  Clock::time_point began_;  // the burst
  std::vector<Standing> standing_;
};

class FaultSoak {
 public:
  FaultSoak(const Kubectl& kubectl, const FaultSoakOptions& options)
      : kubectl_(kubectl), options_(options) {}

  int run() {
    const auto end = Clock::now() + options_.duration;
    for (int i = 0; options_.schedules == 0 ? Clock::now() < end : i < options_.schedules; ++i)
      if (!one(options_.seed + static_cast<std::uint64_t>(i))) break;
    report();
    return problem_.empty() && schedules_ > 0 ? 0 : 1;
  }

 private:
  bool one(std::uint64_t seed) {
    const auto schedule = fault_schedule(seed);
    say(to_string(schedule));
    const auto result = run_schedule(kubectl_, schedule, options_.control);
    ++schedules_;
    faults_ += result.faults - result.not_possible;
    epochs_ += result.epochs;
    acknowledged_ += result.acknowledged;
    lost_ += result.lost;
    doubled_ += result.doubled;
    reads_ += result.reads;
    shown_and_gone_ += result.shown_and_gone;
    longest_outage_ = std::max(longest_outage_, result.longest_outage);
    longest_to_whole_ = std::max(longest_to_whole_, result.whole_after);
    say(fmt::format(
        "  {} of {} faults struck, {} epochs, {} writes acknowledged, {} reads of which "
        "{} are gone, no write for {} ms at most, whole after {:.1f} s",
        result.faults - result.not_possible, result.faults, result.epochs, result.acknowledged,
        result.reads, result.shown_and_gone, result.longest_outage.count(),
        std::chrono::duration<double>(result.whole_after).count()));
    if (result.problem.empty()) return true;
    problem_ = fmt::format("{} (seed {})", result.problem, seed);
    say("error: " + result.problem);
    say("  " + to_string(schedule));
    say(fmt::format("  replay: {} {}", options_.replay, seed));
    return false;
  }

  void report() const {
    say(fmt::format(
        "{} schedules, {} faults, {} epochs; {} writes acknowledged, {} lost, {} doubled",
        schedules_, faults_, epochs_, acknowledged_, lost_, doubled_));
    if (options_.json_file.empty()) return;
    const boost::json::object figures{{"seed", options_.seed},
                                      {"schedules", schedules_},
                                      {"faults", faults_},
                                      {"epochs", epochs_},
                                      {"writes_acked", acknowledged_},
                                      {"writes_lost", lost_},
                                      {"writes_doubled", doubled_},
                                      {"reads", reads_},
                                      {"reads_gone", shown_and_gone_},
                                      {"longest_outage_ms", longest_outage_.count()},
                                      {"longest_until_whole_ms", longest_to_whole_.count()},
                                      {"problem", problem_}};
    std::ofstream(options_.json_file) << json_text(figures) << "\n";
  }

  const Kubectl& kubectl_;
  const FaultSoakOptions& options_;
  int schedules_ = 0;
  int faults_ = 0;
  std::int64_t epochs_ = 0;
  std::uint64_t acknowledged_ = 0, lost_ = 0, doubled_ = 0, reads_ = 0, shown_and_gone_ = 0;
  milliseconds longest_outage_{}, longest_to_whole_{};
  std::string problem_;
};

}  // namespace

ScheduleResult run_schedule(const Kubectl& kubectl, const FaultSchedule& schedule,
                            const OperatorControl& control) {
  return ScheduleRun(kubectl, schedule, control).run();
}

int run_fault_soak(const Kubectl& kubectl, const FaultSoakOptions& options) {
  return FaultSoak(kubectl, options).run();
}

}  // namespace troupe::oracle
