#include "tests/oracle/strike.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <fstream>
#include <thread>

#include "runtime/model/process_stat.hpp"

namespace troupe::oracle {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

bool set_link(const MemberPod& pod, const char* state) {
  return !pod.interface.empty() &&
         run({"ip", "link", "set", "dev", pod.interface, state}, seconds(10)).status == 0;
}

bool delete_pod(const Kubectl& kubectl, pid_t pid, Struck& struck) {
  int status = 0;
  std::thread deleting([&] {
    status =
        kubectl({"delete", "pod", struck.pod.name, "--force", "--grace-period=0", "--wait=false"})
            .status;
  });
  const bool has_died = eventually(seconds(30), [&] {
    const auto look = Moment::now();
    if (is_dying(pid)) return true;
    struck.last_alive = look;
    return false;
  });
  struck.gone = Clock::now();
  deleting.join();
  return status == 0 && has_died;
}

}  // namespace

bool is_dying(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  const auto stat = std::getline(file, line) ? ProcessStat::parse(line) : std::nullopt;
  return !stat || stat->is_dying();
}

Moment Moment::now() {
  // Read first: what somebody does after this moment bears no earlier time.
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {Clock::now(), std::chrono::duration_cast<std::chrono::microseconds>(wall).count()};
}

std::optional<Struck> strike(const Kubectl& kubectl, const MemberPod& pod, Strike how) {
  const auto pid = pod.database();
  if (!pid) return std::nullopt;
  const auto now = Moment::now();
  Struck struck{.how = how, .pod = pod, .asked = now, .last_alive = now, .gone = now.steady};
  bool done = false;
  switch (how) {
    case Strike::Process:
      done =
          ::kill(*pid, SIGKILL) == 0 && eventually(seconds(30), [pid] { return is_dying(*pid); });
      break;
    case Strike::Pause:
      done = ::kill(*pid, SIGSTOP) == 0;
      break;
    case Strike::Pod:
      done = delete_pod(kubectl, *pid, struck);
      break;
    case Strike::CutOff:
      done = set_link(pod, "down");
      break;
  }
  if (how != Strike::Pod) struck.gone = Clock::now();
  return done ? std::optional(struck) : std::nullopt;
}

void release(const Struck& struck) {
  if (struck.how == Strike::CutOff) set_link(struck.pod, "up");
  // Its agent may have killed it long ago.
  if (struck.how == Strike::Pause)
    if (const auto pid = struck.pod.database()) ::kill(*pid, SIGCONT);
}

double milliseconds_between(Instant from, Instant to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

}  // namespace troupe::oracle
