// Waiting for what another thread, process or machine brings about: for a condition, never for a
// time. Blocks the calling thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace troupe::support {

// True as soon as `condition` holds; false when it does not within the deadline.
//
// Nothing announces these conditions, so they are looked at again and again. The pause between two
// looks follows what a look costs: one that reads memory is repeated after a millisecond or two,
// one that runs kubectl leaves the processor to what it waits for.
template <class Condition>
bool eventually(std::chrono::milliseconds deadline, const Condition& condition) {
  using Clock = std::chrono::steady_clock;
  using std::chrono::milliseconds;
  constexpr milliseconds kShortest(1);
  constexpr milliseconds kLongest(100);
  const auto end = Clock::now() + deadline;
  while (true) {
    const auto began = Clock::now();
    if (condition()) return true;
    const auto now = Clock::now();
    if (now >= end) return false;
    const Clock::duration pause =
        std::clamp<Clock::duration>(4 * (now - began), kShortest, kLongest);
    // The one sleep of all tests.
    std::this_thread::sleep_for(pause);
  }
}

// The same, with a deadline that only a broken test reaches.
template <class Condition>
bool eventually(const Condition& condition) {
  return eventually(std::chrono::seconds(60), condition);
}

}  // namespace troupe::support
