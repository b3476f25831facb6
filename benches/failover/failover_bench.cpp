// What else fails MySQL over, on this machine: from the kill of the primary to the first write that
// another one acknowledges. ./dev bench failover sets it beside Troupe.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <optional>

#include "benches/failover/peer.hpp"
#include "benches/report.hpp"
#include "tests/oracle/resident.hpp"
#include "tests/oracle/strike.hpp"
#include "tests/support/eventually.hpp"

namespace troupe::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;
using support::eventually;

constexpr std::size_t kWriters = 4;
// Between two failovers.
constexpr std::uint64_t kWritesBetween = 500;

oracle::Resident fill(const mysql::testing::Mysqld& server, int gib) {
  if (gib == 0) return {};
  mysql::testing::Client(server.admin()).run(oracle::buffer_pool_for(gib));
  auto resident = oracle::keep_resident(address_of(server), gib);
  if (!resident.session) throw std::runtime_error(resident.problem);
  return resident;
}

double fail_over(Peer& peer, const oracle::Writers& writers, Loss how, int resident_gib) {
  auto& primary = peer.primary();
  const auto resident = fill(primary, resident_gib);
  if (!writers.flow(kWritesBetween)) throw std::runtime_error("writes do not flow");
  const auto lost = Clock::now();
  peer.lose_primary(how);
  // Whoever acknowledges what is begun later is another one.
  const auto gone = Clock::now();
  std::optional<oracle::Instant> first;
  if (!eventually(seconds(90),
                  [&] { return (first = writers.first_acknowledged_after(gone)).has_value(); }))
    throw std::runtime_error("no write within 90 s of the loss");
  return oracle::milliseconds_between(lost, *first);
}

struct Times {
  std::vector<double> all;  // milliseconds, sorted

  double median() const { return all[all.size() / 2]; }
  std::string note() const {
    return fmt::format("{} runs, longest {:.0f} ms", all.size(), all.back());
  }
};

// A peer that does not come back costs its further runs, and nobody else's figures.
bool comes_back(Peer& peer, std::string_view name) {
  try {
    peer.mend();
    return true;
  } catch (const std::exception& e) {
    fmt::print("  {} is not measured any further: {}\n", name, e.what());
    return false;
  }
}

Times measure(std::string_view name, const std::unique_ptr<Peer>& peer, int times, Loss how,
              int resident_gib = 0) {
  if (auto problem = oracle::Writers::prepare(address_of(peer->primary())))
    throw std::runtime_error(*problem);
  oracle::Writers writers(kWriters, [&peer] { return peer->route(); });
  writers.start();
  Times out;
  for (int i = 0; i < times; ++i) {
    out.all.push_back(fail_over(*peer, writers, how, resident_gib));
    fmt::print("  {}, {} of {}: {:.0f} ms\n", name, i + 1, times, out.all.back());
    std::fflush(stdout);
    if (!comes_back(*peer, name)) break;
  }
  writers.stop();
  std::sort(out.all.begin(), out.all.end());
  return out;
}

struct Options {
  int ideal_runs = 20;
  int group_runs = 3;
  int resident_gib = 4;
  // What troupe-demo kills has written; empty: not measured.
  std::string killed, killed_large, paused, cut_off, switched;
  std::string json_file;
};

boost::json::value figures_in(const std::string& file) {
  std::ifstream in(file);
  return boost::json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
}

void add_switchovers(Report& report, const std::string& file) {
  const auto figures = figures_in(file);
  const auto number = [&figures](const char* name) { return figures.at(name).to_number<double>(); };
  report.add({"switchover_unavailable_median_ms", number("median_ms"), "ms",
              fmt::format("{:.0f} runs, longest {:.0f} ms", number("runs"), number("max_ms")),
              300});
  report.add({"switchover_writes_lost", number("writes_lost") + number("writes_doubled"), "",
              fmt::format("of {:.0f} acknowledged", number("writes_acked")), 0});
}

