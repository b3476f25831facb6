// What no model may do. Compiled for the purity test, which must find each of these; never linked.
#include <chrono>
#include <cstdlib>
#include <random>

namespace troupe::architecture {

long impure() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return now + (std::getenv("HOME") ? 1 : 0) + static_cast<long>(std::random_device{}());
}

}  // namespace troupe::architecture
