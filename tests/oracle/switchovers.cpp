#include "tests/oracle/switchovers.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <fstream>
#include <vector>

#include "runtime/model/json_text.hpp"
#include "tests/oracle/judgement.hpp"
#include "tests/oracle/quantile.hpp"
#include "tests/oracle/say.hpp"

namespace troupe::oracle {
namespace {

using std::chrono::seconds;

constexpr std::size_t kWriters = 4;
// Acknowledged writes before and after each: a gap between two of them is all that is measured.
constexpr std::uint64_t kCalm = 1000;

// The gap in milliseconds, or what went wrong.
struct Turn {
  double gap = 0;
  std::string problem;
};

Turn turn(const MysqlCluster& cluster, const Writers& writers, const std::string& target) {
  if (!writers.flow(kCalm)) return {0, "writes do not flow"};
  const auto ordered = std::chrono::steady_clock::now();
  const auto order = cluster.annotate("troupe.dev/switchover-to=" + target);
  if (order.status != 0) return {0, "the order was refused: " + order.err};
  if (!eventually(seconds(120), [&] { return cluster.source() == target && cluster.is_whole(); }) ||
      !writers.flow(kCalm))
    return {0, target + " was not switched to: " + cluster.state()};
  const auto gap = writers.longest_gap(ordered, std::chrono::steady_clock::now());
  return {static_cast<double>(gap.count()), {}};
}

}  // namespace

int run_switchovers(const Kubectl& kubectl, const SwitchoversOptions& options) {
  const MysqlCluster cluster(kubectl);
  auto problem = cluster.prepare_writers().value_or("");
  Writers writers(std::vector<Address>(kWriters, cluster.read_write()));
  writers.start();
  std::vector<double> gaps;
  const auto members = cluster.members();
  for (std::size_t at = 0; problem.empty() && gaps.size() < static_cast<std::size_t>(options.times);
       ++at) {
    const auto& target = members[at % members.size()];
    if (target == cluster.source()) continue;
    const auto done = turn(cluster, writers, target);
    problem = done.problem;
    if (!problem.empty()) break;
    gaps.push_back(done.gap);
    say(fmt::format("  {} of {}: to {}: nobody could write for {:.0f} ms", gaps.size(),
                    options.times, target, done.gap));
  }
  writers.stop();
  const auto verdict = judge_members(cluster, {&writers});
  if (problem.empty()) problem = verdict.problem;
  if (!problem.empty()) say("error: " + problem);
  say(
      fmt::format("unavailable: median {:.0f} ms, longest {:.0f}; {} writes acknowledged, {} lost, "
                  "{} doubled",
                  quantile(gaps, 0.5), quantile(gaps, 1), writers.acknowledged(), verdict.lost,
                  verdict.doubled));
  const boost::json::object report{
      {"runs", gaps.size()},         {"median_ms", quantile(gaps, 0.5)},
      {"max_ms", quantile(gaps, 1)}, {"writes_acked", writers.acknowledged()},
      {"writes_lost", verdict.lost}, {"writes_doubled", verdict.doubled},
      {"problem", problem}};
  if (!options.json_file.empty()) std::ofstream(options.json_file) << json_text(report) << "\n";
  return problem.empty() && verdict.good() ? 0 : 1;
}

}  // namespace troupe::oracle
