// The server's only source of chance: uids, generated names and injected faults, all from one seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace troupe::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t next() { return engine_(); }
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  // Draws nothing for a probability of zero, so that runs without faults do not depend on them.
  bool chance(double probability) {
    return probability > 0 && std::uniform_real_distribution<>(0, 1)(engine_) < probability;
  }
  // A version 4 UUID.
  std::string uid();
  // What follows generateName: five characters that cannot form words.
  std::string name_suffix();

 private:
  std::mt19937_64 engine_;
};

}  // namespace troupe::sim
