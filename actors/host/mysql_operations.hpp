// Counts the changes of roles that have ended, by what they were and how they ended, as the status
// of a MysqlReplication comes to show them: each once, whoever repeats or silences its Event.
// Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "k8s/store/store.hpp"

namespace troupe::actors {

class MysqlOperations {
 public:
  // What this process did not see coming, its first look at an object, counts nothing.
  void see(const k8s::Change& change);

  // Each type and result that there is, also those that never were: "Failover", "Succeeded".
  using See =
      std::function<void(std::string_view type, std::string_view result, std::uint64_t count)>;
  void each(const See& see) const;

 private:
  static constexpr std::size_t kTypes = 4;
  static constexpr std::size_t kResults = 3;
  std::array<std::array<std::atomic<std::uint64_t>, kResults>, kTypes> ended_{};
};

}  // namespace troupe::actors
