#include "actors/host/effect_counters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace troupe::actors {
namespace {

using std::chrono::milliseconds;

// "ask_agent Promote: 1 done, 0 conflict, 5 ms"
std::string told(const EffectCounters& counters, std::string_view wanted) {
  std::string out;
  counters.each([&](std::string_view effect, std::string_view command, const auto& row) {
    if (effect != wanted || row.took.value().count() == 0) return;
    out += std::string(effect) + " " + std::string(command) + ": " + std::to_string(row.done) +
           " done, " + std::to_string(row.failed[static_cast<std::size_t>(Code::Conflict)]) +
           " conflict, " + std::to_string(std::lround(row.took.value().sum_seconds * 1000)) + " ms";
  });
  return out;
}

TEST(EffectCounters, TellTheResultsOfEachKindOfEffectApart) {
  EffectCounters counters;
  auto& apply = counters.row(Apply{});
  EffectCounters::count(apply, std::nullopt, milliseconds(2));
  EffectCounters::count(apply, error(Code::Conflict, "written meanwhile"), milliseconds(3));
  EffectCounters::count(counters.row(MakePasswords{}), std::nullopt, milliseconds(7));
  EXPECT_EQ(told(counters, "apply"), "apply : 1 done, 1 conflict, 5 ms");
  EXPECT_EQ(told(counters, "make_passwords"), "make_passwords : 1 done, 0 conflict, 7 ms");
  EXPECT_EQ(told(counters, "delete"), "");
}

TEST(EffectCounters, CountTheAgentsCommandsByTheirNames) {
  EffectCounters counters;
  AskAgent ask;
  ask.action = agent::Promote{};
  EffectCounters::count(counters.row(ask), std::nullopt, milliseconds(5));
  EXPECT_EQ(told(counters, "ask_agent"), "ask_agent Promote: 1 done, 0 conflict, 5 ms");
}

}  // namespace
}  // namespace troupe::actors
