#include "tests/oracle/soak.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <random>

#include "tests/oracle/judgement.hpp"
#include "tests/oracle/say.hpp"
#include "tests/oracle/strike.hpp"

namespace troupe::oracle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kWriters = 4;
constexpr seconds kWritesAgain(60);  // after a kill
constexpr seconds kMembersAgain(180);
// Acknowledged writes from a recovery to the next kill: five seconds of all writers at full speed.
constexpr std::uint64_t kLongestCalm = 4000;

enum class Victim { PrimaryProcess, PrimaryPod, ReplicaPod, Operator, PrimaryAndOperator };
constexpr std::array kVictims{Victim::PrimaryProcess, Victim::PrimaryPod, Victim::ReplicaPod,
                              Victim::Operator, Victim::PrimaryAndOperator};

const char* to_string(Victim victim) {
  switch (victim) {
    case Victim::PrimaryProcess:
      return "the primary's process";
    case Victim::PrimaryPod:
      return "the primary's Pod";
    case Victim::ReplicaPod:
      return "a replica's Pod";
    case Victim::Operator:
      return "the operator";
    case Victim::PrimaryAndOperator:
      return "the primary's process and the operator";
  }
  return "";
}

struct Tally {
  int kills = 0;
  int rejoined = 0;  // kills after which every member was back
  milliseconds longest_outage{};
  std::string problem;  // why it ended early
};

class Soak {
 public:
  Soak(const Kubectl& kubectl, const SoakOptions& options)
      : kubectl_(kubectl), options_(options), cluster_(kubectl), random_(options.seed) {}

  int run() {
    if (const auto problem = cluster_.prepare_writers()) {
      say("error: no account and table for the writers: " + *problem);
      return 1;
    }
    Writers writers(std::vector<Address>(kWriters, cluster_.read_write()));
    writers.start();
    const auto end = Clock::now() + options_.duration;
    while (Clock::now() < end && tally_.problem.empty()) one_kill(writers);
    writers.stop();
    return conclude(writers);
  }

 private:
  void one_kill(const Writers& writers) {
    if (!writers.flow(random_() % kLongestCalm, kWritesAgain)) {
      tally_.problem = "writes have stopped, though nothing was killed";
      return;
    }
    const auto victim = kVictims[random_() % kVictims.size()];
    const auto member = member_of(victim);
    const auto before = cluster_.database_process(member);
    const auto killed = Clock::now();
    if (!kill(victim, member)) {
      tally_.problem = fmt::format("{} could not be killed", to_string(victim));
      return;
    }
    ++tally_.kills;
    std::optional<Instant> first;
    if (!eventually(kWritesAgain, [&] {
          return (first = writers.first_acknowledged_after(killed)).has_value();
        })) {
      tally_.problem = fmt::format("no write was acknowledged within {} s", kWritesAgain.count());
      return;
    }
    const auto is_back = [&] {
      const auto now = cluster_.database_process(member);
      return now && (victim == Victim::Operator || now != before) && cluster_.is_whole();
    };
    if (!eventually(kMembersAgain, is_back)) {
      tally_.problem = "a member has not come back: " + cluster_.state();
      return;
    }
    ++tally_.rejoined;
    const auto outage = writers.longest_gap(killed, Clock::now());
    tally_.longest_outage = std::max(tally_.longest_outage, outage);
    say(fmt::format("  kill {}: {} ({}); no write for {} ms; all back after {:.1f} s", tally_.kills,
                    to_string(victim), member, outage.count(),
                    std::chrono::duration<double>(Clock::now() - killed).count()));
  }

  // Whose database is killed, or would be: the primary, but for replicas.
  std::string member_of(Victim victim) {
    const auto primary = cluster_.source();
    if (victim != Victim::ReplicaPod) return primary;
    auto replicas = cluster_.members();
    std::erase(replicas, primary);
    return replicas.at(random_() % replicas.size());
  }

  bool kill(Victim victim, const std::string& member) const {
    switch (victim) {
      case Victim::PrimaryProcess:
        return strike(kubectl_, cluster_.pod(member), Strike::Process).has_value();
      case Victim::PrimaryPod:
      case Victim::ReplicaPod:
        return strike(kubectl_, cluster_.pod(member), Strike::Pod).has_value();
      case Victim::Operator:
        return restart_operator();
      case Victim::PrimaryAndOperator:
        return strike(kubectl_, cluster_.pod(member), Strike::Process) && restart_operator();
    }
    return false;
  }
  bool restart_operator() const { return options_.control.kill() && options_.control.start(); }

  int conclude(const Writers& writers) {
    const auto verdict = judge_members(cluster_, {&writers});
    if (!verdict.problem.empty()) tally_.problem = verdict.problem;
    if (!tally_.problem.empty()) say("error: " + tally_.problem);
    say(fmt::format("{} kills, {} recovered from, longest time without a write {} ms", tally_.kills,
                    tally_.rejoined, tally_.longest_outage.count()));
    say(fmt::format("{} writes acknowledged, {} lost, {} doubled (seed {})", writers.acknowledged(),
                    verdict.lost, verdict.doubled, options_.seed));
    if (!options_.json_file.empty()) {
      const boost::json::object report{{"seed", options_.seed},
                                       {"kills", tally_.kills},
                                       {"rejoined", tally_.rejoined},
                                       {"longest_outage_ms", tally_.longest_outage.count()},
                                       {"writes_acked", writers.acknowledged()},
                                       {"writes_lost", verdict.lost},
                                       {"writes_doubled", verdict.doubled},
                                       {"problem", tally_.problem}};
      std::ofstream(options_.json_file) << boost::json::serialize(report) << "\n";
    }
    const bool good = tally_.problem.empty() && verdict.good();
    return good && tally_.kills > 0 ? 0 : 1;
  }

  const Kubectl& kubectl_;
  const SoakOptions& options_;
  const MysqlCluster cluster_;
  std::mt19937_64 random_;
  Tally tally_;
};

}  // namespace

int run_soak(const Kubectl& kubectl, const SoakOptions& options) {
  return Soak(kubectl, options).run();
}

}  // namespace troupe::oracle
