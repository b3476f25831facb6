// troupe-demo: waits for the samples, kills the primary under load and judges the failover. Run by
// ./dev up and ./dev demo.
#include <CLI/CLI.hpp>

#include "tests/oracle/failover_demo.hpp"

int main(int argc, char** argv) {
  using namespace troupe::oracle;
  CLI::App app("Kills the primary of the sample's cluster under load and judges the failover.");
  app.require_subcommand(1);
  std::string kubeconfig, kill = "process";
  int timeout = 300;
  DemoOptions options;
  auto* wait = app.add_subcommand("wait", "until the samples are ready");
  auto* run = app.add_subcommand("run", "the demo");
  for (auto* sub : {wait, run}) sub->add_option("--kubeconfig", kubeconfig)->required();
  wait->add_option("--timeout", timeout, "seconds");
  run->add_option("--operator", options.operator_url, "URL of the operator")->required();
  run->add_option("--json", options.json_file, "file for the figures");
  run->add_flag("--once", options.once, "end after the failover and the rejoin");
  run->add_option("--kill", kill)->check(CLI::IsMember({"process", "pod"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  options.kill_pod = kill == "pod";
  const Kubectl kubectl(kubeconfig);
  if (run->parsed()) return run_demo(kubectl, options);
  if (wait_until_ready(MysqlCluster(kubectl), std::chrono::seconds(timeout))) return 0;
  std::fprintf(stderr, "error: the samples are not ready after %d s\n", timeout);
  return 1;
}
