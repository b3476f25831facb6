#include "engines/agent/supervise/database.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>

namespace troupe::agent::supervise {
namespace {

std::uint64_t wall_microseconds() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

}  // namespace

void Database::start(const SpawnSpec& spec, Instant now) {
  spec_ = spec;
  if (ending_) return;
  wanted_ = true;
  failures_ = 0;
  if (!alive()) launch(now);
}

void Database::stop(const StopOrder& order, Instant now) {
  wanted_ = false;
  if (!alive()) {
    due_.reset();
    report_.state = State::Stopped;
    return;
  }
  report_.state = State::Stopping;
  due_ = now + std::chrono::milliseconds(order.grace_ms);
  ::kill(pid_, static_cast<int>(order.signal));
  ::kill(pid_, SIGCONT);  // a paused process would not see the signal
}

void Database::kill(const KillOrder& order) {
  if (order.stay_stopped) wanted_ = false;
  if (alive()) {
    ::kill(pid_, SIGKILL);
    if (!wanted_) report_.state = State::Stopping;
  } else if (!wanted_) {
    due_.reset();
    report_.state = State::Stopped;
  }
}

bool Database::reap(pid_t pid, int wait_status, Instant now) {
  if (!alive() || pid != pid_) return false;
  pid_ = 0;
  probe_.reset();
  report_.pid = 0;
  report_.dying = false;
  report_.paused = false;
  report_.ended = 1;
  report_.exit_code =
      WIFEXITED(wait_status) ? static_cast<std::uint64_t>(WEXITSTATUS(wait_status)) : 0;
  report_.exit_signal =
      WIFSIGNALED(wait_status) ? static_cast<std::uint64_t>(WTERMSIG(wait_status)) : 0;
  due_.reset();
  if (!wanted_) {
    report_.state = State::Stopped;
  } else if (ending_) {
    report_.state = State::Exited;
  } else {
    const bool asked = WIFEXITED(wait_status) && report_.exit_code == spec_.restart_code &&
                       spec_.restart_code != 0;
    if (!asked) failures_ = now - started_ >= kStableAfter ? 0 : failures_ + 1;
    report_.state = State::Backoff;
    due_ = now + (asked ? kFirstRestartDelay : restart_delay());
  }
  return true;
}

void Database::tick(Instant now) {
  if (alive()) {
    const auto vitals = probe_->look();
    report_.dying = vitals.dying;
    report_.paused = vitals.paused;
  }
  if (!due_ || now < *due_) return;
  due_.reset();
  if (report_.state == State::Stopping && alive()) {
    ::kill(pid_, SIGKILL);
  } else if (report_.state == State::Backoff && !ending_) {
    ++report_.restarts;
    launch(now);
  }
}

void Database::launch(Instant now) {
  due_.reset();
  const auto spawned = spawn(spec_, {});
  if (spawned.pid <= 0) {
    report_.state = State::Fatal;
    report_.message = "cannot execute " + (spec_.argv.empty() ? "(nothing)" : spec_.argv.front()) +
                      ": " + std::strerror(spawned.error);
    return;
  }
  pid_ = spawned.pid;
  probe_.emplace(pid_);
  started_ = now;
  report_.state = State::Running;
  report_.pid = static_cast<std::uint64_t>(pid_);
  report_.started_us = wall_microseconds();
  report_.message.clear();
}

std::chrono::milliseconds Database::restart_delay() const {
  constexpr unsigned kMaxShift = 16;  // far beyond the longest delay
  const unsigned shift = std::min(failures_ > 0 ? failures_ - 1 : 0, kMaxShift);
  return std::min(kFirstRestartDelay * (1 << shift), kLongestRestartDelay);
}

}  // namespace troupe::agent::supervise
