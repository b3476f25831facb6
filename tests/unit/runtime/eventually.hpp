// Waits for what another thread brings about.
#pragma once

#include <chrono>
#include <thread>

namespace troupe::test {

// True as soon as `condition` is; false when it is not within the deadline.
template <class Condition>
bool eventually(Condition condition, std::chrono::seconds deadline = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace troupe::test