double add_troupe(Report& report, const std::string& how, const std::string& file,
                  double median_budget, std::optional<double> p99_budget) {
  const auto figures = figures_in(file);
  const auto number = [&figures](const char* name) { return figures.at(name).to_number<double>(); };
  const auto median = number("median_ms");
  const std::string dominant(figures.at("dominant_phase").as_string());
  report.add(
      {how + "_median_ms", median, "ms",
       fmt::format("{:.0f} runs, longest {:.0f} ms; {:.0f} ms of it: {}", number("runs"),
                   number("max_ms"),
                   figures.at("median_ms_by_phase").at(dominant).to_number<double>(), dominant),
       median_budget});
  report.add({how + "_p99_ms", number("p99_ms"), "ms", "", p99_budget});
  report.add({how + "_writes_lost", number("writes_lost") + number("writes_doubled"), "",
              fmt::format("of {:.0f} acknowledged", number("writes_acked")), 0});
  return median;
}

// One way to lose the primary, and what may come of it.
struct Scenario {
  std::string name;  // of its figures
  Loss how;
  std::string troupe;  // file of figures; empty: not measured
  double median_budget;
  std::optional<double> p99_budget;
  // Of Troupe's median, in multiples of theirs.
  std::optional<double> ideal_budget, group_budget;
  int resident_gib = 0;
};

void compare(Report& report, const Options& options, const Scenario& s) {
  const auto take = [&](const char* name, const std::unique_ptr<Peer>& peer, int runs) {
    return measure(fmt::format("{}, {}", name, s.name), peer, runs, s.how, s.resident_gib);
  };
  const auto ideal = take("ideal operator", ideal_operator(), options.ideal_runs);
  const auto quick = take("group replication, expel timeout 0",
                          group_replication({.member_expel_timeout = 0}), options.group_runs);
  const auto group = take("group replication", group_replication({}), options.group_runs);
  if (!s.troupe.empty()) {
    const auto median = add_troupe(report, s.name, s.troupe, s.median_budget, s.p99_budget);
    report.add({s.name + "_of_ideal", median / ideal.median(), "x", "", s.ideal_budget});
    report.add({s.name + "_of_group_expel_0", median / quick.median(), "x", "", s.group_budget});
  }
  const auto add_peer = [&](const char* name, const Times& times) {
    report.add(
        {fmt::format("{}_{}_ms", name, s.name), times.median(), "ms", times.note(), std::nullopt});
  };
  add_peer("ideal_operator", ideal);
  add_peer("group_expel_0", quick);
  add_peer("group", group);
}

int run(const Options& options) {
  Report report("failover: the primary taken away under load, to the first acknowledged write");
  compare(report, options,
          {.name = "killed",
           .how = Loss::Killed,
           .troupe = options.killed,
           .median_budget = 500,
           .p99_budget = 2000,
           .ideal_budget = 3,
           .group_budget = 0.1});
  if (!options.killed_large.empty())
    compare(report, options,
            {.name = "killed_large",
             .how = Loss::Killed,
             .troupe = options.killed_large,
             .median_budget = 500,
             .p99_budget = 2000,
             .ideal_budget = 3,
             .resident_gib = options.resident_gib});
  compare(report, options,
          {.name = "paused", .how = Loss::Paused, .troupe = options.paused, .median_budget = 4000});
  compare(
      report, options,
      {.name = "cut_off", .how = Loss::CutOff, .troupe = options.cut_off, .median_budget = 4000});
  if (!options.switched.empty()) add_switchovers(report, options.switched);
  return report.finish(options.json_file);
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) {
  CLI::App app(
      "Fails over MySQL by other means than Troupe, and sets Troupe's figures beside them.",
      "failover_bench");
  troupe::bench::Options options;
  app.add_option("--ideal-runs", options.ideal_runs)->check(CLI::PositiveNumber);
  app.add_option("--group-runs", options.group_runs)->check(CLI::PositiveNumber);
  app.add_option("--killed", options.killed, "figures of troupe-demo kills --how process");
  app.add_option("--killed-large", options.killed_large, "the same with --resident-gib");
  app.add_option("--resident-gib", options.resident_gib, "that peers have in memory beside it");
  app.add_option("--paused", options.paused, "of --how pause");
  app.add_option("--cut-off", options.cut_off, "of --how cut-off");
  app.add_option("--switched", options.switched, "of troupe-demo switchovers");
  app.add_option("--json", options.json_file, "file for the figures");
  CLI11_PARSE(app, argc, argv);
  try {
    return troupe::bench::run(options);
  } catch (const std::exception& e) {
    fmt::print(stderr, "error: {}\n", e.what());
    return 1;
  }
}
