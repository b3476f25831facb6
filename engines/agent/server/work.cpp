#include "engines/agent/server/work.hpp"

#include <algorithm>
#include <utility>

namespace troupe::agent {

using std::chrono::milliseconds;

void Work::cancel(Error why) {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_) return;
    cancelled_ = std::move(why);
    callback = std::exchange(on_cancel_, nullptr);
  }
  changed_.notify_all();
  if (callback) callback();
}

void Work::on_cancel(std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    if (!cancelled_) {
      on_cancel_ = std::move(callback);
      return;
    }
  }
  if (callback) callback();
}

Result<void> Work::check() const {
  const std::lock_guard lock(mutex_);
  if (cancelled_) return *cancelled_;
  if (Clock::now() >= deadline_) return error(Code::Timeout, "the command's time is over");
  return {};
}

milliseconds Work::left() const {
  return std::max(std::chrono::duration_cast<milliseconds>(deadline_ - Clock::now()),
                  milliseconds(0));
}

milliseconds Work::within(milliseconds limit) const { return std::min(limit, left()); }

Result<void> Work::pause(milliseconds time) {
  {
    std::unique_lock lock(mutex_);
    const auto until = std::min(Clock::now() + time, deadline_);
    changed_.wait_until(lock, until, [this] { return cancelled_.has_value(); });
  }
  return check();
}

void Work::stage(std::string stage, double progress) {
  std::function<void(const std::string&, double)> callback;
  {
    const std::lock_guard lock(mutex_);
    callback = on_stage_;
  }
  if (callback) callback(stage, progress);
}

void Work::on_stage(std::function<void(const std::string&, double)> callback) {
  const std::lock_guard lock(mutex_);
  on_stage_ = std::move(callback);
}

}  // namespace troupe::agent
