#include "tests/oracle/failover_demo.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "runtime/model/json_text.hpp"
#include "tests/oracle/judgement.hpp"
#include "tests/oracle/operator_api.hpp"
#include "tests/oracle/say.hpp"
#include "tests/oracle/strike.hpp"

namespace troupe::oracle {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kWriters = 4;

}  // namespace

int run_demo(const Kubectl& kubectl, const DemoOptions& options) {
  const MysqlCluster cluster(kubectl);
  const auto version = cluster.version();
  const auto members = cluster.members();
  const auto primary = cluster.source();
  say(fmt::format("{} members of MySQL {}; {} is the primary", members.size(), version, primary));
  if (const auto problem = cluster.prepare_writers()) {
    say("error: no account and table for the writers: " + *problem);
    return 1;
  }
  Writers writers(std::vector<Address>(kWriters, cluster.read_write()));
  writers.start();
  const auto began = Clock::now();
  if (!writers.flow(1000, seconds(30))) {
    say("error: the writers got fewer than 1000 acknowledgements in 30 s");
    return 1;
  }
  const auto rate = static_cast<double>(writers.acknowledged()) * 1000.0 /
                    milliseconds_between(began, Clock::now());
  say(fmt::format("{} writers on {}: {:.0f} acknowledged writes a second", kWriters,
                  "mysql-cluster-replication-readwrite", rate));

  const auto kill =
      strike(kubectl, cluster.pod(primary), options.kill_pod ? Strike::Pod : Strike::Process);
  if (!kill) {
    say("error: the primary could not be killed");
    return 1;
  }
  const auto killed = kill->last_alive.steady;
  say(fmt::format("killed {} of {}", options.kill_pod ? "the Pod" : "the server process", primary));
  std::optional<Instant> first;
  eventually(seconds(60),
             [&] { return (first = writers.first_acknowledged_after(kill->gone)).has_value(); });
  if (!first) {
    say("error: no write was acknowledged within 60 s of the kill");
    return 1;
  }
  const auto times = times_of(options.operator_url,
                              {.asked = kill->asked.wall, .last_alive = kill->last_alive.wall});
  const auto total = milliseconds_between(killed, *first);
  const OperatorTimes waited{times.until(total)};
  const auto detected = waited.detected(), promoted = waited.promoted();
  say(
      fmt::format("first write acknowledged again after {:.0f} ms (detected {:.0f} ms, promoted "
                  "{:.0f} ms); the primary is {}",
                  total, detected.value_or(-1), promoted.value_or(-1), cluster.source()));
  const bool rejoined = eventually(seconds(120), [&] {
    return cluster.source() != primary && cluster.is_replica(primary) && cluster.ready();
  });
  say(rejoined ? fmt::format("{} is back as a replica after {:.1f} s", primary,
                             milliseconds_between(killed, Clock::now()) / 1000)
               : fmt::format("{} has not come back: {}", primary, cluster.state()));
  writers.stop();
  say(fmt::format("{} rows were acknowledged; reading all members", writers.acknowledged()));
  const auto verdict = judge_members(cluster, {&writers});
  say(fmt::format("{} acknowledged writes lost, {} doubled", verdict.lost, verdict.doubled));

  boost::json::object report{{"engine", "mysql"},
                             {"engine_version", version},
                             {"units", members.size()},
                             {"writes_per_second", std::llround(rate)},
                             {"writes_acked", writers.acknowledged()},
                             {"writes_lost", verdict.lost},
                             {"writes_doubled", verdict.doubled},
                             {"killed", options.kill_pod ? "pod" : "process"},
                             {"failover",
                              {{"detected_ms", detected ? boost::json::value(*detected) : nullptr},
                               {"promoted_ms", promoted ? boost::json::value(*promoted) : nullptr},
                               {"first_write_ms", total}}},
                             {"old_primary_rejoined", rejoined},
                             {"operator_rss_bytes", resident_bytes(options.operator_url)}};
  if (!options.json_file.empty()) std::ofstream(options.json_file) << json_text(report) << "\n";
  const bool good =
      rejoined && verdict.lost == 0 && verdict.doubled == 0 && verdict.problem.empty();
  if (!options.once) {
    say("running until Ctrl-C; console at " + options.operator_url + "/console/");
    ::pause();
  }
  return good ? 0 : 1;
}

}  // namespace troupe::oracle
