// What became of the effects that went to the gateways, by what they are. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <variant>

#include "actors/model/effect.hpp"
#include "runtime/latency_histogram.hpp"

namespace troupe::actors {

class EffectCounters {
 public:
  static constexpr std::size_t kCodes = static_cast<std::size_t>(Code::Fatal) + 1;

  struct Row {
    std::array<std::atomic<std::uint64_t>, kCodes> failed{};  // by Code
    std::atomic<std::uint64_t> done{0};
    LatencyHistogram took;
  };

  // The row of an action; found once an effect.
  Row& row(const Action& action) noexcept;
  static void count(Row& row, const std::optional<Error>& failed, Duration took) noexcept;

  // Each action that there is: `effect` is "apply", "ask_agent"; `command` is empty but for the
  // agent's, there "Promote". A row that has counted nothing yet is given, too.
  using See =
      std::function<void(std::string_view effect, std::string_view command, const Row& row)>;
  void each(const See& see) const;

 private:
  std::array<Row, std::variant_size_v<Action>> effects_;  // that of AskAgent stays empty
  std::array<Row, std::variant_size_v<agent::Action>> commands_;
};

}  // namespace troupe::actors
