// A histogram of durations whose observe() is two relaxed additions; prometheus-cpp's takes a
// mutex, which actors on several threads would meet at. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "runtime/model/time.hpp"

namespace troupe {

class LatencyHistogram {
 public:
  // Upper bounds in seconds: from a decision in memory to a backup's step.
  static constexpr std::array<double, 17> kBounds = {
      1e-5, 2.5e-5, 1e-4, 2.5e-4, 1e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60};

  void observe(Duration took) noexcept;

  struct Value {
    std::array<std::uint64_t, kBounds.size() + 1> counts{};  // not cumulative; the last is +Inf
    double sum_seconds = 0;

    std::uint64_t count() const;
  };
  Value value() const;

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

}  // namespace troupe
