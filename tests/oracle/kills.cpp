#include "tests/oracle/kills.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <map>
#include <memory>
#include <vector>

#include "runtime/model/json_text.hpp"
#include "tests/oracle/judgement.hpp"
#include "tests/oracle/operator_api.hpp"
#include "tests/oracle/quantile.hpp"
#include "tests/oracle/resident.hpp"
#include "tests/oracle/say.hpp"

namespace troupe::oracle {
namespace {

using std::chrono::seconds;

constexpr std::size_t kWriters = 4;
constexpr seconds kWritesAgain(60);
constexpr seconds kMembersAgain(180);
// Acknowledged writes between two blows, and after each before the victim is let go.
constexpr std::uint64_t kCalm = 1000;

class Kills {
 public:
  Kills(const Kubectl& kubectl, const KillsOptions& options)
      : kubectl_(kubectl), options_(options), cluster_(kubectl) {}

  int run() {
    if (const auto problem = cluster_.prepare_writers()) {
      say("error: no account and table for the writers: " + *problem);
      return 1;
    }
    Writers writers(std::vector<Address>(kWriters, cluster_.read_write()));
    writers.start();
    for (int i = 0; i < options_.times && problem_.empty(); ++i) one(writers);
    writers.stop();
    std::vector<const Writers*> all{&writers};
    for (const auto& one : inside_) all.push_back(one.get());
    return conclude(all);
  }

 private:
  void one(const Writers& writers) {
    const auto primary = cluster_.source();
    const auto resident = fill(primary);
    if (!resident.problem.empty()) {
      problem_ = primary + ": " + resident.problem;
      return;
    }
    if (!flow(writers, kCalm)) return;
    const auto before = cluster_.database_process(primary);
    if (options_.how == Strike::CutOff && before) write_inside(primary, *before);
    const auto struck = strike(kubectl_, cluster_.pod(primary), options_.how);
    if (!struck) {
      problem_ = primary + " could not be struck";
      return;
    }
    std::optional<Instant> first;
    if (!eventually(kWritesAgain, [&] {
          return (first = writers.first_acknowledged_after(struck->gone)).has_value();
        })) {
      problem_ = fmt::format("no write was acknowledged within {} s", kWritesAgain.count());
      return;
    }
    tell(*struck, *first);
    flow(writers, kCalm);
    release(*struck);
    const auto is_back = [&] {
      return cluster_.is_whole() && cluster_.database_process(primary) != before;
    };
    if (!eventually(kMembersAgain, is_back)) problem_ = "not whole again: " + cluster_.state();
    if (options_.how == Strike::CutOff) inside_.back()->stop();
  }

  Resident fill(const std::string& primary) const {
    if (options_.resident_gib == 0) return {};
    cluster_.query(primary, buffer_pool_for(options_.resident_gib));
    return keep_resident(cluster_.member(primary), options_.resident_gib);
  }

  bool flow(const Writers& writers, std::uint64_t count) {
    if (writers.flow(count, kWritesAgain)) return true;
    problem_ = "writes do not flow";
    return false;
  }

  // Over the server's socket, which no network reaches.
  void write_inside(const std::string& primary, pid_t pid) {
    auto address = cluster_.member(primary);
    address.host = fmt::format("/proc/{}/root{}", pid, cluster_.query(primary, "SELECT @@socket"));
    inside_.push_back(std::make_unique<Writers>(
        std::vector{address}, WriterOptions{.first_id = kWriters + inside_.size()}));
    inside_.back()->start();
  }

  void tell(const Struck& struck, Instant first) {
    const auto times = times_of(options_.operator_url,
                                {.asked = struck.asked.wall, .last_alive = struck.last_alive.wall});
    const auto total = milliseconds_between(struck.last_alive.steady, first);
    totals_.push_back(total);
    std::string text;
    double previous = 0;
    for (const auto& [phase, at] : times.until(total)) {
      phases_[phase].push_back(at - previous);
      text += fmt::format(", {} {:.0f}", phase, at);
      previous = at;
    }
    phases_["first write"].push_back(total - previous);
    say(fmt::format("  {} of {}: {}: first write after {:.0f} ms{}", totals_.size(), options_.times,
                    struck.pod.name, total, text));
  }

  int conclude(const std::vector<const Writers*>& writers) {
    std::uint64_t acknowledged = 0;
    for (const auto* one : writers) acknowledged += one->acknowledged();
    const auto verdict = judge_members(cluster_, writers);
    if (problem_.empty()) problem_ = verdict.problem;
    if (!problem_.empty()) say("error: " + problem_);
    boost::json::object phases;
    std::string dominant;
    double longest = 0;
    for (const auto& [phase, spent] : phases_) {
      const auto median = quantile(spent, 0.5);
      phases[phase] = median;
      if (median > longest) {
        longest = median;
        dominant = phase;
      }
    }
    say(fmt::format(
        "first write: median {:.0f} ms, 99 of 100 within {:.0f}, longest {:.0f}; most "
        "of it goes into \"{}\" ({:.0f} ms)",
        quantile(totals_, 0.5), quantile(totals_, 0.99), quantile(totals_, 1), dominant, longest));
    say(fmt::format("{} writes acknowledged, {} lost, {} doubled", acknowledged, verdict.lost,
                    verdict.doubled));
    const boost::json::object report{{"runs", totals_.size()},
                                     {"median_ms", quantile(totals_, 0.5)},
                                     {"p99_ms", quantile(totals_, 0.99)},
                                     {"max_ms", quantile(totals_, 1)},
                                     {"median_ms_by_phase", phases},
                                     {"dominant_phase", dominant},
                                     {"writes_acked", acknowledged},
                                     {"writes_lost", verdict.lost},
                                     {"writes_doubled", verdict.doubled},
                                     {"problem", problem_}};
    if (!options_.json_file.empty()) std::ofstream(options_.json_file) << json_text(report) << "\n";
    return problem_.empty() && verdict.good() ? 0 : 1;
  }

  const Kubectl& kubectl_;
  const KillsOptions& options_;
  const MysqlCluster cluster_;
  std::vector<std::unique_ptr<Writers>> inside_;
  std::vector<double> totals_;
  std::map<std::string, std::vector<double>> phases_;  // what each took
  std::string problem_;                                // why it ended early
};

}  // namespace

int run_kills(const Kubectl& kubectl, const KillsOptions& options) {
  return Kills(kubectl, options).run();
}

}  // namespace troupe::oracle
