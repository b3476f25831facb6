// One command under way in the agent: its deadline, its cancellation, its progress.
//
// Steps run on the agent's worker threads and may wait, but only through a Work: it ends a wait
// when the deadline passes, the caller goes away or a newer decision takes over. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/model/result.hpp"

namespace troupe::agent {

class Work {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Work(Clock::time_point deadline) : deadline_(deadline) {}
  explicit Work(std::chrono::milliseconds limit) : Work(Clock::now() + limit) {}

  // The first reason stays.
  void cancel(Error why);
  // Calls back once when cancelled, at once if it already is; one at a time, null to take it away.
  // The callback may run on any thread and must not use this Work.
  void on_cancel(std::function<void()> callback);

  // Why to give up, if there is a reason.
  Result<void> check() const;
  std::chrono::milliseconds left() const;
  Clock::time_point deadline() const { return deadline_; }
  // The smaller of `limit` and what is left.
  std::chrono::milliseconds within(std::chrono::milliseconds limit) const;
  // Waits; ends early, with the reason, when the work has to be given up.
  Result<void> pause(std::chrono::milliseconds time);

  void stage(std::string stage, double progress = 0);
  void on_stage(std::function<void(const std::string& stage, double progress)> callback);

 private:
  const Clock::time_point deadline_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Error> cancelled_;
  std::function<void()> on_cancel_;
  std::function<void(const std::string&, double)> on_stage_;
};

}  // namespace troupe::agent
