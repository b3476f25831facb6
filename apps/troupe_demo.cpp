// troupe-demo: waits for the samples, kills the primary under load and judges the failover; or
// keeps on killing, or has all kinds of faults come by a schedule. Run by ./dev up, ./dev demo,
// ./dev bench and ./dev soak.
#include "apps/arguments.hpp"
#include "tests/oracle/failover_demo.hpp"
#include "tests/oracle/fault_soak.hpp"
#include "tests/oracle/kills.hpp"
#include "tests/oracle/managed.hpp"
#include "tests/oracle/soak.hpp"
#include "tests/oracle/switchovers.hpp"

int main(int argc, char** argv) {
  using namespace troupe::oracle;
  CLI::App app("Kills the primary of the sample's cluster under load and judges the failover.",
               "troupe-demo");
  app.require_subcommand(1);
  std::string kubeconfig, kill = "process", kill_operator, start_operator;
  int timeout = 300;
  DemoOptions options;
  SoakOptions soak_options;
  std::int64_t soak_seconds = soak_options.duration.count();
  KillsOptions kills_options;
  SwitchoversOptions switchovers_options;
  FaultSoakOptions faults_options;
  std::int64_t faults_seconds = faults_options.duration.count();
  const std::map<std::string, Strike> strikes{{"process", Strike::Process},
                                              {"pod", Strike::Pod},
                                              {"pause", Strike::Pause},
                                              {"cut-off", Strike::CutOff}};
  auto* wait = app.add_subcommand("wait", "until the samples are ready");
  auto* run = app.add_subcommand("run", "the demo");
  auto* soak = app.add_subcommand("soak", "kills at random, for a long time");
  auto* kills = app.add_subcommand("kills", "strikes the primary again and again in the same way");
  auto* switchovers = app.add_subcommand("switchovers", "planned ones, one after the other");
  auto* faults = app.add_subcommand("faults", "schedules of faults of all kinds, from seeds");
  for (auto* sub : {wait, run, kills, switchovers, soak, faults})
    sub->add_option("--kubeconfig", kubeconfig)->required();
  for (auto* sub : {soak, faults}) {
    sub->add_option("--kill-operator", kill_operator, "shell command, done when it has ended")
        ->required();
    sub->add_option("--start-operator", start_operator, "shell command, done when it runs")
        ->required();
  }
  wait->add_option("--timeout", timeout, "seconds");
  run->add_option("--operator", options.operator_url, "URL of the operator")->required();
  run->add_option("--json", options.json_file, "file for the figures");
  run->add_flag("--once", options.once, "end after the failover and the rejoin");
  run->add_option("--kill", kill)->check(CLI::IsMember({"process", "pod"}));
  kills->add_option("--operator", kills_options.operator_url, "URL of the operator")->required();
  kills->add_option("--times", kills_options.times)->check(CLI::PositiveNumber);
  kills->add_option("--how", kills_options.how)->transform(CLI::CheckedTransformer(strikes));
  kills
      ->add_option("--resident-gib", kills_options.resident_gib,
                   "of its buffer pool that the primary has in memory each time")
      ->check(CLI::Range(0, 64));
  kills->add_option("--json", kills_options.json_file, "file for the figures");
  switchovers->add_option("--times", switchovers_options.times)->check(CLI::PositiveNumber);
  switchovers->add_option("--json", switchovers_options.json_file, "file for the figures");
  soak->add_option("--duration", soak_seconds, "seconds");
  soak->add_option("--seed", soak_options.seed, "of what is killed, and when");
  soak->add_option("--json", soak_options.json_file, "file for the figures");
  faults->add_option("--seed", faults_options.seed, "of the first schedule");
  faults->add_option("--schedules", faults_options.schedules, "how many, whatever the duration");
  faults->add_option("--duration", faults_seconds, "seconds");
  faults->add_option("--replay", faults_options.replay,
                     "the command to name for a seed that fails");
  faults->add_option("--json", faults_options.json_file, "file for the figures");
  if (const auto status = troupe::apps::parse_arguments(app, argc, argv)) return *status;
  options.kill_pod = kill == "pod";
  soak_options.duration = std::chrono::seconds(soak_seconds);
  faults_options.duration = std::chrono::seconds(faults_seconds);
  soak_options.control = faults_options.control =
      OperatorControl::by_commands(kill_operator, start_operator);
  const Kubectl kubectl(kubeconfig);
  if (run->parsed()) return run_demo(kubectl, options);
  if (kills->parsed()) return run_kills(kubectl, kills_options);
  if (switchovers->parsed()) return run_switchovers(kubectl, switchovers_options);
  if (soak->parsed()) return run_soak(kubectl, soak_options);
  if (faults->parsed()) return run_fault_soak(kubectl, faults_options);
  if (wait_until_ready(kubectl, std::chrono::seconds(timeout))) return 0;
  std::fprintf(stderr, "error: the samples are not ready after %d s\n", timeout);
  return 1;
}
