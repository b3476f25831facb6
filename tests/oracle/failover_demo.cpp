#include "tests/oracle/failover_demo.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <thread>

#include "runtime/model/json_text.hpp"
#include "runtime/model/process_stat.hpp"
#include "tests/oracle/operator_times.hpp"

namespace troupe::oracle {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kWriters = 4;

void say(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

boost::json::value ask(const std::string& url) {
  const auto ran = run({"curl", "-sS", "--max-time", "10", url}, seconds(15));
  boost::system::error_code ec;
  auto value = boost::json::parse(ran.out, ec);
  return ec ? boost::json::value() : value;
}

OperatorTimes times_of(const std::string& url, const KillTime& kill) {
  const auto actors = ask(url + "/api/actors?kind=MysqlReplication&limit=1");
  return times_in(ask(url + "/api/actors/" + text_at(actors, "/actors/0/id") + "/history"), kill);
}

std::int64_t operator_rss(const std::string& url) {
  const auto ran = run({"curl", "-sS", "--max-time", "10", url + "/metrics"}, seconds(15));
  const auto at = ran.out.find("\nprocess_resident_memory_bytes ");
  if (at == std::string::npos) return 0;
  return static_cast<std::int64_t>(
      std::strtod(ran.out.c_str() + at + sizeof("\nprocess_resident_memory_bytes ") - 1, nullptr));
}

struct Judgement {
  std::uint64_t lost = 0;
  std::uint64_t doubled = 0;
  std::string problem;
};

// Every member is read; all of them must have every acknowledged row.
Judgement judge(const MysqlCluster& cluster, const Writers& writers) {
  Judgement all;
  for (const auto& name : cluster.members()) {
    // A replica applies what it has a moment later.
    Writers::Verdict v;
    eventually(seconds(30), [&] {
      v = writers.judge(cluster.member(name));
      return v.error.empty() && v.lost == 0;
    });
    say(fmt::format("  {}: {} rows, {} acknowledged ones missing, {} twice{}{}", name, v.rows,
                    v.lost, v.doubled, v.error.empty() ? "" : ": ", v.error));
    all.lost = std::max(all.lost, v.lost);
    all.doubled = std::max(all.doubled, v.doubled);
    if (!v.error.empty()) all.problem = name + ": " + v.error;
  }
  return all;
}

// One moment on two clocks: the writers' and that of the operator's history.
struct Moment {
  Instant steady;
  std::int64_t wall = 0;  // microseconds since 1970

  static Moment now() {
    // Read first: what somebody does after this moment bears no earlier time.
    const auto wall = std::chrono::system_clock::now().time_since_epoch();
    return {Clock::now(), duration_cast<std::chrono::microseconds>(wall).count()};
  }
};

struct Kill {
  Moment asked;       // for it
  Moment last_alive;  // the victim; all is counted from here
  Instant dead;       // seen: what is acknowledged later was acknowledged by somebody else
};

// As its supervisor sees it: when it can be waited for, it has been dead for some time.
bool is_dying(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  const auto stat = std::getline(file, line) ? ProcessStat::parse(line) : std::nullopt;
  return !stat || stat->is_dying();
}

// Nothing if it cannot be done. A signal kills at once; a Pod's death takes its way through the API
// server and its kubelet, so its moment is looked for.
std::optional<Kill> kill_primary(const Kubectl& kubectl, const std::string& primary, pid_t pid,
                                 bool whole_pod) {
  const auto asked = Moment::now();
  if (!whole_pod) {
    if (::kill(pid, SIGKILL) != 0) return std::nullopt;
    return Kill{asked, asked, asked.steady};
  }
  int status = 0;
  std::thread deleting([&] {
    status =
        kubectl({"delete", "pod", primary, "--force", "--grace-period=0", "--wait=false"}).status;
  });
  auto last_alive = asked;
  const bool has_died = eventually(seconds(30), [&] {
    const auto look = Moment::now();
    if (is_dying(pid)) return true;
    last_alive = look;
    return false;
  });
  const auto dead = Clock::now();
  deleting.join();
  return status == 0 && has_died ? std::optional(Kill{asked, last_alive, dead}) : std::nullopt;
}

double ms_between(Instant from, Instant to) {
  return static_cast<double>(duration_cast<std::chrono::microseconds>(to - from).count()) / 1000.0;
}

}  // namespace

bool wait_until_ready(const MysqlCluster& cluster, seconds deadline) {
  std::string said;
  return eventually(deadline, [&] {
    if (cluster.ready()) return true;
    const auto state = cluster.state();
    if (state != said && !state.empty()) say("  " + state);
    said = state;
    return false;
  });
}

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
  if (!eventually(seconds(30), [&] { return writers.acknowledged() >= 1000; })) {
    say("error: the writers got fewer than 1000 acknowledgements in 30 s");
    return 1;
  }
  const auto rate =
      static_cast<double>(writers.acknowledged()) * 1000.0 / ms_between(began, Clock::now());
  say(fmt::format("{} writers on {}: {:.0f} acknowledged writes a second", kWriters,
                  "mysql-cluster-replication-readwrite", rate));

  const auto pid = cluster.database_process(primary);
  const auto kill = pid ? kill_primary(kubectl, primary, *pid, options.kill_pod) : std::nullopt;
  if (!kill) {
    say("error: the primary could not be killed");
    return 1;
  }
  const auto killed = kill->last_alive.steady;
  say(fmt::format("killed {} of {}", options.kill_pod ? "the Pod" : "the server process", primary));
  std::optional<Instant> first;
  eventually(seconds(60),
             [&] { return (first = writers.first_acknowledged_after(kill->dead)).has_value(); });
  if (!first) {
    say("error: no write was acknowledged within 60 s of the kill");
    return 1;
  }
  const auto times = times_of(options.operator_url,
                              {.asked = kill->asked.wall, .last_alive = kill->last_alive.wall});
  say(
      fmt::format("first write acknowledged again after {:.0f} ms (detected {:.0f} ms, promoted "
                  "{:.0f} ms); the primary is {}",
                  ms_between(killed, *first), times.detected.value_or(-1),
                  times.promoted.value_or(-1), cluster.source()));
  const bool rejoined = eventually(seconds(120), [&] {
    return cluster.source() != primary && cluster.is_replica(primary) && cluster.ready();
  });
  say(rejoined ? fmt::format("{} is back as a replica after {:.1f} s", primary,
                             ms_between(killed, Clock::now()) / 1000)
               : fmt::format("{} has not come back: {}", primary, cluster.state()));
  writers.stop();
  say(fmt::format("{} rows were acknowledged; reading all members", writers.acknowledged()));
  const auto verdict = judge(cluster, writers);
  say(fmt::format("{} acknowledged writes lost, {} doubled", verdict.lost, verdict.doubled));

  boost::json::object report{
      {"engine", "mysql"},
      {"engine_version", version},
      {"units", members.size()},
      {"writes_per_second", std::llround(rate)},
      {"writes_acked", writers.acknowledged()},
      {"writes_lost", verdict.lost},
      {"writes_doubled", verdict.doubled},
      {"killed", options.kill_pod ? "pod" : "process"},
      {"failover",
       {{"detected_ms", times.detected ? boost::json::value(*times.detected) : nullptr},
        {"promoted_ms", times.promoted ? boost::json::value(*times.promoted) : nullptr},
        {"first_write_ms", ms_between(killed, *first)}}},
      {"old_primary_rejoined", rejoined},
      {"operator_rss_bytes", operator_rss(options.operator_url)}};
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
