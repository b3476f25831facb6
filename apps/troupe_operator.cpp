// troupe-operator: flags and signals around actors/host/operator.hpp.
#include <csignal>
#include <cstdio>
#include <fstream>

#include "actors/host/operator.hpp"
#include "actors/host/registry.hpp"
#include "actors/journal/replay.hpp"
#include "apps/arguments.hpp"
#include "k8s/client/config.hpp"
#include "runtime/logging.hpp"

namespace {

constexpr const char* kVersion = "0.1.0";

// Blocks the signals in all threads to come, so that one sigwait() takes them.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return set;
}

struct Flags {
  std::string kubeconfig, context, write_url, fault_point, log_level = "info", log_format = "text";
  troupe::actors::OperatorOptions options;
};

void declare(CLI::App& app, Flags& f) {
  app.add_option("--kubeconfig", f.kubeconfig, "file; else the pod's service account");
  app.add_option("--context", f.context, "context of the kubeconfig");
  app.add_option("--namespace", f.options.namespaces, "watch only this one; repeatable");
  app.add_option("--operator-namespace", f.options.settings.operator_namespace,
                 "where unit templates and the operator's own Secrets are")
      ->capture_default_str();
  app.add_option("--image", f.options.settings.image, "image of the unit agent")
      ->capture_default_str();
  app.add_option("--cluster-domain", f.options.settings.cluster_domain, "DNS domain of the cluster")
      ->capture_default_str();
  app.add_option("--listen", f.options.listen, "ADDRESS:PORT of metrics, probes and console")
      ->capture_default_str();
  app.add_option("--write-url", f.write_url, "file for the address that it listens on");
  app.add_flag("--leader-elect", f.options.leader_elect, "act only while holding the Lease");
  app.add_option("--threads", f.options.threads, "threads that run actors; 0: one a CPU");
  app.add_option("--log-level", f.log_level, "debug, info, warn or error")->capture_default_str();
  app.add_option("--log-format", f.log_format, "text or json")->capture_default_str();
  app.add_option("--fault-point", f.fault_point,
                 "for tests: \"die before step * Promote *\", \"pause after record#2\"");
  app.set_version_flag("--version", kVersion);
}

int fail(const troupe::Error& error) {
  std::fprintf(stderr, "troupe-operator: %s\n", error.message.c_str());
  return error.code == troupe::Code::Invalid ? 2 : 1;
}

// Decides once more what an operator decided, and says where it would decide otherwise.
int replay(const std::string& file) {
  using namespace troupe;
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(error(Code::Invalid, "cannot read " + file));
  const std::string journal{std::istreambuf_iterator<char>(in), {}};
  const auto report = actors::replay(journal, &actors::rules_of);
  if (!report) return fail(error(Code::Invalid, file + ": " + report.error().message));
  std::printf("%s %s: %zu runs, %s\n", report->kind.c_str(), report->object.c_str(), report->runs,
              report->differences.empty() ? "the same decisions" : "other decisions");
  for (const auto& d : report->differences)
    std::printf("run %zu\n  recorded %s\n  replayed %s\n", d.run, d.recorded.c_str(),
                d.replayed.c_str());
  return report->differences.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace troupe;
  CLI::App app("Runs databases on Kubernetes: MySQL units and their replication.",
               "troupe-operator");
  Flags flags;
  declare(app, flags);
  std::string journal;
  auto* again = app.add_subcommand("replay", "goes through the journal of an actor once more");
  again->add_option("FILE", journal, "as the console's API gave it")->required();
  if (const auto status = apps::parse_arguments(app, argc, argv)) return *status;
  if (*again) return replay(journal);
  const auto level = log::parse_level(flags.log_level);
  if (!level) return fail(level.error());
  const auto format = log::parse_format(flags.log_format);
  if (!format) return fail(format.error());
  if (!flags.fault_point.empty()) {
    auto point = actors::FaultPoint::parse(flags.fault_point);
    if (!point) return fail(point.error());
    flags.options.fault_point = std::move(*point);
  }
  auto cluster = k8s::find_config(flags.kubeconfig, flags.context);
  if (!cluster) return fail(cluster.error());
  const auto signals = block_signals();
  const log::Logging logging({.level = *level, .format = *format});
  flags.options.cluster = std::move(*cluster);
  flags.options.version = kVersion;
  flags.options.dropped_log_lines = [&logging] { return logging.dropped(); };

  auto started = actors::Operator::start(std::move(flags.options));
  if (!started) return fail(started.error());
  log::info("operator started", {{"version", kVersion}, {"url", (*started)->url()}});
  if (!flags.write_url.empty()) {
    std::ofstream(flags.write_url + ".part") << (*started)->url() << "\n";
    std::rename((flags.write_url + ".part").c_str(), flags.write_url.c_str());
  }
  int signal = 0;
  sigwait(&signals, &signal);
  log::info("operator stops", {{"signal", signal}});
  (*started)->stop();
  return 0;
}
