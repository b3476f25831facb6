#include "tests/oracle/failover_demo.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <thread>

#include "runtime/model/json_text.hpp"

namespace troupe::oracle {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kWriters = 4;
// A Pod's deletion is seen before its processes have died; what came long before is another story.
constexpr std::int64_t kForewarning = 1'000'000;  // microseconds

void say(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

// What the operator's own history says of a failover, in milliseconds from the kill.
struct OperatorTimes {
  std::optional<double> detected;
  std::optional<double> promoted;
};

// RFC 3339 with six digits, in UTC, as microseconds since 1970.
std::optional<std::int64_t> micros_of(const std::string& rfc3339) {
  tm t{};
  const char* rest = strptime(rfc3339.c_str(), "%Y-%m-%dT%H:%M:%S", &t);
  if (!rest) return std::nullopt;
  std::int64_t fraction = 0;
  if (*rest == '.') fraction = std::strtoll(rest + 1, nullptr, 10);
  return std::int64_t{timegm(&t)} * 1'000'000 + fraction;
}

boost::json::value ask(const std::string& url) {
  const auto ran = run({"curl", "-sS", "--max-time", "10", url}, seconds(15));
  boost::system::error_code ec;
  auto value = boost::json::parse(ran.out, ec);
  return ec ? boost::json::value() : value;
}

OperatorTimes times_of(const std::string& url, std::int64_t killed) {
  OperatorTimes out;
  const auto actors = ask(url + "/api/actors?kind=MysqlReplication&limit=1");
  const auto id = text_at(actors, "/actors/0/id");
  const auto history = ask(url + "/api/actors/" + id + "/history");
  boost::system::error_code ec;
  const auto* records = history.find_pointer("/records", ec);
  if (!records || !records->is_array()) return out;
  const auto since_kill = [killed](const boost::json::value& record) -> std::optional<double> {
    const auto at = micros_of(text_at(record, "/at"));
    if (!at || *at < killed - kForewarning) return std::nullopt;
    return static_cast<double>(*at - killed) / 1000.0;
  };
  for (const auto& r : records->as_array()) {
    const auto at = since_kill(r);
    if (!at) continue;
    for (const auto& e : r.at("effects").as_array())
      if (!out.detected && text_at(e, "/key") == "record") out.detected = at;
    for (const auto& c : r.at("causes").as_array()) {
      const auto text = text_at(c, "/text");
      if (!out.promoted && text.starts_with("done") && text.find("OpenForWrites") != text.npos)
        out.promoted = at;
    }
  }
  return out;
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

// Kills the primary and gives the moment of its death; none if that cannot be done. A signal kills
// at once; a Pod takes its way through the API server and its kubelet first.
std::optional<Instant> kill_primary(const Kubectl& kubectl, const std::string& primary, pid_t pid,
                                    bool whole_pod) {
  if (!whole_pod) {
    const auto now = Clock::now();
    return ::kill(pid, SIGKILL) == 0 ? std::optional(now) : std::nullopt;
  }
  int status = 0;
  std::thread deleting([&] {
    status =
        kubectl({"delete", "pod", primary, "--force", "--grace-period=0", "--wait=false"}).status;
  });
  const bool has_died = eventually(seconds(30), [pid] { return support::has_ended(pid); });
  const auto died = Clock::now();
  deleting.join();
  return status == 0 && has_died ? std::optional(died) : std::nullopt;
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
  const auto death = pid ? kill_primary(kubectl, primary, *pid, options.kill_pod) : std::nullopt;
  if (!death) {
    say("error: the primary could not be killed");
    return 1;
  }
  const auto killed = *death;
  const auto killed_wall =
      duration_cast<std::chrono::microseconds>(
          (std::chrono::system_clock::now() - (Clock::now() - killed)).time_since_epoch())
          .count();
  say(fmt::format("killed {} of {}", options.kill_pod ? "the Pod" : "the server process", primary));
  std::optional<Instant> first;
  eventually(seconds(60),
             [&] { return (first = writers.first_acknowledged_after(killed)).has_value(); });
  if (!first) {
    say("error: no write was acknowledged within 60 s of the kill");
    return 1;
  }
  const auto times = times_of(options.operator_url, killed_wall);
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
