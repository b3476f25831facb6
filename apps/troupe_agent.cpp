// troupe-agent: the sidecar of a unit. Its environment says where it lives; see
// engines/agent/server/settings.hpp.
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "engines/agent/server/agent.hpp"
#include "engines/agent/server/service.hpp"

extern char** environ;

namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

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

int main(int argc, char**) {
  if (argc != 1) {
    std::fputs("usage: troupe-agent (settings come from the environment, see docs)\n", stderr);
    return kWrongUsage;
  }
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
