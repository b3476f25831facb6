// troupe-agent: the sidecar of a unit. Its environment says where it lives; see
// engines/agent/server/settings.hpp.
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <map>
#include <string>
#include <string_view>

#include "apps/arguments.hpp"
#include "engines/agent/server/agent.hpp"
#include "engines/agent/server/service.hpp"

extern char** environ;

namespace {

using troupe::apps::kFailed;
using troupe::apps::kWrongUsage;

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

// Blocked in all threads, so that the main one can wait for them.
sigset_t block_end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "The sidecar of a unit: configures its database, starts it, and carries out what the "
      "operator orders.",
      "troupe-agent");
  app.footer(
      "Its environment says where it lives: DATA_MOUNT, NAMESPACE and POD_NAME at least. The "
      "operator sets it in the Pod.");
  if (const auto status = troupe::apps::parse_arguments(app, argc, argv)) return *status;
  const auto end_signals = block_end_signals();
  auto settings = troupe::agent::settings_from(environment());
  if (!settings) {
    spdlog::error("{}", settings.error().message);
    return kWrongUsage;
  }
  auto agent = troupe::agent::Agent::start(*std::move(settings));
  if (!agent) {
    spdlog::error("{}", agent.error().message);
    return kFailed;
  }
  auto service = troupe::agent::Service::start(**agent);
  if (!service) {
    spdlog::error("{}", service.error().message);
    return kFailed;
  }
  spdlog::info("agent of {} listening on port {}", (*agent)->settings().unit, (*service)->port());
  int signal = 0;
  ::sigwait(&end_signals, &signal);
  spdlog::info("ended by signal {}", signal);
  return 0;
}
