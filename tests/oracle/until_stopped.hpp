// Threads that go on until they are stopped, and can pause meanwhile.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::oracle {

class UntilStopped {
 public:
  ~UntilStopped() { stop(); }

  // Each runs `work` with its number, which looks at `stopping` again and again.
  void start(std::size_t threads, const std::function<void(std::size_t)>& work) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([work, i] { work(i); });
  }
  // Waits for them.
  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    stopped_.notify_all();
    for (auto& thread : std::exchange(threads_, {})) thread.join();
  }

  bool stopping() const {
    const std::scoped_lock lock(mutex_);
    return stopping_;
  }
  // Ends at once when it is to stop.
  void pause_until(std::chrono::steady_clock::time_point t) {
    std::unique_lock lock(mutex_);
    stopped_.wait_until(lock, t, [this] { return stopping_; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace troupe::oracle
